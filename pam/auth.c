/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <security/pam_ext.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#include "auth.h"
#include "cmdline.h"
#include "countersign.h"
#include "enrol.h"
#include "items.h"
#include "log.h"
#include "opt.h"
#include "present.h"
#include "recover.h"
#include "refused.h"
#include "request.h"
#include "retcode.h"
#include "ring.h"
#include "wait.h"

#define FAIL_DELAY_USEC 2000000 /* RL-6 */

/* By which of the three ways somebody got in. */
enum method { BY_PHONE, BY_CODE, BY_NEW_PHONE };

struct auth {
	struct csign_person person; /* whoever sits in front of the program */
	struct csign_opt opt;
	struct csign_items items;
	struct csign_cmdline cmd;
	struct csign_request *req;
	struct csign_approval *ap;
	struct csign_recover recover;
	struct csign_enrol enrol;
	const char *asked; /* whose phone; points into items, or NULL */
	enum csign_stage stage;
	enum method method;
	/* For the log: a word of our own, and a sentence; or NULL. */
	const char *reason, *why;
	char wrong_options[512];
	bool proven;       /* a first factor was */
	bool unseen;       /* nobody sees the question (present = none) */
	bool codes;        /* recovery codes are taken, and can be asked for */
	bool by_code;      /* the person turned from the phone to a code */
	bool told;         /* the person knows already why it failed */
	bool service_away; /* so that no phone can be enrolled now */
	bool offered; /* to enrol a phone after a code; and how it ended: */
	enum csign_err offer_end;
	/* Refused with this handle before; how. */
	bool again;
	struct csign_refusal refusal;
};

/* A failure that the library has no name for. */
static enum csign_err
fail(struct auth *a, enum csign_err err, const char *reason, const char *why)
{
	a->reason = reason;
	a->why = why;
	return err;
}

static bool
setting_is(const struct auth *a, const char *key, const char *word)
{
	const char *value = csign_ctx_setting(a->person.ctx, key);

	return value != NULL && strcmp(value, word) == 0;
}

/* --- getting ready ---------------------------------------------------------
 */

static enum csign_err
load_items(struct auth *a)
{
	enum csign_err r = csign_items_load(a->person.pamh, &a->items);

	a->person.items = &a->items;
	if (r != CSIGN_E_INVALID)
		return r;
	a->stage = CSIGN_STAGE_TALK;
	return fail(a, r, "NO_USER", "the program names no user");
}

static enum csign_err
load_config(struct auth *a)
{
	const struct csign_log log = {csign_log_debug, a->person.pamh};
	enum csign_err r;

	if ((r = csign_ctx_new(a->opt.debug ? &log : NULL, &a->person.ctx)) !=
	    CSIGN_OK)
		return r;
	return csign_ctx_load(a->person.ctx, a->opt.config, a->items.service);
}

static enum csign_err
load_command(struct auth *a)
{
	enum csign_err (*parse)(
	    const char *args, size_t len, struct csign_cmdline *ret_cmd) = NULL;
	char *args = NULL;
	size_t len = 0;
	enum csign_err r;

	switch (a->items.caller) {
	case CSIGN_CALLER_SUDO:
		parse = csign_cmdline_sudo;
		break;
	case CSIGN_CALLER_DOAS:
		parse = csign_cmdline_doas;
		break;
	case CSIGN_CALLER_SU:
		parse = csign_cmdline_su;
		break;
	case CSIGN_CALLER_SSH:
	case CSIGN_CALLER_LOGIN:
	case CSIGN_CALLER_OTHER:
		break;
	}
	if (parse == NULL)
		return CSIGN_OK;
	if ((r = csign_cmdline_read(&args, &len)) != CSIGN_OK)
		return fail(a, r, NULL, "the command line cannot be read");
	r = parse(args, len, &a->cmd);
	free(args);
	return r;
}

/* Nobody there to show the challenge to: then no phone rings (UX-11). */
static enum csign_err
check_somebody_there(struct auth *a)
{
	if (a->items.caller != CSIGN_CALLER_SUDO &&
	    a->items.caller != CSIGN_CALLER_SU)
		return CSIGN_OK;
	if (a->items.tty[0] != '\0' && !a->cmd.non_interactive)
		return CSIGN_OK;
	a->stage = CSIGN_STAGE_TALK;
	return fail(a, CSIGN_E_INVALID, "NO_TERMINAL",
	    "no terminal, or sudo -n: nobody can be asked");
}

static enum csign_err
load_question(struct auth *a)
{
	enum csign_err r;

	a->proven = a->opt.after_first_factor || csign_items_passed(&a->items);
	if ((r = csign_question_asked(
		 a->person.ctx, &a->items, &a->asked, &a->why)) != CSIGN_OK)
		return r;
	/* What was proven is the other account's (identity = ruser). */
	if (strcmp(a->asked, a->items.user) != 0)
		a->proven = false;
	if ((r = csign_question_new(a->person.ctx, &a->items, a->asked,
		 a->proven, &a->cmd, &a->req)) != CSIGN_OK)
		return r;
	csign_request_set_push(
	    a->req, csign_may_ring(&a->person, a->asked, a->proven));
	return CSIGN_OK;
}

static enum csign_err
prepare(struct auth *a, int argc, const char *const *argv)
{
	enum csign_err r;

	a->stage = CSIGN_STAGE_SETUP;
	if ((r = csign_opt_parse(argc, argv, &a->opt, a->wrong_options,
		 sizeof(a->wrong_options))) != CSIGN_OK)
		return fail(a, r, "OPTIONS", a->wrong_options);
	if ((r = load_items(a)) != CSIGN_OK ||
	    (r = load_config(a)) != CSIGN_OK ||
	    (r = load_command(a)) != CSIGN_OK ||
	    (r = check_somebody_there(a)) != CSIGN_OK ||
	    (r = load_question(a)) != CSIGN_OK)
		return r;
	a->unseen = !csign_present_is_shown(&a->person);
	a->again =
	    csign_refused_before(a->person.pamh, a->items.user, &a->refusal);
	a->codes = setting_is(a, "recovery", "yes") &&
		   csign_present_can_ask(&a->person);
	return CSIGN_OK;
}

/* PAM-5: whoever was asked about must be who gets in. */
static bool
has_changed(struct auth *a)
{
	if (csign_items_unchanged(a->person.pamh, &a->items))
		return false;
	a->stage = CSIGN_STAGE_GRANT;
	a->reason = "CHANGED";
	a->why = "user or service changed during the authentication";
	return true;
}

static enum csign_err
check_unchanged(struct auth *a)
{
	return has_changed(a) ? CSIGN_E_INVALID : CSIGN_OK;
}

/* --- the phone -------------------------------------------------------------
 */

/*
 * Where nobody sees the challenge (present = none), only a phone that rings can
 * answer.  Not before the library has been asked: it may let the account pass.
 */
static enum csign_err
check_somebody_asked(struct auth *a)
{
	if (!a->unseen || csign_approval_rings(a->ap) >= 0)
		return CSIGN_OK;
	a->stage = CSIGN_STAGE_TALK;
	return fail(a, CSIGN_E_INVALID, "NOBODY_ASKED",
	    "present = none, and no phone rings: nobody can answer");
}

static enum csign_err
show(struct auth *a)
{
	const struct csign_challenge challenge = {
	    .link = csign_approval_link(a->ap),
	    .seconds = csign_approval_seconds_left(a->ap),
	    .lead = csign_approval_push_note(a->ap),
	    .where = "on your phone",
	    .done = "approved",
	    .digits = csign_approval_code(a->ap),
	    .tap = csign_approval_rings(a->ap) >= 0,
	    .code = a->codes,
	    .code_by_key = a->codes && csign_wait_can_be_left(),
	};
	enum csign_err r;

	a->stage = CSIGN_STAGE_TALK;
	r = csign_present_challenge(&a->person, &challenge, &a->recover.typed);
	if (r != CSIGN_OK)
		return fail(a, r, "CONVERSATION",
		    a->items.caller == CSIGN_CALLER_SSH
			? "the challenge cannot be shown: sshd needs "
			  "KbdInteractiveAuthentication yes, the password "
			  "method cannot show it"
			: "the challenge cannot be shown");
	a->by_code = a->codes && csign_recover_is_try(&a->recover.typed);
	if (!a->by_code) /* anything else means "wait" */
		csign_reply_clear(&a->recover.typed);
	return CSIGN_OK;
}

struct look {
	struct csign_approval *ap;
	uint32_t *ret_verdict;
};

static enum csign_err
look(void *arg)
{
	const struct look *l = arg;

	return csign_approval_wait(l->ap, 0, l->ret_verdict);
}

static enum csign_err
wait_for_phone(struct auth *a, uint32_t *ret_verdict)
{
	struct look arg = {a->ap, ret_verdict};
	const struct csign_wait wait = {
	    .fd = csign_approval_fd(a->ap),
	    .seconds = csign_approval_seconds_left(a->ap),
	    .look = look,
	    .arg = &arg,
	    .may_be_left = a->codes,
	};

	return csign_wait(&wait, &a->by_code);
}

/* What the call before this one came to. */
static enum csign_err
recall(struct auth *a)
{
	a->stage = a->refusal.stage;
	a->recover.wrong = a->refusal.wrong_codes;
	return fail(a, a->refusal.err, "AGAIN",
	    "the question was put before and is not put again");
}

/* a->by_code with CSIGN_E_INTERRUPTED: the person would rather give a code. */
static enum csign_err
ask_phone(struct auth *a, uint32_t *ret_verdict)
{
	enum csign_err r;

	a->stage = CSIGN_STAGE_ASK;
	a->method = BY_PHONE;
	if ((r = csign_approval_begin(a->person.ctx, a->req, &a->ap)) !=
		CSIGN_OK ||
	    (r = check_somebody_asked(a)) != CSIGN_OK ||
	    (r = show(a)) != CSIGN_OK || (r = check_unchanged(a)) != CSIGN_OK)
		return r;
	a->stage = CSIGN_STAGE_WAIT;
	if (a->by_code)
		return CSIGN_E_INTERRUPTED;
	return wait_for_phone(a, ret_verdict);
}

/* --- a recovery code -------------------------------------------------------
 */

/*
 * A question that nobody could answer, for an account that is none or has no
 * device, ends before people's eyes like any other (RL-7).
 */
static enum csign_err
visible(const struct auth *a, enum csign_err r)
{
	if (a->stage == CSIGN_STAGE_WAIT &&
	    (r == CSIGN_E_UNKNOWN_USER || r == CSIGN_E_UNENROLLED))
		return CSIGN_E_EXPIRED;
	return r;
}

/*
 * sudo calls again by itself, where others ask for the name first: whoever has
 * given up there shall not have to do it three times.
 */
static bool
may_give_code(const struct auth *a, enum csign_err end)
{
	if (!a->codes || (a->again && a->items.caller == CSIGN_CALLER_SUDO))
		return false;
	return (a->by_code && end == CSIGN_E_INTERRUPTED) ||
	       csign_recover_may_follow(visible(a, end), a->stage);
}

/* In place of the question that came to this end, which stays if it is none. */
static enum csign_err
ask_code(struct auth *a, enum csign_err end, uint32_t *ret_verdict)
{
	const unsigned int wrong = a->recover.wrong;
	enum csign_err r;

	csign_approval_free(&a->ap); /* over, at the service too */
	a->service_away = end == CSIGN_E_SERVICE || end == CSIGN_E_COURIER ||
			  end == CSIGN_E_SERVICE_REFUSED;
	if (!a->by_code && !a->again) {
		csign_present_failure(&a->person, visible(a, end), a->asked);
		a->told = true;
	}
	a->recover.person = &a->person;
	a->recover.req = a->req;
	r = csign_recover(&a->recover, ret_verdict);
	if (r == CSIGN_E_RECOVERY && a->recover.wrong == wrong)
		return end;
	a->stage = CSIGN_STAGE_CODE;
	a->method = BY_CODE;
	a->again = false;
	a->told = r == CSIGN_E_RECOVERY;
	a->reason = a->why = NULL;
	if (r == CSIGN_E_INVALID)
		(void)has_changed(a);
	return r;
}

/* --- a phone that is enrolled now ------------------------------------------
 */

/* The account's first one, before it gets in. */
static enum csign_err
enrol_phone(struct auth *a, uint32_t *ret_verdict)
{
	enum csign_err r;

	if (!csign_present_can_ask(&a->person))
		return CSIGN_E_ENROLL;
	a->stage = CSIGN_STAGE_ENROL;
	a->method = BY_NEW_PHONE;
	a->enrol.person = &a->person;
	a->enrol.user = a->asked;
	a->enrol.question = a->req;
	r = csign_enrol(&a->enrol, ret_verdict);
	a->told = r != CSIGN_OK;
	if (r == CSIGN_E_INVALID)
		(void)has_changed(a);
	return r;
}

/* One in place of the lost one, after a code; how it ends changes no grant. */
static void
offer_phone(struct auth *a)
{
	if (a->service_away || !setting_is(a, "recovery_enroll", "yes") ||
	    (csign_items_remote(&a->items) && !a->proven))
		return;
	a->offered = true;
	a->offer_end = csign_enrol_offer(&a->person, a->asked, a->enrol.name);
}

/* --- all together ----------------------------------------------------------
 */

/*
 * What the person is told after a yes, with PAM_SILENT too, which sudo always
 * sets: the name of a device that is not one's own is an alarm (UX-10).
 */
static void
tell_grant(struct auth *a)
{
	int left;

	switch (a->method) {
	case BY_PHONE:
		csign_present_grant(&a->person, csign_approval_device(a->ap));
		if (a->codes && (left = csign_approval_codes_left(a->ap)) >= 0)
			csign_recover_say_left(&a->person, (size_t)left);
		return;
	case BY_NEW_PHONE:
		csign_present_grant(&a->person, a->enrol.name);
		return;
	case BY_CODE:
		csign_recover_say_left(&a->person, a->recover.left);
		offer_phone(a);
	}
}

/*
 * CSIGN_OK and *verdict == CSIGN_VERDICT_GRANTED: the phone said yes, or a
 * recovery code was used up, and nothing has changed under us.
 */
static enum csign_err
decide(struct auth *a, int argc, const char *const *argv,
    volatile uint32_t *verdict)
{
	uint32_t v = CSIGN_VERDICT_NONE;
	enum csign_err r;

	if ((r = prepare(a, argc, argv)) != CSIGN_OK)
		return r;
	r = a->again ? recall(a) : ask_phone(a, &v);
	if (r == CSIGN_E_ENROLL && a->stage == CSIGN_STAGE_ASK && !a->again)
		r = enrol_phone(a, &v);
	else if (may_give_code(a, r))
		r = ask_code(a, r, &v);
	if (r != CSIGN_OK)
		return r;
	if (v != CSIGN_VERDICT_GRANTED)
		return CSIGN_E_INTERNAL;
	tell_grant(a);
	/* That was a conversation again, so this comes last (PAM-5). */
	if ((r = check_unchanged(a)) != CSIGN_OK)
		return r;
	*verdict = v;
	return CSIGN_OK;
}

/* --- what is said about it --------------------------------------------------
 */

struct event {
	const char *name;
	int priority;
};

/* A no to somebody, and not trouble. */
static bool
is_refusal(int code)
{
	return code == PAM_AUTH_ERR || code == PAM_MAXTRIES ||
	       code == PAM_USER_UNKNOWN;
}

static struct event
failure_event(int code)
{
	if (is_refusal(code))
		return (struct event){"auth_deny", LOG_NOTICE};
	return (struct event){"auth_trouble", LOG_ERR};
}

/*
 * The library's sentence on a failure.  Not for a name that is no account: it
 * may be a password typed at the wrong prompt, and is written nowhere.
 */
static const char *
sentence(const struct auth *a)
{
	if (a->why != NULL)
		return a->why;
	return a->person.ctx != NULL && a->items.known
		   ? csign_ctx_why(a->person.ctx)
		   : NULL;
}

static void
add_items(const struct auth *a, struct csign_line *line)
{
	const struct csign_items *items = &a->items;
	const char *address = items->ssh_address;

	csign_line_add(line, "service", items->service);
	if (items->known) {
		csign_line_add(line, "user", items->user);
		if (a->asked != items->user)
			csign_line_add(line, "asked", a->asked);
	}
	csign_line_add(line, "rhost",
	    address == NULL || address[0] == '\0' ? items->rhost : address);
	csign_line_add(line, "tty", items->tty);
}

static void
log_failure(const struct auth *a, enum csign_err r, int code)
{
	const struct event event = failure_event(code);
	struct csign_line line = {.len = 0};

	csign_line_add(&line, "event", event.name);
	csign_line_add(
	    &line, "reason", a->reason != NULL ? a->reason : csign_err_name(r));
	csign_line_add(&line, "code", csign_pam_name(code));
	csign_line_add(&line, "stage", csign_stage_name(a->stage));
	add_items(a, &line);
	csign_line_add(&line, "why", sentence(a));
	csign_line_write(a->person.pamh, event.priority, &line);
}

/* By which way, with what goes with it. */
static void
add_method(const struct auth *a, struct csign_line *line)
{
	char left[24];

	switch (a->method) {
	case BY_PHONE:
		csign_line_add(line, "method", "phone");
		csign_line_add(line, "device", csign_approval_device(a->ap));
		return;
	case BY_NEW_PHONE:
		csign_line_add(line, "method", "enrolment");
		csign_line_add(line, "device", a->enrol.name);
		return;
	case BY_CODE:
		csign_line_add(line, "method", "recovery");
		(void)snprintf(left, sizeof(left), "%zu", a->recover.left);
		csign_line_add(line, "codes_left", left);
		if (!a->offered)
			return;
		csign_line_add(line, "enrolment", csign_err_name(a->offer_end));
		csign_line_add(line, "new_device", a->enrol.name);
	}
}

/* Granted, or not asked. */
static void
log_passage(const struct auth *a, const char *event, enum csign_err r)
{
	struct csign_line line = {.len = 0};

	csign_line_add(&line, "event", event);
	csign_line_add(&line, "reason", csign_err_name(r));
	if (r == CSIGN_OK)
		add_method(a, &line);
	add_items(a, &line);
	csign_line_write(a->person.pamh, LOG_INFO, &line);
}

/*
 * Where nobody types, ssh(1) puts a question again by itself: three rings for
 * one login whose owner is away, and then a pause.  So its end is final (TX-7).
 */
static int
code_of(const struct auth *a, enum csign_err r)
{
	int code = csign_to_pam(r, a->stage);

	if (a->unseen && (code == PAM_AUTH_ERR || code == PAM_CONV_ERR))
		return PAM_MAXTRIES;
	return code;
}

/* Everything that follows a failure except the return. */
static int
refuse(struct auth *a, enum csign_err r)
{
	const struct csign_refusal refusal = {r, a->stage, a->recover.wrong};
	int code = code_of(a, r);

	log_failure(a, r, code);
	if (a->again)
		return code;
	if (a->stage != CSIGN_STAGE_TALK && !a->told)
		csign_present_failure(&a->person, visible(a, r), a->asked);
	if (a->stage != CSIGN_STAGE_SETUP && a->stage != CSIGN_STAGE_TALK &&
	    a->stage != CSIGN_STAGE_GRANT)
		csign_refused_remember(a->person.pamh, a->items.user, &refusal);
	/*
	 * Nothing was guessed where nobody was asked or nobody waits; and who
	 * is told that the service is away shall be told so at once.
	 */
	if (is_refusal(code) && r != CSIGN_E_INTERRUPTED)
		(void)pam_fail_delay(a->person.pamh, FAIL_DELAY_USEC);
	return code;
}

static void
clear(struct auth *a)
{
	csign_approval_free(&a->ap);
	csign_request_free(&a->req);
	csign_ctx_free(&a->person.ctx);
	csign_reply_clear(&a->recover.typed);
	csign_cmdline_clear(&a->cmd);
	csign_items_clear(&a->items);
}

int
csign_authenticate(pam_handle_t *pamh, int argc, const char *const *argv)
{
	struct auth a = {.person = {.pamh = pamh}};
	volatile uint32_t verdict = CSIGN_VERDICT_NONE;
	volatile enum csign_err r;
	int code = PAM_SYSTEM_ERR;

	r = decide(&a, argc, argv, &verdict);
	if (r == CSIGN_OK && verdict == CSIGN_VERDICT_GRANTED)
		log_passage(&a, "auth_grant", r);
	else if (r == CSIGN_E_EXEMPT && a.stage == CSIGN_STAGE_ASK)
		log_passage(&a, "auth_ignore", r);
	else
		code = refuse(&a, r);
	clear(&a);

	/* Both looked at again, so that no single fault says yes (SIG-6). */
	if (r == CSIGN_OK && verdict == CSIGN_VERDICT_GRANTED)
		return PAM_SUCCESS;
	if (r == CSIGN_E_EXEMPT && a.stage == CSIGN_STAGE_ASK)
		return PAM_IGNORE;
	return code;
}
