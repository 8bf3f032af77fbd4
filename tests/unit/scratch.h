/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A folder for files that the library shall trust.  That rules out /tmp: by
 * SYS-1 everything on the way from "/" has to belong to root or to this
 * process and to be closed to the others' writing, and anybody may write in
 * /tmp.  The build tree usually does; else /run or the home is taken.
 */
#ifndef SCRATCH_H
#define SCRATCH_H

#include <stddef.h>
#include <sys/types.h>

#define SCRATCH_PATH 1024

/* Fixtures of cmocka: make the folder, and remove it with all in it. */
int scratch_setup(void **state);
int scratch_teardown(void **state);
/* Empties the folder, whatever modes things have; a fixture of one test. */
int scratch_empty(void **state);

/* The absolute path of name in the folder; the folder itself for "". */
const char *scratch(const char *name);
/* A descriptor of the folder; for the caller to close. */
int scratch_open(void);
/* Makes a file with these bytes and this mode, or replaces it. */
void scratch_put(const char *name, mode_t mode, const void *bytes, size_t len);
void scratch_put_text(const char *name, mode_t mode, const char *text);
/* The file's bytes and a NUL; for the caller to free. */
char *scratch_get(const char *name, size_t *ret_len);
void scratch_assert_text(const char *name, const char *expected);
/* How many names the folder has, also those with a dot. */
size_t scratch_count(const char *folder);

#endif
