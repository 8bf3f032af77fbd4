/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The way to a file that decides who may log in (SYS-1).
 *
 * "Trusted owner" is root, and for a process that does not run as root also
 * its own effective user.  A directory is safe if a trusted owner owns it and
 * neither group nor others may write.  No symbolic link is followed anywhere.
 */
#ifndef CSIGN_DIR_H
#define CSIGN_DIR_H

#include <sys/stat.h>
#include <sys/types.h>

#include "countersign.h"
#include "why.h"

/*
 * Opens a directory by an absolute path, walking from "/" without following
 * a symbolic link and checking each step.  CSIGN_E_NOT_FOUND if the last
 * component is missing, CSIGN_E_FILE for everything else.
 */
CSIGN_WUR enum csign_err csign_dir_open(
    const char *path, struct csign_why *why, int *ret_fd);

/*
 * The same, and creates the last component with this mode if it is missing.
 * A directory that was there keeps its mode.
 */
CSIGN_WUR enum csign_err csign_dir_create(
    const char *path, mode_t mode, struct csign_why *why, int *ret_fd);
CSIGN_WUR enum csign_err csign_dir_create_at(int dirfd, const char *name,
    const char *path, mode_t mode, struct csign_why *why, int *ret_fd);

/* fsync(2), whatever signals come; 0 or -1 with errno. */
int csign_sync(int fd);

/*
 * Syncs the directory, so that the names in it last; dirfd may be one for
 * walking on only.  CSIGN_E_FILE.
 */
CSIGN_WUR enum csign_err csign_dir_sync(
    int dirfd, const char *path, struct csign_why *why);

/*
 * Opens the directory of a file, for walking on only, and finds the file's
 * name in path.  forbidden: mode bits that the directories on the way may not
 * have; the last one may never have 022.  CSIGN_E_FILE.
 */
CSIGN_WUR enum csign_err csign_dir_parent(const char *path, mode_t forbidden,
    struct csign_why *why, int *ret_fd, const char **ret_name);

/*
 * CSIGN_E_FILE if another than a trusted owner owns it, or if its mode has one
 * of the forbidden bits.  The first path_len bytes of path are for the message.
 * An access control list needs no look of its own: its mask is what the group
 * bits of the mode show.
 */
CSIGN_WUR enum csign_err csign_check_owner(const struct stat *st,
    mode_t forbidden, const char *path, int path_len, struct csign_why *why);
/* CSIGN_E_INVALID unless name stays inside its directory. */
CSIGN_WUR enum csign_err csign_check_name(
    const char *name, struct csign_why *why);

/* Closes a descriptor if it is one, and makes it -1. */
void csign_close(int *fd);

#endif
