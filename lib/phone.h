/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The phone's side of the protocol, for countersign-phone and the tests: open
 * a question, answer it, enrol.  No network and no files here.
 */
#ifndef CSIGN_PHONE_H
#define CSIGN_PHONE_H

#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "countersign.h"
#include "crypto.h"
#include "link.h"
#include "transaction.h"

/* A question as the phone decrypted it; bytes are what will be signed. */
struct csign_question {
	struct csign_buf *bytes;
	struct csign_transaction transaction;
};

CSIGN_WUR enum csign_err csign_question_open(struct csign_crypto *crypto,
    const struct csign_link *link, const void *sealed, size_t len,
    struct csign_question *ret_question);
void csign_question_clear(struct csign_question *question);

/*
 * A p256 answer to an approval, sealed for the host: choice is one of the
 * question's, "deny" or "not-me"; code "" or 6 digits; wall_ms now.
 */
CSIGN_WUR enum csign_err csign_phone_answer(struct csign_crypto *crypto,
    const struct csign_link *link, const struct csign_question *question,
    const struct csign_p256 *key, const char *choice, const char *code,
    uint64_t wall_ms, struct csign_buf *out);
/* An unsigned "deny". */
CSIGN_WUR enum csign_err csign_phone_decline(struct csign_crypto *crypto,
    const struct csign_link *link, struct csign_buf *out);
/* A p256 enrolment with a new key and seal key. */
CSIGN_WUR enum csign_err csign_phone_enrol(struct csign_crypto *crypto,
    const struct csign_link *link, const struct csign_question *question,
    const struct csign_p256 *key, const struct csign_p256 *seal_key,
    const char *name, uint64_t wall_ms, struct csign_buf *out);
/*
 * A note by which the host that is called so removes this device from the
 * account; host, user and uid as in the transactions that the phone has seen.
 * It is not sealed: the service may read it.
 */
CSIGN_WUR enum csign_err csign_phone_removal(struct csign_crypto *crypto,
    const char *host, const char *user, uint32_t uid,
    const struct csign_p256 *key, uint64_t wall_ms, struct csign_buf *out);

#endif
