/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "recover.h"

#define CODE_LEN 24 /* characters, without dashes */
#define WRONG_MAX 3

bool
csign_recover_may_follow(enum csign_err err, enum csign_stage stage)
{
	/* Given up in an earlier call, and not the last try. */
	if (stage == CSIGN_STAGE_CODE)
		return err == CSIGN_E_RECOVERY;
	/* The last phone was revoked, or none is of a kind that may answer. */
	if (stage == CSIGN_STAGE_ASK &&
	    (err == CSIGN_E_STATE || err == CSIGN_E_DEVICES))
		return true;
	return (stage == CSIGN_STAGE_ASK || stage == CSIGN_STAGE_WAIT) &&
	       (err == CSIGN_E_EXPIRED || err == CSIGN_E_CANCELLED ||
		   err == CSIGN_E_SERVICE || err == CSIGN_E_SERVICE_REFUSED ||
		   err == CSIGN_E_COURIER);
}

bool
csign_recover_is_try(const struct csign_reply *reply)
{
	return strlen(reply->text) >= CODE_LEN;
}

/* False: the person gives up, or cannot be asked. */
static bool
ask(struct csign_recover *rec)
{
	csign_reply_clear(&rec->typed);
	return csign_conv_ask(rec->person->pamh,
		   "Recovery code (Enter to give up): ", &rec->typed) ==
		   CSIGN_OK &&
	       rec->typed.text[0] != '\0';
}

/* The library does the same work for what cannot be a code. */
static enum csign_err
use(struct csign_recover *rec, uint32_t *ret_verdict)
{
	enum csign_err r = csign_recovery_use(rec->person->ctx, rec->req,
	    rec->typed.text, ret_verdict, &rec->left);

	csign_reply_clear(&rec->typed);
	return r;
}

enum csign_err
csign_recover(struct csign_recover *rec, uint32_t *ret_verdict)
{
	const struct csign_person *person = rec->person;
	enum csign_err r;

	while (rec->wrong < WRONG_MAX) {
		if (rec->typed.text[0] == '\0' && !ask(rec))
			return CSIGN_E_RECOVERY;
		if (!csign_items_unchanged(person->pamh, person->items)) {
			csign_reply_clear(&rec->typed);
			return CSIGN_E_INVALID;
		}
		if ((r = use(rec, ret_verdict)) != CSIGN_E_RECOVERY)
			return r;
		if (++rec->wrong < WRONG_MAX)
			csign_present_failure(person, r, NULL);
	}
	return CSIGN_E_LIMIT;
}

void
csign_recover_say_left(const struct csign_person *person, size_t left)
{
	char text[128];

	if (left == 0)
		(void)snprintf(text, sizeof(text),
		    "No recovery code is left; an administrator can make new "
		    "ones.");
	else
		(void)snprintf(text, sizeof(text), "%zu recovery code%s left.",
		    left, left == 1 ? " is" : "s are");
	csign_present_say(person, false, text);
}
