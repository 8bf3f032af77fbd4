/* SPDX-License-Identifier: BSD-2-Clause */
/* Files that a person names: written whole or not at all, read with care. */
#ifndef CLI_SAVE_H
#define CLI_SAVE_H

#include <stdbool.h>
#include <stddef.h>

#include "out.h"

/*
 * Writes a file with mode 0600, whole or not at all, and durably: a temporary
 * file beside it takes its name.  What is there already is only replaced if
 * replace is true and it is a regular file.  path "-" is standard output.
 * Says what went wrong; STATUS_NO: there is a file already.
 */
enum out_status save_file(
    const char *path, const char *text, size_t len, bool replace);

/*
 * Opens a regular file for reading that only root or the caller could have
 * written, and says what is wrong with it; but nothing where there is none:
 * STATUS_NO.
 */
enum out_status save_open(const char *path, int *ret_fd);

/*
 * Reads such a file of at most max bytes whole; "-" is standard input, whose
 * origin is the caller's business.  *ret_text is the caller's, from malloc(3).
 * Says what went wrong.
 */
enum out_status save_load(
    const char *path, size_t max, char **ret_text, size_t *ret_len);

/* Every byte to a descriptor, not by way of stdio, whose buffer stays. */
bool save_write(int fd, const char *text, size_t len);

#endif
