/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Evidence, read and checked again.  A line is taken apart and written anew:
 * what does not come out as the same bytes is none of ours, so there is one
 * way to write each and no room for anything else in it.
 */
#include "config.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "bounds.h"
#include "buf.h"
#include "codec.h"
#include "ctx.h"
#include "evidence.h"
#include "json.h"
#include "proof.h"
#include "state.h"
#include "transaction.h"

struct csign_evidence {
	struct json_object *json; /* whose strings the exhibit borrows */
	struct csign_exhibit exhibit;
	struct csign_device device;
	struct csign_answer answer;
	unsigned char transaction[CSIGN_TRANSACTION_MAX];
	unsigned char a[CSIGN_AUTHDATA_MAX], b[CSIGN_CLIENT_DATA_MAX];
	unsigned char signature[CSIGN_SIGNATURE_MAX];
	struct csign_transaction question;
	struct csign_evidence_info info;
	char mark[CSIGN_EVIDENCE_MARK_SIZE];
};

/* --- reading -------------------------------------------------------------- */

/* A text that has to be there, or NULL. */
static const char *
text_of(const struct csign_evidence *ev, const char *name)
{
	return csign_json_str(ev->json, name, CSIGN_EVIDENCE_MAX);
}

/* A text of at most size - 1 bytes. */
static bool
copy(const struct csign_evidence *ev, const char *name, char *out, size_t size)
{
	const char *text = csign_json_str(ev->json, name, size - 1);

	if (text == NULL)
		return false;
	memcpy(out, text, strlen(text) + 1);
	return true;
}

static bool
bytes_of(const struct csign_evidence *ev, const char *name, void *out,
    size_t max, size_t *ret_len)
{
	const char *text = text_of(ev, name);

	return text != NULL && csign_b64u_decode(text, strlen(text), out, max,
				   ret_len) == CSIGN_OK;
}

static bool
read_numbers(struct csign_evidence *ev)
{
	struct csign_exhibit *e = &ev->exhibit;
	int64_t version = 0, ms = 0, uid = 0, counter = 0;

	if (!csign_json_int(ev->json, "v", 1, 1, &version) ||
	    !csign_json_int(
		ev->json, "checkedMs", 0, CSIGN_JSON_INT_MAX, &ms) ||
	    !csign_json_int(ev->json, "uid", 0, UINT32_MAX, &uid) ||
	    !csign_json_int(ev->json, "counter", 0, UINT32_MAX, &counter))
		return false;
	e->checked_ms = (uint64_t)ms;
	e->uid = (uint32_t)uid;
	e->counter = (uint32_t)counter;
	return true;
}

static bool
read_id(struct csign_evidence *ev)
{
	char *id = ev->device.id;

	return copy(ev, "device", id, CSIGN_DEVICE_ID_SIZE) &&
	       strlen(id) == CSIGN_DEVICE_ID_SIZE - 1;
}

static bool
read_device(struct csign_evidence *ev)
{
	struct csign_device *d = &ev->device;
	const char *kind = text_of(ev, "kind");
	int64_t eligible = 0;
	size_t len = 0;

	if (kind == NULL || !read_id(ev) ||
	    !bytes_of(ev, "key", d->point, sizeof(d->point), &len) ||
	    len != sizeof(d->point))
		return false;
	if (strcmp(kind, csign_kind_name(CSIGN_KIND_P256)) == 0) {
		d->kind = CSIGN_KIND_P256;
		return true;
	}
	d->kind = CSIGN_KIND_WEBAUTHN;
	if (strcmp(kind, csign_kind_name(d->kind)) != 0 ||
	    !copy(ev, "rp", d->rp, sizeof(d->rp)) ||
	    !copy(ev, "origin", d->origin, sizeof(d->origin)) ||
	    !csign_json_int(ev->json, "backupEligible", 0, 1, &eligible))
		return false;
	d->backup_eligible = eligible == 1;
	return true;
}

static bool
read_answer(struct csign_evidence *ev)
{
	struct csign_answer *a = &ev->answer;

	a->kind = ev->device.kind;
	memcpy(a->device, ev->device.id, sizeof(a->device));
	a->a = ev->a;
	a->b = ev->b;
	a->signature = ev->signature;
	return copy(ev, "choice", a->choice, sizeof(a->choice)) &&
	       a->choice[0] != '\0' &&
	       (text_of(ev, "authenticatorData") == NULL ||
		   bytes_of(ev, "authenticatorData", ev->a, sizeof(ev->a),
		       &a->a_len)) &&
	       bytes_of(ev, "clientData", ev->b, sizeof(ev->b), &a->b_len) &&
	       bytes_of(ev, "signature", ev->signature, sizeof(ev->signature),
		   &a->signature_len);
}

static bool
read_members(struct csign_evidence *ev)
{
	struct csign_exhibit *e = &ev->exhibit;

	e->device = &ev->device;
	e->answer = &ev->answer;
	e->transaction = ev->transaction;
	e->question = text_of(ev, "question");
	e->host = text_of(ev, "host");
	e->user = text_of(ev, "user");
	e->code = text_of(ev, "code");
	if (e->code == NULL)
		e->code = "";
	return e->question != NULL && e->host != NULL && e->user != NULL &&
	       read_numbers(ev) && read_device(ev) && read_answer(ev) &&
	       bytes_of(ev, "transaction", ev->transaction,
		   sizeof(ev->transaction), &e->transaction_len);
}

/* Is the line what would be written for all this? */
static enum csign_err
check_line(const struct csign_evidence *ev, const char *line, size_t len)
{
	struct csign_buf *again = NULL;
	enum csign_err r = csign_buf_new(CSIGN_EVIDENCE_MAX - 1, &again);

	if (r != CSIGN_OK)
		return r;
	r = csign_evidence_format(&ev->exhibit, again);
	if (r != CSIGN_OK && r != CSIGN_E_NOMEM)
		r = CSIGN_E_FORMAT;
	if (r == CSIGN_OK && (csign_buf_len(again) != len ||
				 memcmp(csign_buf_data(again), line, len) != 0))
		r = CSIGN_E_FORMAT;
	csign_buf_free(&again);
	return r;
}

static void
inform(struct csign_evidence *ev)
{
	ev->info = (struct csign_evidence_info){
	    .time = text_of(ev, "time"),
	    .question = ev->exhibit.question,
	    .host = ev->exhibit.host,
	    .user = ev->exhibit.user,
	    .uid = ev->exhibit.uid,
	    .service = ev->question.service,
	    .title = ev->question.title,
	    .device = ev->device.id,
	    .kind = csign_kind_name(ev->device.kind),
	    .choice = ev->answer.choice,
	    .mark = ev->mark,
	    .asked = ev->question.created,
	};
}

enum csign_err
csign_evidence_read(struct csign_ctx *ctx, const char *line, size_t len,
    struct csign_evidence **ret_ev)
{
	struct csign_evidence *ev = NULL;
	enum csign_err r = CSIGN_E_INTERNAL;

	if (ctx == NULL || line == NULL || ret_ev == NULL)
		return CSIGN_E_INVALID;
	if (len >= CSIGN_EVIDENCE_MAX)
		return CSIGN_E_TOO_LONG;
	if ((ev = calloc(1, sizeof(*ev))) == NULL)
		return CSIGN_E_NOMEM;
	if ((r = csign_json_parse(line, len, &ev->json)) != CSIGN_OK)
		goto out;
	r = CSIGN_E_FORMAT;
	if (!read_members(ev))
		goto out;
	if ((r = check_line(ev, line, len)) != CSIGN_OK ||
	    (r = csign_transaction_read(ev->transaction,
		 ev->exhibit.transaction_len, &ev->question)) != CSIGN_OK ||
	    (r = csign_evidence_mark(ctx->crypto, line, len, ev->mark)) !=
		CSIGN_OK)
		goto out;
	inform(ev);
	*ret_ev = ev;
	ev = NULL;
out:
	csign_evidence_free(&ev);
	return r;
}

void
csign_evidence_free(struct csign_evidence **evp)
{
	struct csign_evidence *ev;

	if (evp == NULL || (ev = *evp) == NULL)
		return;
	csign_transaction_clear(&ev->question);
	json_object_put(ev->json);
	free(ev);
	*evp = NULL;
}

const struct csign_evidence_info *
csign_evidence_look(const struct csign_evidence *ev)
{
	return &ev->info;
}

/* --- checking ------------------------------------------------------------- */

/* What is written beside the transaction is what is in it. */
static const char *
contradiction(const struct csign_evidence *ev)
{
	const struct csign_exhibit *e = &ev->exhibit;
	const struct csign_transaction *t = &ev->question;

	if (t->enrolment)
		return "kind";
	if (strlen(e->question) != CSIGN_QUESTION_LEN ||
	    strncmp(e->question, t->nonce, CSIGN_QUESTION_LEN) != 0)
		return "question";
	if (strcmp(e->host, t->host) != 0)
		return "host";
	if (strcmp(e->user, t->user) != 0)
		return "user";
	return e->uid == t->uid ? NULL : "uid";
}

/* Could this be answered to that, with this code? */
static bool
choice_fits(const struct csign_evidence *ev, bool *ret_grants)
{
	const struct csign_transaction *t = &ev->question;
	const char *choice = ev->answer.choice;
	bool coded = ev->exhibit.code[0] != '\0';

	*ret_grants = false;
	if (strcmp(choice, "deny") == 0 || strcmp(choice, "not-me") == 0)
		return !coded;
	if (coded && strcmp(t->code, "inbox") != 0)
		return false;
	for (size_t i = 0; i < t->n_choices && !*ret_grants; i++)
		*ret_grants = strcmp(choice, t->choices[i]) == 0;
	return *ret_grants;
}

static enum csign_err
check_proof(const struct csign_evidence *ev, struct csign_crypto *crypto,
    struct csign_proof_facts *ret_facts)
{
	const struct csign_exhibit *e = &ev->exhibit;
	const struct csign_proof_policy policy = {
	    .kinds = CSIGN_KIND_BIT_WEBAUTHN | CSIGN_KIND_BIT_P256,
	    .wall_ms = e->checked_ms,
	    .counter = e->counter,
	};
	unsigned char challenge[CSIGN_CHALLENGE_LEN];
	char id[CSIGN_DEVICE_ID_SIZE];
	enum csign_err r = CSIGN_E_INTERNAL;

	if ((r = csign_device_id(crypto, ev->device.point, id)) != CSIGN_OK)
		return r;
	if (strcmp(id, ev->device.id) != 0)
		return CSIGN_E_PROOF_DEVICE;
	if ((r = csign_challenge(crypto, ev->answer.choice, e->transaction,
		 e->transaction_len, e->code, challenge)) != CSIGN_OK)
		return r;
	return csign_proof_check(
	    crypto, &ev->device, &ev->answer, challenge, &policy, ret_facts);
}

enum csign_err
csign_evidence_check(struct csign_ctx *ctx, struct csign_evidence *ev)
{
	struct csign_proof_facts facts = {0, 0};
	const char *wrong = NULL;
	enum csign_err r = CSIGN_E_INTERNAL;
	bool grants = false;

	if (ctx == NULL || ev == NULL)
		return CSIGN_E_INVALID;
	if ((wrong = contradiction(ev)) != NULL) {
		csign_why_set(&ctx->why,
		    "its %s is not the one of the question that was signed",
		    wrong);
		return CSIGN_E_FORMAT;
	}
	if (!choice_fits(ev, &grants))
		r = CSIGN_E_PROOF_CHOICE;
	else
		r = check_proof(ev, ctx->crypto, &facts);
	if (r != CSIGN_OK) {
		csign_why_set(&ctx->why, "%s", csign_err_text(r));
		return r;
	}
	ev->info.grants = grants;
	ev->info.flags = facts.flags;
	ev->info.counter = facts.counter;
	return CSIGN_OK;
}

enum csign_err
csign_device_known(struct csign_ctx *ctx, const char *user, const char *device,
    bool *ret_known)
{
	struct csign_device_list list = {NULL, 0};
	struct csign_account account;
	struct csign_state state;
	enum csign_err r = CSIGN_E_INTERNAL;

	if (!csign_ctx_enter(ctx) || user == NULL || device == NULL ||
	    ret_known == NULL)
		return CSIGN_E_INVALID;
	if ((r = csign_account_find(user, &account, &ctx->why)) != CSIGN_OK)
		return r;
	r = csign_devices_read(
	    ctx->crypto, ctx->settings.state_dir, &account, &list, &ctx->why);
	if (r == CSIGN_E_UNENROLLED)
		r = CSIGN_OK;
	if (r == CSIGN_OK)
		r = csign_state_peek(ctx->crypto, ctx->settings.state_dir,
		    &account, &state, &ctx->why);
	if (r == CSIGN_OK)
		*ret_known = csign_device_by_id(&list, device) != NULL ||
			     csign_state_is_gone(&state, device);
	csign_device_list_clear(&list);
	return r;
}
