/* SPDX-License-Identifier: BSD-2-Clause */
/* A phone at a login: it scans what was shown, opens what was sent, signs. */
#include "config.h"

#include <stdlib.h>

#include "login_impl.h"
#include "phone.h"

/* Scans, and opens what the service would give it. */
static bool
scan(struct login *l, struct csign_link **ret_link,
    struct csign_question *ret_question)
{
	char *origin = NULL;

	if (login_job(l) == NULL ||
	    csign_link_parse(l->crypto, l->link, ret_link, &origin) != CSIGN_OK)
		return false;
	free(origin);
	if (csign_question_open(l->crypto, *ret_link, l->job.content,
		l->job.content_len, ret_question) == CSIGN_OK)
		return true;
	csign_link_free(ret_link);
	return false;
}

static uint64_t
wall_ms(const struct login *l)
{
	return login_wall(l) * 1000 + l->now_us / 1000 % 1000;
}

bool
login_sign(struct login *l, const struct csign_p256 *key, const char *choice,
    const char *code, struct csign_buf *out)
{
	return login_sign_at(l, key, choice, code, 0, out);
}

bool
login_sign_at(struct login *l, const struct csign_p256 *key, const char *choice,
    const char *code, int64_t ahead_ms, struct csign_buf *out)
{
	struct csign_question question = {.bytes = NULL};
	struct csign_link *link = NULL;
	enum csign_err r = CSIGN_E_INTERNAL;

	l->backstage++;
	if (scan(l, &link, &question))
		r = csign_phone_answer(l->crypto, link, &question, key, choice,
		    code, wall_ms(l) + (uint64_t)ahead_ms, out);
	csign_question_clear(&question);
	csign_link_free(&link);
	l->backstage--;
	return r == CSIGN_OK;
}

bool
login_decline(struct login *l, struct csign_buf *out)
{
	struct csign_question question = {.bytes = NULL};
	struct csign_link *link = NULL;
	enum csign_err r = CSIGN_E_INTERNAL;

	l->backstage++;
	if (scan(l, &link, &question))
		r = csign_phone_decline(l->crypto, link, out);
	csign_question_clear(&question);
	csign_link_free(&link);
	l->backstage--;
	return r == CSIGN_OK;
}

bool
login_enrol(struct login *l, const struct csign_p256 *key,
    const struct csign_p256 *seal_key, struct csign_buf *out)
{
	struct csign_question question = {.bytes = NULL};
	struct csign_link *link = NULL;
	enum csign_err r = CSIGN_E_INTERNAL;

	l->backstage++;
	if (scan(l, &link, &question))
		r = csign_phone_enrol(l->crypto, link, &question, key, seal_key,
		    "new phone", wall_ms(l), out);
	csign_question_clear(&question);
	csign_link_free(&link);
	l->backstage--;
	return r == CSIGN_OK;
}

bool
login_answer(struct login *l, enum login_phone phone, const char *choice)
{
	struct csign_buf *out = NULL;
	bool sent = false;

	l->backstage++;
	if (csign_buf_new(CSIGN_ANSWER_MAX, &out) != CSIGN_OK)
		login_fail("memory");
	if (login_sign(l, l->keys[phone], choice, "", out))
		sent = login_send_frame(l, CSIGN_FRAME_ANSWER, 0,
		    csign_buf_data(out), csign_buf_len(out));
	csign_buf_free(&out);
	l->backstage--;
	return sent;
}
