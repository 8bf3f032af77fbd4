/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The answer: the fixed binary layout that a phone seals for the host.
 * countersign-protocol(7), section ANSWER.
 */
#ifndef CSIGN_ANSWER_H
#define CSIGN_ANSWER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bounds.h"
#include "buf.h"
#include "countersign.h"
#include "device.h"

/* Pointers lead into the bytes that were read; they are not owned. */
struct csign_answer {
	enum csign_kind kind;
	char choice[CSIGN_CHOICE_MAX + 1];
	char device[CSIGN_DEVICE_ID_SIZE]; /* as text */
	const unsigned char *a, *b, *signature;
	size_t a_len, b_len, signature_len;
	/* an enrolment's */
	bool enrolment;
	const unsigned char *point, *seal; /* 65 bytes each */
	const unsigned char *credential;
	size_t credential_len;
	char name[CSIGN_DEVICE_NAME_MAX + 1]; /* made harmless */
};

/*
 * enrolment: which of the two layouts it must be; exact to the last byte.
 * CSIGN_E_PROOF_FORMAT.  A name that is too long once it is harmless is cut.
 */
CSIGN_WUR enum csign_err csign_answer_read(const void *bytes, size_t len,
    bool enrolment, struct csign_answer *ret_answer);
CSIGN_WUR enum csign_err csign_answer_write(
    const struct csign_answer *answer, struct csign_buf *out);

#endif
