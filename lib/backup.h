/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A backup as text, countersign-devices(5): a line that says what it is, the
 * files of devices/ and state/ in the order of their names, each after a line
 * with its name and length, and a checksum.
 */
#ifndef CSIGN_BACKUP_H
#define CSIGN_BACKUP_H

#include <stddef.h>

#include "account.h"
#include "countersign.h"
#include "crypto.h"
#include "piece.h"
#include "store.h"
#include "why.h"

#define CSIGN_BACKUP_HEADER "countersign-backup "
#define CSIGN_BACKUP_VERSION 1
#define CSIGN_BACKUP_FILE "file "
#define CSIGN_BACKUP_CHECKSUM "sha256 "
#define CSIGN_BACKUP_MAX ((size_t)64 << 20)
/* "devices/alice", "state/1001" */
#define CSIGN_BACKUP_PATH_SIZE (CSIGN_FILE_NAME_MAX + 16)

struct csign_backup_file {
	char path[CSIGN_BACKUP_PATH_SIZE];
	struct csign_account whose; /* by its header; may not exist */
	struct csign_piece text;    /* in the backup's text */
};

struct csign_backup {
	struct csign_backup_file *files;
	size_t n;
};

/* Every file in it is checked too.  CSIGN_E_FORMAT. */
CSIGN_WUR enum csign_err csign_backup_parse(struct csign_crypto *crypto,
    const char *text, size_t len, struct csign_backup *ret_backup,
    struct csign_why *why);
void csign_backup_clear(struct csign_backup *backup);
/*
 * The account's file in devices/ or state/, if it is there under its own name
 * and with its own uid; else NULL.
 */
const struct csign_backup_file *csign_backup_find(
    const struct csign_backup *backup, const char *part,
    const struct csign_account *account);

/*
 * Whose this file says it is, is it whole, and is it that account's by its name
 * ("devices/alice")?  path is for messages.  CSIGN_E_DEVICES or _STATE.
 */
CSIGN_WUR enum csign_err csign_backup_check(struct csign_crypto *crypto,
    const char *name, const char *path, const struct csign_piece *text,
    struct csign_account *ret_whose, struct csign_why *why);
/* "devices/alice" or "state/1001" */
void csign_backup_path(const char *part, const struct csign_account *account,
    char out[CSIGN_BACKUP_PATH_SIZE]);

#endif
