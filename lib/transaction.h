/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The transaction: the exact bytes that the phone shows and signs, and the
 * content that carries them.  countersign-protocol(7), section TRANSACTION.
 * The host makes the bytes once and hashes its own copy; nobody ever
 * serialises them again.
 */
#ifndef CSIGN_TRANSACTION_H
#define CSIGN_TRANSACTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bounds.h"
#include "buf.h"
#include "countersign.h"
#include "device.h"

struct csign_detail {
	char *label;
	char *value;
};

/* All strings are the struct's own, from malloc(3). */
struct csign_transaction {
	bool enrolment;
	char *host, *user, *service, *title;
	uint32_t uid;
	struct csign_detail details[CSIGN_DETAILS_MAX];
	size_t n_details;
	char *choices[CSIGN_CHOICES_MAX];
	size_t n_choices;
	char *code;  /* "never", "inbox", "always", "tap" */
	char *nonce; /* 43 characters */
	char *created;
	uint32_t lifetime;
};

void csign_transaction_clear(struct csign_transaction *t);

/* [a-z][a-z0-9-]{0,31} and not "deny", "not-me", "enroll", "remove". */
bool csign_choice_valid(const char *choice);

/*
 * Have the members of a fixed form (choices, code, nonce, created, lifetime)
 * that form?  An enrolment lists no choices.
 */
bool csign_transaction_valid(const struct csign_transaction *t);

/*
 * Writes the bytes (at most 2,048), making foreign text harmless and, if it
 * has to, cutting: values lose their middle first, longest first, then details
 * go from the end, and a last one says how many.  *ret_cut_first, if not
 * NULL: the first detail's value (the command) was cut.  CSIGN_E_INVALID: not
 * csign_transaction_valid(), or a text is missing; CSIGN_E_TOO_LONG: host,
 * user, service or a label is, or it cannot be cut any further.
 */
CSIGN_WUR enum csign_err csign_transaction_write(
    const struct csign_transaction *t, struct csign_buf *out,
    bool *ret_cut_first);
/* The phone's side: strict, refuses unknown v, kind and members; _E_FORMAT. */
CSIGN_WUR enum csign_err csign_transaction_read(
    const void *bytes, size_t len, struct csign_transaction *ret_t);

/*
 * What a phone signs to be removed, countersign-protocol(7), section REMOVAL:
 * host and user are written as in a transaction, so that a phone that knows
 * them from there writes the same bytes.
 */
CSIGN_WUR enum csign_err csign_removal_write(const char *host, const char *user,
    uint32_t uid, const char *device, struct csign_buf *out);

/*
 * The content, before it is sealed: the transaction's bytes and the webauthn
 * credentials that may sign, as many as fit.
 */
CSIGN_WUR enum csign_err csign_content_write(const void *transaction,
    size_t transaction_len, const struct csign_device_list *devices,
    struct csign_buf *out);
/* The phone's side: the transaction's bytes out of the content. */
CSIGN_WUR enum csign_err csign_content_read(
    const void *content, size_t len, struct csign_buf *ret_transaction);

#endif
