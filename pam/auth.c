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
#include "items.h"
#include "log.h"
#include "opt.h"
#include "present.h"
#include "refused.h"
#include "request.h"
#include "retcode.h"
#include "wait.h"

#define FAIL_DELAY_USEC 2000000 /* RL-6 */

struct auth {
	pam_handle_t *pamh;
	int flags;
	struct csign_opt opt;
	struct csign_items items;
	struct csign_cmdline cmd;
	struct csign_ctx *ctx;
	struct csign_request *req;
	struct csign_approval *ap;
	const char *asked; /* whose phone; points into items, or NULL */
	enum csign_stage stage;
	/* For the log: a word of our own, and a sentence; or NULL. */
	const char *reason, *why;
	char wrong_options[512];
	bool again; /* refused with this handle before */
	int again_code;
};

/* A failure that the library has no name for. */
static enum csign_err
fail(struct auth *a, enum csign_err err, const char *reason, const char *why)
{
	a->reason = reason;
	a->why = why;
	return err;
}

/* --- one step after the other ----------------------------------------------
 */

static enum csign_err
load_items(struct auth *a)
{
	enum csign_err r = csign_items_load(a->pamh, &a->items);

	if (r != CSIGN_E_INVALID)
		return r;
	a->stage = CSIGN_STAGE_TALK;
	return fail(a, r, "NO_USER", "the program names no user");
}

static enum csign_err
load_config(struct auth *a)
{
	const struct csign_log log = {csign_log_debug, a->pamh};
	enum csign_err r;

	if ((r = csign_ctx_new(a->opt.debug ? &log : NULL, &a->ctx)) !=
	    CSIGN_OK)
		return r;
	return csign_ctx_load(a->ctx, a->opt.config, a->items.service);
}

static enum csign_err
load_command(struct auth *a)
{
	char *args = NULL;
	size_t len = 0;
	enum csign_err r;

	if (a->items.caller != CSIGN_CALLER_SUDO &&
	    a->items.caller != CSIGN_CALLER_SU)
		return CSIGN_OK;
	if ((r = csign_cmdline_read(&args, &len)) != CSIGN_OK)
		return fail(a, r, NULL, "the command line cannot be read");
	r = a->items.caller == CSIGN_CALLER_SU
		? csign_cmdline_su(args, len, &a->cmd)
		: csign_cmdline_sudo(args, len, &a->cmd);
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
prepare(struct auth *a, int argc, const char *const *argv)
{
	enum csign_err r;

	a->stage = CSIGN_STAGE_SETUP;
	if ((r = csign_opt_parse(argc, argv, &a->opt, a->wrong_options,
		 sizeof(a->wrong_options))) != CSIGN_OK)
		return fail(a, r, "OPTIONS", a->wrong_options);
	if ((r = load_items(a)) != CSIGN_OK)
		return r;
	if (csign_refused_before(a->pamh, a->items.user, &a->again_code)) {
		a->again = true;
		return fail(a, CSIGN_E_DENIED, "AGAIN",
		    "the question was put before and is not put again");
	}
	if ((r = load_config(a)) != CSIGN_OK ||
	    (r = load_command(a)) != CSIGN_OK ||
	    (r = check_somebody_there(a)) != CSIGN_OK)
		return r;
	if ((r = csign_question_asked(a->ctx, &a->items, &a->asked, &a->why)) !=
	    CSIGN_OK)
		return r;
	return csign_question_new(
	    a->ctx, &a->items, a->asked, &a->cmd, &a->req);
}

static enum csign_err
show(struct auth *a)
{
	enum csign_err r;

	a->stage = CSIGN_STAGE_TALK;
	r = csign_present_challenge(a->pamh, a->ctx, &a->items, a->ap);
	if (r == CSIGN_OK)
		return CSIGN_OK;
	return fail(a, r, "CONVERSATION",
	    a->items.caller == CSIGN_CALLER_SSH
		? "the challenge cannot be shown: sshd needs "
		  "KbdInteractiveAuthentication yes, the password method "
		  "cannot show it"
		: "the challenge cannot be shown");
}

static enum csign_err
check_unchanged(struct auth *a)
{
	a->stage = CSIGN_STAGE_GRANT;
	if (csign_items_unchanged(a->pamh, &a->items))
		return CSIGN_OK;
	return fail(a, CSIGN_E_INVALID, "CHANGED",
	    "user or service changed during the authentication");
}

/*
 * CSIGN_OK and *verdict == CSIGN_VERDICT_GRANTED: the phone said yes, and
 * nothing has changed under us.
 */
static enum csign_err
decide(struct auth *a, int argc, const char *const *argv,
    volatile uint32_t *verdict)
{
	uint32_t v = CSIGN_VERDICT_NONE;
	enum csign_err r;

	if ((r = prepare(a, argc, argv)) != CSIGN_OK)
		return r;
	a->stage = CSIGN_STAGE_ASK;
	if ((r = csign_approval_begin(a->ctx, a->req, &a->ap)) != CSIGN_OK ||
	    (r = show(a)) != CSIGN_OK || (r = check_unchanged(a)) != CSIGN_OK)
		return r;
	a->stage = CSIGN_STAGE_WAIT;
	if ((r = csign_wait(a->ap, &v)) != CSIGN_OK)
		return r;
	if (v != CSIGN_VERDICT_GRANTED)
		return CSIGN_E_INTERNAL;
	if ((a->flags & (int)PAM_SILENT) == 0)
		csign_present_grant(a->pamh, csign_approval_device(a->ap));
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
	return a->ctx != NULL && a->items.known ? csign_ctx_why(a->ctx) : NULL;
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
	csign_line_write(a->pamh, event.priority, &line);
}

/* Granted, or not asked. */
static void
log_passage(const struct auth *a, const char *event, enum csign_err r)
{
	struct csign_line line = {.len = 0};

	csign_line_add(&line, "event", event);
	csign_line_add(&line, "reason", csign_err_name(r));
	add_items(a, &line);
	if (a->ap != NULL)
		csign_line_add(&line, "device", csign_approval_device(a->ap));
	csign_line_write(a->pamh, LOG_INFO, &line);
}

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

/* Everything that follows a failure except the return. */
static int
refuse(struct auth *a, enum csign_err r)
{
	int code = a->again ? a->again_code : csign_to_pam(r, a->stage);

	log_failure(a, r, code);
	if (a->again)
		return code;
	if (a->stage != CSIGN_STAGE_TALK)
		csign_present_failure(a->pamh, visible(a, r), a->asked);
	if (a->stage == CSIGN_STAGE_ASK || a->stage == CSIGN_STAGE_WAIT)
		csign_refused_remember(a->pamh, a->items.user, code);
	/*
	 * Nothing was guessed where nobody was asked or nobody waits; and who
	 * is told that the service is away shall be told so at once.
	 */
	if (is_refusal(code) && r != CSIGN_E_INTERRUPTED)
		(void)pam_fail_delay(a->pamh, FAIL_DELAY_USEC);
	return code;
}

static void
clear(struct auth *a)
{
	csign_approval_free(&a->ap);
	csign_request_free(&a->req);
	csign_ctx_free(&a->ctx);
	csign_cmdline_clear(&a->cmd);
	csign_items_clear(&a->items);
}

int
csign_authenticate(
    pam_handle_t *pamh, int flags, int argc, const char *const *argv)
{
	struct auth a = {.pamh = pamh, .flags = flags};
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
