/* SPDX-License-Identifier: BSD-2-Clause */
/* An answer to a question, from its first letter to the host's verdict. */
#ifndef PHONE_REPLY_H
#define PHONE_REPLY_H

#include <stdbool.h>

#include "cmd.h"
#include "service.h"
#include "visit.h"

#define REPLY_DENY "deny"
#define REPLY_NOT_ME "not-me"

/* An answer as it takes shape. */
struct reply {
	char choice[CSIGN_CHOICE_MAX + 1];
	char code[CSIGN_CODE_LEN + 1];
	bool is_signed;
	char device[CSIGN_DEVICE_ID_SIZE]; /* if it is signed */
};

bool reply_is_refusal(const struct reply *reply);
/* Is it one of the answers that the question lists? */
bool reply_is_offered(const struct csign_transaction *t, const char *choice);
/* A question that this phone must not approve: nobody has scanned its link. */
bool reply_needs_scan(const struct visit *visit);

/*
 * The device that signs: the remembered one, or the one that --device names.
 * Without one only an unsigned denial is possible (countersign-security(7)
 * UX-4).
 */
enum out_status reply_device(
    struct phone *phone, const struct visit *visit, struct reply *reply);

/*
 * The six digits, where the question wants them of this phone
 * (countersign-security(7) UX-2), from --code or from the person.
 */
enum out_status reply_code(
    struct phone *phone, const struct visit *visit, struct reply *reply);

/*
 * Signs it, sends it, and waits for what the host makes of it.  What is no
 * STATUS_YES has said why.
 */
enum out_status reply_send(struct phone *phone, struct visit *visit,
    const struct reply *reply, struct service_event *ret_event);

/*
 * The code and the sending, again and again while the host says that the code
 * was wrong and a person may try another one.
 */
enum out_status reply_complete(struct phone *phone, struct visit *visit,
    struct reply *reply, struct service_event *ret_event);

#endif
