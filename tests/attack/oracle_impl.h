/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the parts of oracle.h share: text (oracle_codec.c), cryptography
 * (oracle_crypto.c), the question (oracle_question.c), the answers to it
 * (oracle_answer.c), and what is kept of a grant (oracle_store.c).  Nothing is
 * allocated but in oracle.c; whatever cannot be read is not there.
 */
#ifndef ORACLE_IMPL_H
#define ORACLE_IMPL_H

#include "oracle.h"

#define ORACLE_DIGEST 32
#define ORACLE_KEY 32
#define ORACLE_POINT 65
#define ORACLE_TRANSACTION 2048
#define ORACLE_SEALED 8192

/* False; and why says so. */
bool oracle_no(char *why, size_t size, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* --- text ----------------------------------------------------------------- */

/* Each returns how many bytes there are; 0: it is no such text, or too long. */
size_t oracle_from_b64u(
    const char *text, size_t len, unsigned char *out, size_t size);
size_t oracle_from_b32(
    const char *text, size_t len, unsigned char *out, size_t size);
void oracle_to_b64u(const unsigned char *bytes, size_t len, char *out);
void oracle_to_hex(const unsigned char *bytes, size_t len, char *out);
/* The id of a device is base32 in lower case. */
void oracle_device_id(const unsigned char bytes[10], char out[17]);
/*
 * The length of what stands behind name in text, up to one of the characters
 * of end; 0: nothing does, or there is no text.
 */
size_t oracle_value(
    const char *text, const char *name, const char *end, const char **ret);
/* Seconds since 1970, or 0. */
uint64_t oracle_time(const char *text);

/* --- cryptography --------------------------------------------------------- */

bool oracle_sha256(
    const void *bytes, size_t len, unsigned char out[ORACLE_DIGEST]);
/* The plain text's length, or 0.  out: of ORACLE_SEALED bytes. */
size_t oracle_unseal(const unsigned char secret[16], const char *info,
    const struct oracle_bytes *sealed, unsigned char *out);
bool oracle_verify(const unsigned char point[ORACLE_POINT], const void *message,
    size_t len, const unsigned char *signature, size_t signature_len);

/* --- question and answer -------------------------------------------------- */

struct oracle_question {
	unsigned char secret[16];
	unsigned char bytes[ORACLE_TRANSACTION];
	size_t len;
	char nonce[44];
	unsigned char plain[ORACLE_SEALED]; /* what was opened last */
};

/* The question of this login, if it is this host's and about its user. */
bool oracle_read_question(const struct oracle_case *c,
    struct oracle_question *q, char *why, size_t size);
/* What a device signs for this choice; code: "" after a scan. */
bool oracle_challenge(const struct oracle_question *q, const char *choice,
    const char *code, char out[44]);

struct oracle_answer {
	char choice[33], device[17];
	char data[128];                 /* "<ms>_<challenge>" */
	const unsigned char *signature; /* in the question's plain */
	size_t signature_len;
};

/* The one that is a signed yes to this question, and in time. */
bool oracle_find_answer(const struct oracle_case *c, struct oracle_question *q,
    struct oracle_answer *a);

/* --- on disk -------------------------------------------------------------- */

/* Its checksum is right. */
bool oracle_state_is_whole(const char *state);
/* The state has "<before> ... <name>=<time>", with a time in this login. */
bool oracle_happened_now(
    const struct oracle_case *c, const char *before, const char *name);
/* One line of the audit file has all of these words, which NULL ends. */
bool oracle_is_recorded(const char *audit, const char *const *words);

#endif
