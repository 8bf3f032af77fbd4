/* SPDX-License-Identifier: BSD-2-Clause */
/* The options on the module's line of a PAM service file. */
#ifndef CSIGN_PAM_OPT_H
#define CSIGN_PAM_OPT_H

#include <stdbool.h>
#include <stddef.h>

#include "countersign.h"

struct csign_opt {
	const char *config; /* points into argv; NULL: the installed default */
	bool after_first_factor;
	bool debug;
};

/*
 * Reads the options.  CSIGN_E_CONFIG if any is unknown, repeated, empty or
 * malformed; ret_why, of size bytes, then names every one of them.
 */
CSIGN_WUR enum csign_err csign_opt_parse(int argc, const char *const *argv,
    struct csign_opt *ret_opt, char *ret_why, size_t size);

#endif
