/* SPDX-License-Identifier: BSD-2-Clause */
/* Programs of the host, asked what they think. */
#ifndef CLI_CHECK_RUN_H
#define CLI_CHECK_RUN_H

#include <stdbool.h>
#include <stddef.h>

#define CHECK_RUN_SECONDS 10

/*
 * Runs argv[0], an absolute path, with an empty environment and no input, and
 * collects what it prints on both outputs.  *ret_text is the caller's.  False:
 * it could not be run, failed, or took too long; then *ret_text, if not NULL,
 * is what it said.
 */
bool check_run(const char *const argv[], char **ret_text);
/* The same for a function in a child process: what it writes to fd. */
bool check_run_function(void (*function)(int fd, const void *arg),
    const void *arg, char **ret_text);

#endif
