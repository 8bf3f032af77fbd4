/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Files that decide who may log in: how they are opened, read whole, locked
 * and replaced (SYS-1 to SYS-4, ST-1).  They lie in directories
 * that are safe by the rules of dir.h; a file itself has to be regular, to have
 * one link, a trusted owner and no write permission for others.
 */
#ifndef CSIGN_FILE_H
#define CSIGN_FILE_H

#include <stddef.h>
#include <sys/types.h>

#include "buf.h"
#include "countersign.h"
#include "dir.h"
#include "why.h"

enum csign_file_class {
	CSIGN_FILE_PUBLIC, /* others may read it */
	CSIGN_FILE_SECRET, /* only its owner may: mode & 077 is 0 */
};

/*
 * Reads a whole file of 1 to max bytes, by an absolute path or, with dirfd
 * from csign_dir_open(), by a name without "/"; path is then only for the
 * message.  CSIGN_E_NOT_FOUND if only the last component is missing,
 * CSIGN_E_FILE for everything else: wrong owner, mode, type, link count, size,
 * or changed while it was read (twice).
 */
CSIGN_WUR enum csign_err csign_file_read(const char *path,
    enum csign_file_class class, size_t max, struct csign_why *why,
    struct csign_buf **ret_buf);
CSIGN_WUR enum csign_err csign_file_read_at(int dirfd, const char *name,
    const char *path, enum csign_file_class class, size_t max,
    struct csign_why *why, struct csign_buf **ret_buf);

/*
 * Replaces a file by one with these bytes and this mode: temporary file, fsync,
 * rename, fsync of the directory.  After an error the old file is there whole,
 * or, if only the last step failed, the new one.
 */
CSIGN_WUR enum csign_err csign_file_replace_at(int dirfd, const char *name,
    mode_t mode, const void *bytes, size_t len, struct csign_why *why);
/* The same, but CSIGN_E_EXISTS if there is one already. */
CSIGN_WUR enum csign_err csign_file_create_at(int dirfd, const char *name,
    mode_t mode, const void *bytes, size_t len, struct csign_why *why);
/* Unlinks and fsyncs the directory; CSIGN_E_NOT_FOUND. */
CSIGN_WUR enum csign_err csign_file_remove_at(
    int dirfd, const char *name, struct csign_why *why);

/*
 * Appends a line in one write and makes it durable, by an absolute path.  The
 * file is created with mode 0600 if it is missing; one of CSIGN_FILE_PUBLIC may
 * be read by others, but not written.  If the last writer was cut off, a line
 * end comes first.
 */
CSIGN_WUR enum csign_err csign_file_append(const char *path,
    enum csign_file_class class, const char *line, size_t len,
    struct csign_why *why);

/*
 * Takes an exclusive lock on what is open, a folder too, until it is closed.
 * path is for messages.  CSIGN_E_FILE after timeout_ms.
 */
CSIGN_WUR enum csign_err csign_file_lock(
    int fd, int timeout_ms, const char *path, struct csign_why *why);
/*
 * Takes an exclusive lock on a lock file beside the data (created with mode
 * 0600 if missing), waiting at most timeout_ms.  Closing *ret_fd releases it.
 */
CSIGN_WUR enum csign_err csign_file_lock_at(int dirfd, const char *name,
    int timeout_ms, struct csign_why *why, int *ret_fd);

#endif
