/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "reply.h"

#define CODE_PROMPT "The six digits that the terminal shows: "
#define LINE_SIZE 32

bool
reply_is_refusal(const struct reply *reply)
{
	return strcmp(reply->choice, REPLY_DENY) == 0 ||
	       strcmp(reply->choice, REPLY_NOT_ME) == 0;
}

bool
reply_is_offered(const struct csign_transaction *t, const char *choice)
{
	for (size_t i = 0; i < t->n_choices; i++)
		if (strcmp(t->choices[i], choice) == 0)
			return true;
	return false;
}

bool
reply_needs_scan(const struct visit *visit)
{
	return visit->inbox &&
	       strcmp(visit->question.transaction.code, "never") == 0;
}

enum out_status
reply_device(
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

/* --- the code --------------------------------------------------------------
 */

/* "123456", or "123 456" as the terminal shows it; anything else is none. */
static bool
read_code(const char *text, char code[CSIGN_CODE_LEN + 1])
{
	const size_t half = CSIGN_CODE_LEN / 2;
	size_t n = 0;

	for (; *text >= '0' && *text <= '9' && n < CSIGN_CODE_LEN; text++) {
		code[n++] = *text;
		if (n == half && text[1] == ' ')
			text++;
	}
	code[n] = '\0';
	return n == CSIGN_CODE_LEN && *text == '\0';
}

static bool
is_typed(const struct phone *phone)
{
	const char *option = phone->args->option[OPT_CODE];

	return option == NULL ||
	       (strcmp(option, "-") == 0 && isatty(STDIN_FILENO) == 1);
}

/* Until it is six digits; an empty line is no answer at all. */
static enum out_status
ask_code(struct phone *phone, struct reply *reply)
{
	char line[LINE_SIZE];
	enum tty_result result;

	do {
		result =
		    phone_line(phone, CODE_PROMPT, true, line, sizeof line);
		if (result == TTY_OK && line[0] == '\0')
			result = TTY_END;
	} while (result == TTY_TOO_LONG ||
		 (result == TTY_OK && !read_code(line, reply->code)));
	if (result == TTY_OK)
		return STATUS_YES;
	if (result == TTY_NONE)
		out_error("this question needs the code that the terminal "
			  "shows; see --code");
	else if (phone->waiter == NULL)
		out_error("not answered");
	return STATUS_NO;
}

/* --code, where "-" is the first line of standard input. */
static enum out_status
given_code(struct phone *phone, const char *given, struct reply *reply)
{
	char line[LINE_SIZE];

	if (strcmp(given, "-") == 0) {
		if (!phone_stdin_line(phone, line, sizeof line)) {
			out_error("there is no code in standard input");
			return STATUS_NO;
		}
		given = line;
	}
	if (read_code(given, reply->code))
		return STATUS_YES;
	out_error("a code is six digits");
	return STATUS_USAGE;
}

enum out_status
reply_code(struct phone *phone, const struct visit *visit, struct reply *reply)
{
	const char *rule = visit->question.transaction.code;
	bool always = strcmp(rule, "always") == 0;
	bool inbox = strcmp(rule, "inbox") == 0;
	bool needed = always || (inbox && visit->inbox);

	if (reply_needs_scan(visit)) {
		out_error("this question can only be approved by a scan: scan "
			  "the QR code that the terminal shows");
		return STATUS_NO;
	}
	/* who has scanned the link may give it all the same */
	if (!is_typed(phone) && !always && !inbox) {
		out_error("this question takes no code");
		return STATUS_USAGE;
	}
	if (!is_typed(phone))
		return given_code(phone, phone->args->option[OPT_CODE], reply);
	return needed ? ask_code(phone, reply) : STATUS_YES;
}

/* --- sending it ------------------------------------------------------------
 */

/* The passphrase is asked for once a visit. */
static enum out_status
unlock(struct phone *phone, struct visit *visit, const char *device,
    const struct csign_p256 **ret_key)
{
	enum out_status status = STATUS_YES;

	if (visit->key == NULL && visit->own_key == NULL)
		status = phone_key(phone, device, &visit->own_key);
	*ret_key = visit->key != NULL ? visit->key : visit->own_key;
	return status;
}

static enum out_status
sign(struct phone *phone, struct visit *visit, const struct reply *reply,
    struct csign_buf *answer)
{
	const struct csign_p256 *key;
	enum out_status status;
	enum csign_err r;
	uint64_t now = 0;

	if ((status = unlock(phone, visit, reply->device, &key)) != STATUS_YES)
		return status;
	if ((r = csign_clock_wall(&now)) == CSIGN_OK)
		r = csign_phone_answer(phone->crypto, visit->link,
		    &visit->question, key, reply->choice, reply->code, now,
		    answer);
	if (r == CSIGN_OK)
		return STATUS_YES;
	(void)phone_fail(phone, r);
	return STATUS_TROUBLE;
}

enum out_status
reply_send(struct phone *phone, struct visit *visit, const struct reply *reply,
    struct service_event *ret_event)
{
	struct csign_buf *bytes = NULL;
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
		    reply_is_refusal(reply) ? reply->choice : "approve",
		    &sequence);
	csign_buf_free(&bytes);
	return status == STATUS_YES
		   ? visit_outcome(phone, visit, sequence, ret_event)
		   : status;
}

static bool
may_try_again(const struct phone *phone, const struct reply *reply,
    const struct service_event *event)
{
	return is_typed(phone) && reply->code[0] != '\0' &&
	       (event->state == SERVICE_PENDING ||
		   event->state == SERVICE_SEEN) &&
	       event->tries_left > 0 &&
	       strcmp(event->reason, "PROOF_CODE") == 0;
}

enum out_status
reply_complete(struct phone *phone, struct visit *visit, struct reply *reply,
    struct service_event *ret_event)
{
	enum out_status status;

	for (;;) {
		if (!reply_is_refusal(reply) &&
		    (status = reply_code(phone, visit, reply)) != STATUS_YES)
			return status;
		status = reply_send(phone, visit, reply, ret_event);
		if (status != STATUS_YES ||
		    !may_try_again(phone, reply, ret_event))
			return status;
		visit_explain(ret_event);
	}
}
