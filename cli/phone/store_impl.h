/* SPDX-License-Identifier: BSD-2-Clause */
/* What store.c and store_copy.c share. */
#ifndef PHONE_STORE_IMPL_H
#define PHONE_STORE_IMPL_H

#include "store.h"

#define STORE_PATH_SIZE 4096
#define STORE_NAME_SIZE (CSIGN_DEVICE_ID_SIZE + 16)

struct store {
	int fd;
	char path[STORE_PATH_SIZE];
};

/* In the order in which they are written: the entry says that keys are there.
 */
extern const char *const store_suffixes[STORE_FILES];

void store_file_name(
    const char *id, const char *suffix, char name[STORE_NAME_SIZE]);
CSIGN_WUR enum csign_err store_read(const struct store *store, const char *name,
    struct csign_why *why, struct csign_buf **ret_buf);
/* CSIGN_E_FORMAT */
CSIGN_WUR enum csign_err store_entry_parse(
    const struct csign_buf *buf, struct store_entry *ret_entry);

#endif
