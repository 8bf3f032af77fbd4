/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "countersign.h"
#include "hostile_enrolment.h"

#define LIFETIME_MS 600000
#define GRACE_MS 2000

struct enrolling {
	struct play *play;
	const char *user;
	bool genuine;  /* a phone of the person's answers */
	bool onlooker; /* a stranger's does, who has seen the link */
	bool answered;
	enum csign_err end;
};

static void
answer_enrolment(struct enrolling *e, struct login *l)
{
	struct csign_buf *out = NULL;

	if (e->answered || csign_buf_new(CSIGN_ANSWER_MAX, &out) != CSIGN_OK)
		return;
	if (login_enrol(l, login_key(l, LOGIN_PHONE_STRANGER),
		login_seal_key(l, LOGIN_PHONE_STRANGER), out))
		e->answered = login_send_frame(l, CSIGN_FRAME_ANSWER, 0,
		    csign_buf_data(out), csign_buf_len(out));
	csign_buf_free(&out);
}

static uint32_t
enrol_courier(void *arg, struct login *l, enum login_moment moment)
{
	struct enrolling *e = arg;

	if (!e->genuine && !e->onlooker)
		return plays_go_on(e->play, moment);
	if (moment == LOGIN_STARTED) {
		(void)login_send_frame(l, CSIGN_FRAME_CREATED, 0, NULL, 0);
		return 100;
	}
	if (moment == LOGIN_WAITS && !e->answered)
		answer_enrolment(e, l);
	else if (moment == LOGIN_WAITS && e->genuine)
		(void)login_answer(l, LOGIN_PHONE_STRANGER, "approve");
	return LOGIN_NEVER;
}

/* begin, show, wait, compare, test, commit: as the programs do it. */
static int
enrol(void *arg, struct login *l)
{
	struct enrolling *e = arg;
	struct csign_ctx *ctx = NULL;
	struct csign_enrolment *en = NULL;
	struct csign_approval *test = NULL;
	uint32_t verdict = CSIGN_VERDICT_NONE;
	enum csign_err r;

	if ((r = csign_ctx_new(NULL, &ctx)) != CSIGN_OK ||
	    (r = csign_ctx_load(ctx, login_config_option(l) + strlen("config="),
		 NULL)) != CSIGN_OK ||
	    (r = csign_enrolment_begin(ctx, e->user, "root", NULL, &en)) !=
		CSIGN_OK)
		goto out;
	login_show(l, csign_enrolment_link(en));
	if ((r = csign_enrolment_wait(en, -1)) != CSIGN_OK ||
	    (r = csign_enrolment_accept(en, e->genuine)) != CSIGN_OK ||
	    (r = csign_enrolment_test(en, NULL, &test)) != CSIGN_OK)
		goto out;
	login_show(l, csign_approval_link(test));
	if ((r = csign_approval_wait(test, -1, &verdict)) == CSIGN_OK)
		r = verdict == CSIGN_VERDICT_GRANTED
			? csign_enrolment_commit(en, test)
			: CSIGN_E_INTERNAL;
out:
	csign_approval_free(&test);
	csign_enrolment_free(&en);
	csign_ctx_free(&ctx);
	e->end = r;
	return r == CSIGN_OK ? PAM_SUCCESS : PAM_AUTH_ERR;
}

/* Has one of them a device now that they had not before? */
static bool
device_added(struct login *l)
{
	char *carol = login_get(l, "store/devices/carol", NULL);
	bool added = carol != NULL || login_changed(l, LOGIN_DEVICES);

	free(carol);
	return added;
}

void
hostile_enrolment(struct play *p)
{
	struct login *l = p->moves.l;
	struct enrolling e = {.play = p,
	    .user = p->number % 2 == 0 ? "carol" : "alice",
	    .genuine = p->kind->codes == PLAY_GRANT,
	    .onlooker = p->kind->plan == NULL && p->kind->codes != PLAY_GRANT};
	const struct login_script script = {.service = "enroll",
	    .user = "alice",
	    .instead = enrol,
	    .courier = enrol_courier,
	    .arg = &e};

	p->result = login_run(l, &script);
	p->granted = device_added(l);
	p->right = e.genuine;
	if (!e.genuine)
		(void)snprintf(
		    p->against, sizeof(p->against), "a device was enrolled");
	if (p->granted != e.genuine ||
	    (p->result.code == PAM_SUCCESS) != e.genuine || p->result.stuck ||
	    p->result.ms > LIFETIME_MS + GRACE_MS ||
	    (!e.genuine && login_changed(l, LOGIN_STATE)))
		p->wrong = csign_err_name(e.end);
}
