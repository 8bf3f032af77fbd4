/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The directories below state_dir: devices/ (device.h) and state/ (state.h).
 * A marker file in each shows that it is the real one, and not the empty mount
 * point of a file system that is away (countersign-security(7) USR-2).
 */
#ifndef CSIGN_STORE_H
#define CSIGN_STORE_H

#include "bounds.h"
#include "countersign.h"
#include "why.h"

#define CSIGN_STORE_DEVICES "devices"
#define CSIGN_STORE_STATE "state"
#define CSIGN_STORE_PATH_SIZE (CSIGN_CONF_LINE_MAX + CSIGN_FILE_NAME_MAX + 16)

/*
 * Creates the directory itself, devices/, state/ and their marker files where
 * missing, mode 0700.
 */
CSIGN_WUR enum csign_err csign_store_create(
    const char *state_dir, struct csign_why *why);
/* Opens devices/ or state/ and looks for its marker; CSIGN_E_FILE. */
CSIGN_WUR enum csign_err csign_store_open(const char *state_dir,
    const char *part, struct csign_why *why, int *ret_fd);
/* state_dir/part/name; CSIGN_E_INVALID if it is too long. */
CSIGN_WUR enum csign_err csign_store_path(const char *state_dir,
    const char *part, const char *name, struct csign_why *why,
    char out[CSIGN_STORE_PATH_SIZE]);

#endif
