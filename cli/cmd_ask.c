/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * countersign ask: any question, from a script.  Standard output carries the
 * choice and nothing else, so that choice=$(countersign ask ...) works; the
 * link is for people, on standard error.
 */
#include "config.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "agent/caller.h"
#include "cmd.h"
#include "question.h"

#define TITLE_MAX 256
#define LABEL_SIZE 129 /* 32 characters and the NUL */
#define ASKED_BY "Asked by"

/* "Label=value": the label may not contain a "=", the value may. */
static enum out_status
add_detail(struct csign_request *req, const char *text)
{
	size_t len = strcspn(text, "=");
	char label[LABEL_SIZE];
	enum csign_err err = CSIGN_E_INVALID;

	if (len < sizeof label && text[len] == '=') {
		memcpy(label, text, len);
		label[len] = '\0';
		if (strcasecmp(label, ASKED_BY) == 0) {
			out_error("ask: the line \"" ASKED_BY "\" is there "
				  "already");
			return STATUS_USAGE;
		}
		err = csign_request_add_detail(req, label, text + len + 1);
	}
	if (err == CSIGN_OK)
		return STATUS_YES;
	if (err == CSIGN_E_TOO_LONG)
		out_error("ask: too many details");
	else if (err == CSIGN_E_INVALID)
		out_error("ask: --detail is LABEL=VALUE, the label of 1 to 32 "
			  "characters");
	else
		out_error("%s", csign_err_text(err));
	return err == CSIGN_E_NOMEM ? STATUS_TROUBLE : STATUS_USAGE;
}

static enum out_status
add_choice(struct csign_request *req, const char *choice)
{
	enum csign_err err = csign_request_add_choice(req, choice);

	if (err == CSIGN_OK)
		return STATUS_YES;
	if (err == CSIGN_E_TOO_LONG)
		out_error("ask: too many choices");
	else if (err == CSIGN_E_EXISTS)
		out_error("ask: the same choice twice");
	else if (err == CSIGN_E_INVALID)
		out_error(
		    "ask: a choice is a letter, then up to 31 of a-z, 0-9 "
		    "and -; none that says no or means something else");
	else
		out_error("%s", csign_err_text(err));
	return err == CSIGN_E_NOMEM ? STATUS_TROUBLE : STATUS_USAGE;
}

/* Title, details and choices; the first detail says who wants to know. */
static enum out_status
compose(struct csign_request *req, const struct args *args)
{
	const char *title = args->option[OPT_TITLE], *value;
	enum out_status status = STATUS_YES;
	char by[COMMON_BY_SIZE];

	if (title[0] == '\0' || strlen(title) > TITLE_MAX) {
		out_error("ask: a title has 1 to %d bytes", TITLE_MAX);
		return STATUS_USAGE;
	}
	csign_request_set_push(req, !args_flag(args, OPT_NO_PUSH));
	common_by(by);
	if (csign_request_set(req, CSIGN_REQ_TITLE, title) != CSIGN_OK ||
	    csign_request_add_detail(req, ASKED_BY, by) != CSIGN_OK) {
		out_error("%s", csign_err_text(CSIGN_E_NOMEM));
		return STATUS_TROUBLE;
	}
	for (size_t i = 0; status == STATUS_YES &&
			   (value = args_value(args, OPT_DETAIL, i)) != NULL;
	     i++)
		status = add_detail(req, value);
	for (size_t i = 0; status == STATUS_YES &&
			   (value = args_value(args, OPT_CHOICE, i)) != NULL;
	     i++)
		status = add_choice(req, value);
	return status;
}

static enum out_status
ask(struct question *q, const char *user, bool json)
{
	enum csign_err err = question_put(q);
	struct json_object *o;
	const char *choice;

	if (err != CSIGN_OK)
		(void)common_fail(q->ctx, err);
	choice = err == CSIGN_OK ? csign_approval_choice(q->approval) : NULL;
	if (json) {
		o = question_json(q, user, err);
		(void)out_json_str(o, "choice", choice);
		out_json_print(o);
	} else if (choice != NULL) {
		(void)puts(choice);
	}
	return out_status(err);
}

enum out_status
cmd_ask(const struct args *args)
{
	const char *user = args->operand[0];
	struct question q;
	enum out_status status;

	if ((status = question_open(&q, args, user)) == STATUS_YES &&
	    (status = compose(q.req, args)) == STATUS_YES) {
		q.style.to = stderr;
		status = ask(&q, user, args_flag(args, OPT_JSON));
	}
	question_close(&q);
	return status;
}
