/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A million proofs that must not count: forge.h makes them, for questions that
 * the library puts and that their owner could have answered, and each is opened
 * and judged as what comes from a courier is.  None is a yes, each is refused
 * for a reason that forge_kinds.c allows and leaves a record.  After every
 * thousand the owner's yes counts, and where a p256 phone gave it, oracle.h
 * agrees (countersign-security(7) SIG-1 to SIG-3, TX-3).
 *
 * ATTACK_SCALE=n: n times as many; ATTACK_SEED=n: the numbers that are drawn.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "audit.h"
#include "compose.h"
#include "exchange.h"
#include "figures.h"
#include "forge.h"
#include "judge.h"
#include "oracle.h"
#include "own_run.h"
#include "played.h"
#include "seal.h"
#include "unit.h"

#define PROOFS 1000000UL
#define A_ROUND 1000
#define SEED UINT64_C(20261122)
#define COMPLAINTS_MAX 15
/* Of a state file with two devices, whatever was said to it. */
#define STATE_MAX 4096
#define REAL_RECORD 500

static struct forge forge;
static struct figures figures;
static struct tally {
	unsigned long proofs, failures;
} tallies[32];
static unsigned long complaints, to_the_end, grants;

static void __attribute__((format(printf, 2, 3)))
complain(unsigned long *count, const char *format, ...)
{
	va_list ap;

	(*count)++;
	if (complaints++ >= COMPLAINTS_MAX)
		return;
	printf("# ");
	va_start(ap, format);
	(void)vprintf(format, ap);
	va_end(ap);
	printf("\n");
	(void)fflush(stdout);
}

/* --- records --------------------------------------------------------------
 */

static struct {
	unsigned long n;
	char result[16];
} records;

enum csign_err __real_csign_audit_write(const struct csign_settings *set,
    const struct csign_audit *record, struct csign_why *why);
enum csign_err __wrap_csign_audit_write(const struct csign_settings *set,
    const struct csign_audit *record, struct csign_why *why);

/* Half a gigabyte of them is of no use here: some, and those of grants. */
enum csign_err
__wrap_csign_audit_write(const struct csign_settings *set,
    const struct csign_audit *record, struct csign_why *why)
{
	if (strcmp(record->event, "alert") == 0)
		return CSIGN_OK;
	records.n++;
	(void)snprintf(
	    records.result, sizeof(records.result), "%s", record->result);
	if (strcmp(record->result, "refused") == 0 &&
	    records.n % REAL_RECORD != 0)
		return CSIGN_OK;
	return __real_csign_audit_write(set, record, why);
}

/* --- a question -----------------------------------------------------------
 */

static struct csign_request *request;
static struct csign_composed composed;
static struct csign_exchange *exchange;
static struct csign_device_list asked;

static void
open_host(uint64_t seed)
{
	struct csign_device devices[FORGE_SIGNERS];
	const struct csign_device_list list = {devices, FORGE_SIGNERS};
	struct csign_state_lock *lock = NULL;
	const char *dir;

	(void)setup(NULL);
	dir = host.ctx->settings.state_dir;
	forge_open(&forge, host.ctx->crypto, seed);
	for (size_t i = 0; i < FORGE_SIGNERS; i++)
		devices[i] = forge.own[i].device;
	assert_ok(csign_state_lock(
	    host.ctx->crypto, dir, &host.account, &host.ctx->why, &lock));
	assert_ok(csign_devices_write(
	    host.ctx->crypto, dir, &host.account, &list, &host.ctx->why));
	csign_state_unlock(&lock);
	assert_ok(csign_devices_read(
	    host.ctx->crypto, dir, &host.account, &asked, &host.ctx->why));
	request = request_for(host.user);
}

static void
close_host(void)
{
	csign_request_free(&request);
	csign_device_list_clear(&asked);
	forge_close(&forge);
	(void)teardown(NULL);
}

/* As csign_approval_begin() does it; every other one has digits. */
static void
put_question(unsigned long number)
{
	struct csign_opening opening = {
	    .op = CSIGN_OP_APPROVE,
	    .subject = host.user,
	    .devices = &asked,
	    .lifetime = 90,
	};
	struct csign_link *none = NULL;

	assert_ok(csign_compose_approval(host.ctx, request, &host.account,
	    number % 2 == 0 ? CSIGN_CODE_NEVER : CSIGN_CODE_INBOX, &composed));
	opening.transaction = composed.bytes;
	assert_ok(csign_exchange_begin(host.ctx, &opening, &none, &exchange));
	scan(csign_exchange_link(exchange));
	forge.transaction = csign_buf_data(composed.bytes);
	forge.transaction_len = csign_buf_len(composed.bytes);
	forge.code = composed.code;
	assert_ok(csign_clock_wall(&forge.wall_ms));
	forge_turn(&forge);
}

static void
end_round(void)
{
	csign_exchange_free(&exchange);
	csign_composed_clear(&composed);
	end_question();
}

/* --- from a courier to a verdict ------------------------------------------
 */

static enum csign_err
look_at(const void *sealed, size_t len)
{
	const struct csign_case c = {
	    .ctx = host.ctx,
	    .req = request,
	    .account = &host.account,
	    .composed = &composed,
	    .exchange = exchange,
	    .known = true,
	    .asked = &asked,
	};
	struct csign_buf *plain = NULL;
	struct csign_ruling ruling;
	uint32_t verdict = 0x12345678;
	const unsigned long before = records.n;
	enum csign_err r;

	assert_ok(csign_buf_new(CSIGN_ANSWER_MAX, &plain));
	r = csign_open(host.ctx->crypto, CSIGN_SEAL_ANSWER,
	    csign_link_answer_key(host.link), sealed, len, plain);
	if (r == CSIGN_OK) {
		r = csign_judge(&c, plain, &ruling, &verdict);
		if (records.n != before + 1 ||
		    strcmp(records.result,
			r == CSIGN_OK ? "granted" : "refused") != 0)
			complain(&figures.wrong, "%s: recorded as %s; %s",
			    csign_err_name(r), records.result,
			    csign_ctx_why(host.ctx));
	} else if (r == CSIGN_E_FORMAT || r == CSIGN_E_TOO_LONG) {
		r = CSIGN_E_PROOF_FORMAT;
	}
	/* Not the word without the other. */
	if (r != CSIGN_OK && verdict != 0x12345678)
		complain(&figures.grants, "a word for %s", csign_err_name(r));
	csign_buf_free(&plain);
	return r;
}

/* way: 0, as it has to be; 1 to 3, as it must not be. */
static void
seal(const struct forge_plain *p, uint32_t way, struct csign_buf *out)
{
	enum csign_seal_use use = CSIGN_SEAL_ANSWER;
	unsigned char key[CSIGN_KEY_LEN];

	memcpy(key, csign_link_answer_key(host.link), sizeof(key));
	if (way == 3)
		memcpy(key, csign_link_content_key(host.link), sizeof(key));
	if (way == 1)
		key[forge_draw(&forge, sizeof(key))] ^= 1;
	if (way == 2)
		use = CSIGN_SEAL_CONTENT;
	assert_ok(
	    csign_seal(host.ctx->crypto, use, key, p->bytes, p->len, out));
}

/* Whether it is all right is not known here, only that it must not be. */
static void
one_proof(size_t kind)
{
	const struct forge_kind *k = &forge_kinds[kind];
	unsigned char sealed[FORGE_PLAIN_MAX + 64];
	struct csign_buf *buf = NULL;
	struct forge_plain plain;
	uint32_t reason, way;
	enum csign_err r;
	size_t len;

	k->make(&forge, &plain);
	assert_ok(csign_buf_new(sizeof(sealed), &buf));
	way = k->seal ? 1 + forge_draw(&forge, 4) : 0;
	seal(&plain, way, buf);
	len = csign_buf_len(buf);
	memcpy(sealed, csign_buf_data(buf), len);
	csign_buf_free(&buf);
	if (way == 4)
		sealed[forge_draw(&forge, (uint32_t)len)] ^=
		    (unsigned char)(1 << forge_draw(&forge, 8));
	r = look_at(sealed, len);
	figures.cases++;
	tallies[kind].proofs++;
	if (r == CSIGN_OK) {
		tallies[kind].failures++;
		complain(&figures.grants, "%s: a grant", k->name);
		return;
	}
	/* So many wrong codes came that none is looked at any more. */
	if (r == CSIGN_E_LIMIT)
		r = CSIGN_E_PROOF_CODE;
	reason = csign_is_proof_error(r)
		     ? UINT32_C(1) << (r - CSIGN_E_PROOF_FORMAT)
		     : 0;
	to_the_end +=
	    (reason & (FORGE_REASON(SIGNATURE) | FORGE_REASON(CHALLENGE) |
			  FORGE_REASON(CODE))) != 0;
	if ((k->reasons & reason) == 0) {
		tallies[kind].failures++;
		complain(&figures.wrong, "%s: %s", k->name, csign_err_name(r));
	}
}

/* --- the owner ------------------------------------------------------------
 */

static char *
slurp(const char *path)
{
	FILE *file = fopen(path, "re");
	struct stat st;
	char *text;

	if (file == NULL || fstat(fileno(file), &st) != 0 ||
	    (text = calloc(1, (size_t)st.st_size + 1)) == NULL ||
	    fread(text, 1, (size_t)st.st_size, file) != (size_t)st.st_size)
		fail_msg("%s", path);
	else if (fclose(file) == 0)
		return text;
	abort();
}

static char *
of_store(const char *folder, const char *name)
{
	char path[512];

	(void)snprintf(
	    path, sizeof(path), "%s/state/%s/%s", host.dir, folder, name);
	return slurp(path);
}

/* Those who have not seen lib/ look at the bytes, and at the disk. */
static bool
oracle(const struct csign_buf *sealed, uint64_t began)
{
	static struct oracle_memory memory;
	const struct oracle_bytes answer = {
	    csign_buf_data(sealed), csign_buf_len(sealed), 0};
	struct oracle_case c = {
	    .link = csign_exchange_link(exchange),
	    .digits = composed.code,
	    .content = {courier.content, courier.content_len, 0},
	    .answers = &answer,
	    .n_answers = 1,
	    .user = host.user,
	    .uid = (uint32_t)host.account.uid,
	    .began = began,
	    .ended = (uint64_t)time(NULL) + 1, /* which is behind */
	    .lifetime_ms = 90000,
	};
	char *devices = of_store("devices", host.user), *state, *audit;
	char uid[16], why[256] = "";
	bool agrees;

	(void)snprintf(uid, sizeof(uid), "%u", (unsigned)host.account.uid);
	state = of_store("state", uid);
	audit = slurp(host.audit);

	c.devices = devices;
	c.state = state;
	c.audit = audit;
	agrees = oracle_agrees(&c, &memory, why, sizeof(why));
	if (!agrees)
		complain(&figures.grants, "the oracle: %s", why);
	if (strlen(state) > STATE_MAX)
		complain(&figures.leaks, "a state of %zu bytes", strlen(state));
	free(devices);
	free(state);
	free(audit);
	return agrees;
}

/* Nobody is locked out by what went before. */
static void
owners_yes(unsigned long number)
{
	const unsigned int signer =
	    number / 2 % 2 == 0 ? FORGE_P256 : FORGE_WEBAUTHN;
	const uint64_t began = (uint64_t)time(NULL);
	struct csign_buf *sealed = NULL;
	struct forge_plain yes;
	enum csign_err r;

	forge_yes(&forge, signer, &yes);
	assert_ok(csign_buf_new(FORGE_PLAIN_MAX + 64, &sealed));
	seal(&yes, 0, sealed);
	r = look_at(csign_buf_data(sealed), csign_buf_len(sealed));
	if (r != CSIGN_OK)
		complain(&figures.wrong, "the owner's yes: %s; %s",
		    csign_err_name(r), csign_ctx_why(host.ctx));
	else if (signer != FORGE_P256 || oracle(sealed, began))
		grants++;
	csign_buf_free(&sealed);
}

/* --- all of them ----------------------------------------------------------
 */

static void
one_round(unsigned long number)
{
	put_question(number);
	for (int i = 0; i < A_ROUND; i++) {
		uint32_t drawn = forge_draw(&forge, 1000);
		size_t kind = 0;

		while (drawn >= forge_kinds[kind].in_1000)
			drawn -= forge_kinds[kind++].in_1000;
		one_proof(kind);
	}
	owners_yes(number);
	end_round();
}

static int
report(unsigned long rounds, uint64_t seed)
{
	const bool enough = to_the_end >= figures.cases / 10;
	int failed = 0;
	char note[160];

	for (size_t i = 0; i < forge_n_kinds; i++) {
		const struct tally *t = &tallies[i];
		const bool ok = t->proofs > 0 && t->failures == 0;

		printf("%sok %zu - %s: %lu proofs\n", ok ? "" : "not ", i + 1,
		    forge_kinds[i].name, t->proofs);
		failed += !ok;
	}
	printf("%sok %zu - the owner's yes after each %d: %lu grants\n",
	    grants == rounds ? "" : "not ", forge_n_kinds + 1, A_ROUND, grants);
	printf("%sok %zu - right but for signature or challenge: %lu\n",
	    enough ? "" : "not ", forge_n_kinds + 2, to_the_end);
	failed += grants != rounds || !enough || figures.wrong > 0 ||
		  figures.grants > 0 || figures.leaks > 0;
	figures.wrong += grants != rounds || !enough;
	(void)snprintf(note, sizeof(note),
	    "%lu right but for signature or challenge; %lu right grants; "
	    "seed %llu",
	    to_the_end, grants, (unsigned long long)seed);
	figures_write("proofs", "proofs that must not count", &figures, note);
	return failed > 0 ? 1 : 0;
}

int
main(void)
{
	const char *text = getenv("ATTACK_SEED");
	const uint64_t seed = text == NULL ? SEED : strtoull(text, NULL, 10);
	const unsigned long rounds = PROOFS / A_ROUND * figures_scale();

	printf("1..%zu\n# ATTACK_SEED=%llu\n", forge_n_kinds + 2,
	    (unsigned long long)seed);
	(void)fflush(stdout);
	(void)own_run();
	open_host(seed);
	for (unsigned long i = 0; i < rounds; i++)
		one_round(i);
	close_host();
	return report(rounds, seed);
}
