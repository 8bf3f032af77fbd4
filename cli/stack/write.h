/* SPDX-License-Identifier: BSD-2-Clause */
/* Replacing one file of a folder, whole or not at all, with all it had. */
#ifndef CLI_STACK_WRITE_H
#define CLI_STACK_WRITE_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Only one countersign edits the folder at a time.  What is locked is a file
 * that none but root can open: anybody may lock the folder.  -1: another one is
 * at it, or errno.
 */
int pam_write_lock(int dir);
/* Nothing stays behind. */
void pam_write_unlock(int dir, int lock);
/* For reading; a link is ELOOP.  -1 and errno. */
int pam_write_open(int dir, const char *name);
/* Regular, with one name, owned by root or us, not for others to write. */
bool pam_write_safe(int fd, char *ret_why, size_t size);
/* All of it and a NUL, from its beginning; NULL and errno. */
char *pam_write_read(int fd, size_t *ret_len);
/*
 * name becomes these bytes, with owner, mode and extended attributes of the
 * file like.  Durable when it returns; false and errno: name is as it was.
 */
bool pam_write_replace(
    int dir, const char *name, int like, const char *bytes, size_t len);

#endif
