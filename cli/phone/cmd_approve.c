/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * countersign-phone approve and deny: a question, the person's answer, and
 * what became of it.
 */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "reply.h"

#define PROMPT_MAX 1024

/* --- which answer ----------------------------------------------------------
 */

static enum csign_err
choice_prompt(const struct visit *visit, struct csign_buf *out)
{
	const struct csign_transaction *t = &visit->question.transaction;
	enum csign_err r = csign_buf_put_str(
	    out, "Your answer (" REPLY_DENY ", " REPLY_NOT_ME);

	for (size_t i = 0;
	     r == CSIGN_OK && i < t->n_choices && !reply_needs_scan(visit); i++)
		r = csign_buf_putf(out, ", %s", t->choices[i]);
	if (r == CSIGN_OK)
		r = csign_buf_put_str(out, ") [" REPLY_DENY "]: ");
	return r;
}

/* Until the line is one of the answers; an empty one denies. */
static enum tty_result
ask_choice(struct phone *phone, const struct csign_transaction *t,
    const char *prompt, struct reply *reply)
{
	enum tty_result result;

	do {
		result = phone_line(
		    phone, prompt, true, reply->choice, sizeof reply->choice);
		if (result == TTY_OK && reply->choice[0] == '\0')
			memcpy(reply->choice, REPLY_DENY, sizeof REPLY_DENY);
	} while (result == TTY_TOO_LONG ||
		 (result == TTY_OK && !reply_is_refusal(reply) &&
		     !reply_is_offered(t, reply->choice)));
	return result;
}

static enum out_status
ask_person(struct phone *phone, const struct visit *visit, struct reply *reply)
{
	struct csign_buf *prompt = NULL;
	enum tty_result result;
	enum csign_err r;

	if ((r = csign_buf_new(PROMPT_MAX, &prompt)) == CSIGN_OK)
		r = choice_prompt(visit, prompt);
	if (r != CSIGN_OK) {
		csign_buf_free(&prompt);
		return phone_fail(phone, r);
	}
	result = ask_choice(
	    phone, &visit->question.transaction, csign_buf_str(prompt), reply);
	csign_buf_free(&prompt);
	switch (result) {
	case TTY_OK:
		return STATUS_YES;
	case TTY_NONE:
		out_error("there is no terminal to ask on; use --yes");
		return STATUS_USAGE;
	case TTY_END:
	case TTY_TOO_LONG:
	case TTY_STOPPED:
		break;
	}
	out_error("not answered");
	return STATUS_NO;
}

/* From --choice and --yes, else from the person. */
static enum out_status
choose_answer(
    struct phone *phone, const struct visit *visit, struct reply *reply)
{
	const struct csign_transaction *t = &visit->question.transaction;
	const char *choice = phone->args->option[OPT_CHOICE];

	if (choice != NULL && !reply_is_offered(t, choice)) {
		out_error("the question does not offer that choice");
		return STATUS_USAGE;
	}
	if (!args_flag(phone->args, OPT_YES))
		return ask_person(phone, visit, reply);
	(void)snprintf(reply->choice, sizeof reply->choice, "%s",
	    choice != NULL ? choice : t->choices[0]);
	return STATUS_YES;
}

/* The outcome against what was wanted: a denial that took effect is a yes. */
static enum out_status
judge(const struct service_event *event, const struct reply *reply)
{
	const enum service_state wanted =
	    reply_is_refusal(reply) ? SERVICE_DENIED : SERVICE_GRANTED;

	if (event->state != wanted) {
		visit_explain(event);
		return STATUS_NO;
	}
	(void)puts(wanted == SERVICE_GRANTED ? "Granted." : "Denied.");
	return STATUS_YES;
}

/* --- the commands ----------------------------------------------------------
 */

enum out_status
approve_visit(struct phone *phone, struct visit *visit)
{
	struct reply reply = {.is_signed = false};
	struct service_event event;
	enum out_status status;

	if ((status = reply_device(phone, visit, &reply)) != STATUS_YES)
		return status;
	if (!reply.is_signed) {
		out_error("so it cannot approve; \"countersign-phone deny\" "
			  "ends the question");
		return STATUS_NO;
	}
	status = choose_answer(phone, visit, &reply);
	if (status == STATUS_YES)
		status = reply_complete(phone, visit, &reply, &event);
	if (status == STATUS_YES)
		status = judge(&event, &reply);
	/* granted is yes; a denial, however well it went, is not */
	if (status == STATUS_YES && reply_is_refusal(&reply))
		status = STATUS_NO;
	return status;
}

static enum out_status
deny_visit(struct phone *phone, struct visit *visit)
{
	struct reply reply = {.is_signed = false};
	struct service_event event;
	enum out_status status;

	(void)snprintf(reply.choice, sizeof reply.choice, "%s",
	    args_flag(phone->args, OPT_NOT_ME) ? REPLY_NOT_ME : REPLY_DENY);
	if (!args_flag(phone->args, OPT_UNSIGNED) &&
	    !visit->question.transaction.enrolment &&
	    (status = reply_device(phone, visit, &reply)) != STATUS_YES)
		return status;
	if (!reply.is_signed && strcmp(reply.choice, REPLY_DENY) != 0) {
		out_error("not-me needs a key of this user's");
		return STATUS_USAGE;
	}
	status = reply_send(phone, visit, &reply, &event);
	return status == STATUS_YES ? judge(&event, &reply) : status;
}

enum out_status
cmd_approve(const struct args *args)
{
	const char *code = args->option[OPT_CODE];

	if (args_flag(args, OPT_INBOX))
		return inbox_command(args, approve_visit);
	if (code != NULL && strcmp(code, "-") == 0 &&
	    (args->n_operands == 0 || strcmp(args->operand[0], "-") == 0)) {
		out_error("standard input cannot be both: link and code");
		return STATUS_USAGE;
	}
	return visit_command(args, VISIT_APPROVAL, approve_visit);
}

enum out_status
cmd_deny(const struct args *args)
{
	if (args_flag(args, OPT_INBOX))
		return inbox_command(args, deny_visit);
	return visit_command(
	    args, VISIT_APPROVAL | VISIT_ENROLMENT, deny_visit);
}
