/* SPDX-License-Identifier: BSD-2-Clause */
/* How a link, with its QR code, and other words come to the person's eyes. */
#ifndef CSIGN_PAM_PRESENT_H
#define CSIGN_PAM_PRESENT_H

#include <security/pam_modules.h>
#include <stdbool.h>
#include <stdint.h>

#include "conv.h"
#include "countersign.h"
#include "items.h"

/* The person in front of the program, and what to reach them with. */
struct csign_person {
	pam_handle_t *pamh;
	struct csign_ctx *ctx; /* for the settings */
	const struct csign_items *items;
};

/* A link to be opened on the phone, and the words around it. */
struct csign_challenge {
	const char *link;
	uint32_t seconds;
	const char *lead;  /* the line above it; "" for none */
	const char *where; /* "on your phone" */
	const char *done;  /* at a prompt, "Press Enter once ..." */
	/* Six digits that a phone asks for which was rung; "" for none. */
	const char *digits;
	bool tap;         /* a phone may approve that was rung, without them */
	bool code;        /* a recovery code may take its place: at a prompt */
	bool code_by_key; /* or after Ctrl-\ */
};

/* Does the person see the challenge at all, or is there no conversation? */
bool csign_present_is_shown(const struct csign_person *person);

/* May questions be asked that are answered by typing? */
bool csign_present_can_ask(const struct csign_person *person);

/*
 * Shows the link in one message, as "present" and "qr" of the configuration
 * say.  Returns when the person may be waited for: at once, or after a prompt
 * was answered.  *ret_reply is the last answer; the caller clears it.  Errors
 * are those of the conversation.
 */
CSIGN_WUR enum csign_err csign_present_challenge(
    const struct csign_person *person, const struct csign_challenge *challenge,
    struct csign_reply *ret_reply);

/* Says something on whose arrival nothing depends. */
void csign_present_say(
    const struct csign_person *person, bool error, const char *text);

/* Tells the person who sees the challenge that it worked, by which device. */
void csign_present_grant(const struct csign_person *person, const char *device);

/* Tells the person why it did not work, and what to do. */
void csign_present_failure(
    const struct csign_person *person, enum csign_err err, const char *asked);

/* A name for the terminal, cut to size: controls become '?'. */
void csign_present_clean(const char *name, char *out, size_t size);

#endif
