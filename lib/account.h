/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Accounts: the user is the uid (countersign-security(7) USR-1).  Whatever name
 * was typed is looked up, and the name that the uid leads back to is the one
 * that names files, questions and records.
 */
#ifndef CSIGN_ACCOUNT_H
#define CSIGN_ACCOUNT_H

#include <stdbool.h>
#include <sys/types.h>

#include "bounds.h"
#include "countersign.h"
#include "why.h"

struct csign_account {
	uid_t uid;
	gid_t gid;
	char name[CSIGN_USER_MAX + 1];      /* canonical */
	char file[CSIGN_FILE_NAME_MAX + 1]; /* its devices file's name */
};

/*
 * CSIGN_E_UNKNOWN_USER: the look-up worked and there is none.
 * CSIGN_E_INVALID: the name, typed or canonical, cannot name a file.
 * CSIGN_E_SYSTEM: the look-up failed.
 */
CSIGN_WUR enum csign_err csign_account_find(
    const char *name, struct csign_account *ret_account, struct csign_why *why);
/* "alice" -> "alice", "Al@corp" -> "%41l%40corp"; CSIGN_E_INVALID. */
CSIGN_WUR enum csign_err csign_account_file_name(
    const char *name, char out[CSIGN_FILE_NAME_MAX + 1]);
/* The reverse; CSIGN_E_FORMAT if it is not what the above makes. */
CSIGN_WUR enum csign_err csign_account_from_file_name(
    const char *file, char out[CSIGN_USER_MAX + 1]);
/*
 * Is the account in one of the groups (words, one space between)?  A group
 * that cannot be resolved is an error in why and counts as unresolved:
 * CSIGN_E_NOT_FOUND (countersign-security(7) PAM-10: the module then applies).
 */
CSIGN_WUR enum csign_err csign_account_in_groups(
    const struct csign_account *account, const char *groups, bool *ret_in,
    struct csign_why *why);

#endif
