/* SPDX-License-Identifier: BSD-2-Clause */
/* What every unit test includes first. */
#ifndef UNIT_H
#define UNIT_H

#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "countersign.h"

#define N_ROWS(table) (sizeof(table) / sizeof((table)[0]))

/* Is a missing tool a failure?  CI="" is no CI, as in the Python tests. */
static inline bool
is_ci(void)
{
	const char *ci = getenv("CI");

	return ci != NULL && *ci != '\0';
}

/* In a loop over a table: fails with the row's name in the message. */
#define assert_err(name, got, want)                                            \
	do {                                                                   \
		enum csign_err got_ = (got);                                   \
		enum csign_err want_ = (want);                                 \
		if (got_ != want_)                                             \
			fail_msg("%s: %s instead of %s", name,                 \
			    csign_err_name(got_), csign_err_name(want_));      \
	} while (0)
#define assert_ok(call) assert_err(#call, call, CSIGN_OK)
#define assert_bytes(name, got, got_len, want, want_len)                       \
	do {                                                                   \
		size_t len_ = (got_len);                                       \
		if (len_ != (want_len) || memcmp(got, want, len_) != 0)        \
			fail_msg("%s: \"%.*s\" instead of \"%.*s\"", name,     \
			    (int)len_, (const char *)(got), (int)(want_len),   \
			    (const char *)(want));                             \
	} while (0)

#endif
