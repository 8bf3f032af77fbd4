/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Files of a host whose "/" is another folder here (--root DIR), as a
 * container or a disk of another machine.  Links in it, absolute ones too,
 * lead to places in it.
 */
#ifndef CLI_ROOT_H
#define CLI_ROOT_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/*
 * --root made absolute, "/" if it was not given; *ret_root is the caller's.
 * False, with a message, if it is no folder.
 */
bool root_option(const char *option, char **ret_root);

/* open(2) of <root>/<path>; -1 and errno. */
int root_open(const char *root, const char *path, int flags);
/* All of a regular file, at most max bytes, and a NUL; NULL and errno. */
char *root_read(
    const char *root, const char *path, size_t max, size_t *ret_len);

/*
 * What is left of an open file, at most size bytes, into room for one more, a
 * NUL.  How many; -1 and errno.
 */
ssize_t root_fill(int fd, char *text, size_t size);

#endif
