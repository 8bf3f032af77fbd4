/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The directories below state_dir: devices/ (device.h) and state/ (state.h).
 * A marker file in each shows that it is the real one, and not the empty mount
 * point of a file system that is away (countersign-security(7) USR-2).
 */
#ifndef CSIGN_STORE_H
#define CSIGN_STORE_H

#include <stddef.h>

#include "bounds.h"
#include "buf.h"
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

/*
 * Reads a file of devices/ or state/ whole, as the secret file that it is;
 * CSIGN_E_NOT_FOUND if there is none.
 */
CSIGN_WUR enum csign_err csign_store_read(const char *state_dir,
    const char *part, const char *name, struct csign_why *why,
    struct csign_buf **ret_text);

/* Names from malloc(3), sorted. */
struct csign_names {
	char **items;
	size_t n;
};
/* Of the files in devices/ or state/, without those that begin with a dot. */
CSIGN_WUR enum csign_err csign_store_names(const char *state_dir,
    const char *part, struct csign_names *ret_names, struct csign_why *why);
void csign_names_sort(struct csign_names *names);
void csign_names_clear(struct csign_names *names);

#endif
