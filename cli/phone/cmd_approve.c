/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * countersign-phone approve and deny: a question, the person's answer, and
 * what became of it.
 */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "../tty.h"
#include "cmd.h"
#include "question.h"
#include "visit.h"

#define DENY "deny"
#define NOT_ME "not-me"
#define PROMPT_MAX 1024

/* An answer as it takes shape. */
struct reply {
	char choice[CSIGN_CHOICE_MAX + 1];
	char code[CSIGN_CODE_LEN + 1];
	bool is_signed;
	char device[CSIGN_DEVICE_ID_SIZE]; /* if it is signed */
};

static bool
is_refusal(const char *choice)
{
	return strcmp(choice, DENY) == 0 || strcmp(choice, NOT_ME) == 0;
}

static bool
is_offered(const struct csign_transaction *t, const char *choice)
{
	for (size_t i = 0; i < t->n_choices; i++)
		if (strcmp(t->choices[i], choice) == 0)
			return true;
	return false;
}

/* --- which device ----------------------------------------------------------
 */

/*
 * The device that signs: the remembered one, or the one that --device names.
 * Without one only an unsigned denial is possible (countersign-security(7)
 * UX-4).
 */
static enum out_status
choose_device(
    struct phone *phone, const struct visit *visit, struct reply *reply)
{
	const char *wanted = phone->args->option[OPT_DEVICE];
	struct store_entry entry = visit->entry;
	enum csign_err r;

	reply->is_signed = true;
	if (wanted != NULL) {
		r = store_get(phone->store, wanted, &phone->why, &entry);
		if (r != CSIGN_OK)
			return phone_fail(phone, r);
	} else if (visit->memory != STORE_KNOWN) {
		reply->is_signed = false;
		return STATUS_YES;
	}
	memcpy(reply->device, entry.id, sizeof reply->device);
	return STATUS_YES;
}

/* --- which answer ----------------------------------------------------------
 */

static enum csign_err
choice_prompt(const struct csign_transaction *t, struct csign_buf *out)
{
	enum csign_err r =
	    csign_buf_put_str(out, "Your answer (" DENY ", " NOT_ME);

	for (size_t i = 0; r == CSIGN_OK && i < t->n_choices; i++)
		r = csign_buf_putf(out, ", %s", t->choices[i]);
	if (r == CSIGN_OK)
		r = csign_buf_put_str(out, ") [" DENY "]: ");
	return r;
}

/* Until the line is one of the answers; an empty one denies. */
static enum tty_result
ask_choice(const struct phone *phone, const struct csign_transaction *t,
    const char *prompt, struct reply *reply)
{
	char line[CSIGN_CHOICE_MAX + 1];
	enum tty_result result;

	do {
		result =
		    tty_line(prompt, true, phone->stop_fd, line, sizeof line);
		if (result == TTY_OK && line[0] == '\0')
			memcpy(line, DENY, sizeof DENY);
	} while (
	    result == TTY_TOO_LONG ||
	    (result == TTY_OK && !is_refusal(line) && !is_offered(t, line)));
	if (result == TTY_OK)
		memcpy(reply->choice, line, sizeof line);
	return result;
}

static enum out_status
ask_person(const struct phone *phone, const struct csign_transaction *t,
    struct reply *reply)
{
	struct csign_buf *prompt = NULL;
	enum tty_result result;
	enum csign_err r;

	if ((r = csign_buf_new(PROMPT_MAX, &prompt)) == CSIGN_OK)
		r = choice_prompt(t, prompt);
	if (r != CSIGN_OK) {
		csign_buf_free(&prompt);
		return phone_fail(phone, r);
	}
	result = ask_choice(phone, t, csign_buf_str(prompt), reply);
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

	if (choice != NULL && !is_offered(t, choice)) {
		out_error("the question does not offer that choice");
		return STATUS_USAGE;
	}
	if (!args_flag(phone->args, OPT_YES))
		return ask_person(phone, t, reply);
	(void)snprintf(reply->choice, sizeof reply->choice, "%s",
	    choice != NULL ? choice : t->choices[0]);
	return STATUS_YES;
}

static bool
code_valid(const char *code)
{
	return strspn(code, "0123456789") == CSIGN_CODE_LEN &&
	       code[CSIGN_CODE_LEN] == '\0';
}

/*
 * The six digits.  The link was scanned, so that only "always" needs them; a
 * person may give them for "inbox" too.
 */
static enum out_status
choose_code(struct phone *phone, const struct visit *visit, struct reply *reply)
{
	const char *rule = visit->question.transaction.code;
	const char *code = phone->args->option[OPT_CODE];
	bool always = strcmp(rule, "always") == 0;
	char line[16];

	if (code == NULL && !always)
		return STATUS_YES;
	if (code != NULL && !always && strcmp(rule, "inbox") != 0) {
		out_error("this question takes no code");
		return STATUS_USAGE;
	}
	if (code == NULL) {
		if (tty_line("The six digits that the terminal shows: ", true,
			phone->stop_fd, line, sizeof line) != TTY_OK) {
			out_error("this question needs the code that the "
				  "terminal shows; see --code");
			return STATUS_NO;
		}
		code = line;
	}
	if (!code_valid(code)) {
		out_error("a code is six digits");
		return STATUS_USAGE;
	}
	memcpy(reply->code, code, sizeof reply->code);
	return STATUS_YES;
}

/* --- sending it ------------------------------------------------------------
 */

static enum out_status
sign(struct phone *phone, const struct visit *visit, const struct reply *reply,
    struct csign_buf *answer)
{
	struct csign_p256 *key = NULL;
	enum out_status status;
	enum csign_err r;
	uint64_t now = 0;

	if (visit->key == NULL &&
	    (status = phone_key(phone, reply->device, &key)) != STATUS_YES)
		return status;
	if ((r = csign_clock_wall(&now)) == CSIGN_OK)
		r = csign_phone_answer(phone->crypto, visit->link,
		    &visit->question, visit->key != NULL ? visit->key : key,
		    reply->choice, reply->code, now, answer);
	csign_p256_free(&key);
	if (r == CSIGN_OK)
		return STATUS_YES;
	(void)phone_fail(phone, r);
	return STATUS_TROUBLE;
}

/* The outcome against what was wanted: a denial that took effect is a yes. */
static enum out_status
judge(const struct service_event *event, const struct reply *reply)
{
	const enum service_state wanted =
	    is_refusal(reply->choice) ? SERVICE_DENIED : SERVICE_GRANTED;

	if (event->state != wanted) {
		visit_explain(event);
		return STATUS_NO;
	}
	(void)puts(wanted == SERVICE_GRANTED ? "Granted." : "Denied.");
	return STATUS_YES;
}

static enum out_status
answer(struct phone *phone, struct visit *visit, const struct reply *reply)
{
	struct csign_buf *bytes = NULL;
	struct service_event event;
	enum out_status status;
	enum csign_err r;
	uint32_t sequence = 0;

	if ((r = csign_buf_new(CSIGN_ANSWER_MAX, &bytes)) != CSIGN_OK)
		return phone_fail(phone, r);
	if (reply->is_signed) {
		status = sign(phone, visit, reply, bytes);
	} else {
		r = csign_phone_decline(phone->crypto, visit->link, bytes);
		status = r == CSIGN_OK ? STATUS_YES : phone_fail(phone, r);
	}
	if (status == STATUS_YES)
		status = visit_send(phone, visit, bytes,
		    is_refusal(reply->choice) ? reply->choice : "approve",
		    &sequence);
	csign_buf_free(&bytes);
	if (status == STATUS_YES)
		status = visit_outcome(phone, visit, sequence, &event);
	return status == STATUS_YES ? judge(&event, reply) : status;
}

/* --- the commands ----------------------------------------------------------
 */

enum out_status
approve_visit(struct phone *phone, struct visit *visit)
{
	struct reply reply = {.is_signed = false};
	enum out_status status;

	if ((status = choose_device(phone, visit, &reply)) != STATUS_YES)
		return status;
	if (!reply.is_signed) {
		out_error("so it cannot approve; \"countersign-phone deny\" "
			  "ends the question");
		return STATUS_NO;
	}
	status = choose_answer(phone, visit, &reply);
	if (status == STATUS_YES && !is_refusal(reply.choice))
		status = choose_code(phone, visit, &reply);
	if (status == STATUS_YES)
		status = answer(phone, visit, &reply);
	/* granted is yes; a denial, however well it went, is not */
	if (status == STATUS_YES && is_refusal(reply.choice))
		status = STATUS_NO;
	return status;
}

static enum out_status
deny_visit(struct phone *phone, struct visit *visit)
{
	struct reply reply = {.is_signed = false};
	enum out_status status;

	(void)snprintf(reply.choice, sizeof reply.choice, "%s",
	    args_flag(phone->args, OPT_NOT_ME) ? NOT_ME : DENY);
	if (!args_flag(phone->args, OPT_UNSIGNED) &&
	    !visit->question.transaction.enrolment &&
	    (status = choose_device(phone, visit, &reply)) != STATUS_YES)
		return status;
	if (!reply.is_signed && strcmp(reply.choice, DENY) != 0) {
		out_error("not-me needs a key of this user's");
		return STATUS_USAGE;
	}
	return answer(phone, visit, &reply);
}

enum out_status
cmd_approve(const struct args *args)
{
	return visit_command(args, VISIT_APPROVAL, approve_visit);
}

enum out_status
cmd_deny(const struct args *args)
{
	return visit_command(
	    args, VISIT_APPROVAL | VISIT_ENROLMENT, deny_visit);
}
