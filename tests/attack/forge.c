/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "codec.h"
#include "forge_impl.h"
#include "lot.h"
#include "proof.h"

void
forge_must(enum csign_err r)
{
	if (r == CSIGN_OK)
		return;
	fprintf(stderr, "forge: %s\n", csign_err_text(r));
	abort();
}

uint32_t
forge_draw(struct forge *f, uint32_t below)
{
	return (uint32_t)(lot_draw(&f->seed) >> 32) % below;
}

void
forge_fill(struct forge *f, unsigned char *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		bytes[i] = (unsigned char)forge_draw(f, 256);
}

/* --- signers --------------------------------------------------------------
 */

static void
make_signer(struct forge *f, struct forge_signer *s, unsigned char number)
{
	struct csign_device *d = &s->device;
	unsigned char scalar[32] = {0};

	scalar[31] = number;
	forge_must(csign_p256_from_scalar(f->crypto, scalar, &s->key));
	csign_p256_point(s->key, d->point);
	forge_must(csign_device_id(f->crypto, d->point, d->id));
	d->kind =
	    number % 2 == FORGE_P256 ? CSIGN_KIND_P256 : CSIGN_KIND_WEBAUTHN;
	d->added = 1700000000;
	memcpy(d->by, "root", sizeof("root"));
	(void)snprintf(d->name, sizeof(d->name), "phone %u", number);
	if (d->kind == CSIGN_KIND_P256)
		return;
	d->has_seal = true;
	memcpy(d->seal, d->point, sizeof(d->seal));
	memset(d->credential, number, 32);
	d->credential_len = 32;
	memcpy(d->rp, RP, sizeof(RP));
	memcpy(d->origin, ORIGIN, sizeof(ORIGIN));
}

void
forge_open(struct forge *f, struct csign_crypto *crypto, uint64_t seed)
{
	memset(f, 0, sizeof(*f));
	f->crypto = crypto;
	f->seed = seed;
	for (unsigned int i = 0; i < FORGE_SIGNERS; i++) {
		make_signer(f, &f->own[i], (unsigned char)(10 + i));
		make_signer(f, &f->others[i], (unsigned char)(20 + i));
	}
}

void
forge_close(struct forge *f)
{
	for (unsigned int i = 0; i < FORGE_SIGNERS; i++) {
		csign_p256_free(&f->own[i].key);
		csign_p256_free(&f->others[i].key);
	}
}

/* --- one answer, with all that can be wrong in it -------------------------
 */

struct forge_draft
forge_right(const struct forge *f, unsigned int signer)
{
	return (struct forge_draft){
	    .signer = &f->own[signer],
	    .key = f->own[signer].key,
	    .choice = "approve",
	    .signed_choice = "approve",
	    .code = "",
	    .transaction = f->transaction,
	    .transaction_len = f->transaction_len,
	    .wall_ms = f->wall_ms,
	    .rp = RP,
	    .origin = ORIGIN,
	    .flags = 0x05,
	};
}

/* As csign_challenge() makes it, also where that refuses to. */
static void
challenge_of(const struct forge *f, const struct forge_draft *d,
    char out[CSIGN_CHALLENGE_SIZE])
{
	const unsigned char frame[5] = {0, 0, 0,
	    (unsigned char)(d->transaction_len >> 8),
	    (unsigned char)d->transaction_len};
	const struct csign_part parts[] = {
	    {"countersign/1 ", 14},
	    {d->signed_choice, strlen(d->signed_choice)},
	    {frame, sizeof(frame)},
	    {d->transaction, d->transaction_len},
	    {"", 1},
	    {d->code, strlen(d->code)},
	};
	unsigned char digest[32];

	forge_must(csign_sha256(
	    f->crypto, parts, sizeof(parts) / sizeof(parts[0]), digest));
	forge_must(csign_b64u_encode(
	    digest, sizeof(digest), out, CSIGN_CHALLENGE_SIZE));
}

static void
sha256(
    const struct forge *f, const void *bytes, size_t len, unsigned char out[32])
{
	forge_must(
	    csign_sha256(f->crypto, &(struct csign_part){bytes, len}, 1, out));
}

void
forge_write(const struct csign_answer *answer, struct forge_plain *out)
{
	struct csign_buf *buf = NULL;

	forge_must(csign_buf_new(sizeof(out->bytes), &buf));
	forge_must(csign_answer_write(answer, buf));
	out->len = csign_buf_len(buf);
	memcpy(out->bytes, csign_buf_data(buf), out->len);
	csign_buf_free(&buf);
}

void
forge_finish(struct forge *f, struct forge_draft *d, struct forge_plain *out)
{
	const bool webauthn = d->signer->device.kind == CSIGN_KIND_WEBAUTHN;
	struct csign_answer answer = {.kind = d->signer->device.kind};
	char challenge[CSIGN_CHALLENGE_SIZE], b[512];
	unsigned char a[37 + 32];
	int len;

	challenge_of(f, d, challenge);
	memcpy(answer.device, d->signer->device.id, sizeof(answer.device));
	(void)snprintf(answer.choice, sizeof(answer.choice), "%s", d->choice);
	if (webauthn)
		len = snprintf(b, sizeof(b),
		    "{\"type\":\"webauthn.get\",\"challenge\":\"%s\","
		    "\"origin\":\"%s\",\"crossOrigin\":false}",
		    challenge, d->origin);
	else
		len = snprintf(b, sizeof(b), "%llu_%s",
		    (unsigned long long)d->wall_ms, challenge);
	answer.b = (const unsigned char *)b;
	answer.b_len = (size_t)len;
	if (webauthn) {
		sha256(f, d->rp, strlen(d->rp), a);
		a[32] = d->flags;
		f->counter++;
		for (int i = 0; i < 4; i++)
			a[33 + i] = (unsigned char)(f->counter >> (24 - 8 * i));
		sha256(f, b, answer.b_len, a + 37);
		answer.a = a;
		answer.a_len = 37;
	}
	if (d->signature_len == 0)
		forge_must(csign_p256_sign(d->key, webauthn ? a : answer.b,
		    webauthn ? sizeof(a) : answer.b_len, d->signature,
		    &d->signature_len));
	answer.signature = d->signature;
	answer.signature_len = d->signature_len;
	forge_write(&answer, out);
}

void
forge_yes(struct forge *f, unsigned int signer, struct forge_plain *out)
{
	struct forge_draft d = forge_right(f, signer);

	forge_finish(f, &d, out);
}

void
forge_turn(struct forge *f)
{
	for (size_t i = 0; i < f->n_good; i++)
		f->old[f->n_old++ % FORGE_OLD] = f->good[i];
	f->n_good = 0;
	for (unsigned int i = 0; i < FORGE_SIGNERS; i++) {
		struct forge_draft no = forge_right(f, i),
				   typed = forge_right(f, i);

		forge_yes(f, i, &f->good[f->n_good++]);
		no.choice = no.signed_choice = "deny";
		forge_finish(f, &no, &f->good[f->n_good++]);
		typed.code = f->code;
		if (f->code[0] != '\0')
			forge_finish(f, &typed, &f->good[f->n_good++]);
	}
}
