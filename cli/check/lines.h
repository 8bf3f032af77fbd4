/* SPDX-License-Identifier: BSD-2-Clause */
/* Files of other people's, read for looking: bounded, never blocking. */
#ifndef CLI_CHECK_LINES_H
#define CLI_CHECK_LINES_H

#include <stdbool.h>
#include <stddef.h>

#define CHECK_TEXT_MAX 262144
#define CHECK_WORD_SIZE 512

/*
 * The text of a regular file, at most max bytes from its end; bytes that are
 * not text become "?", so that a line ends only where its line ends.  The
 * caller frees it.  NULL with errno: it cannot be read.
 */
char *check_text(const char *path, size_t max);

/* A text, line by line. */
struct check_lines {
	char *next;
	char *line; /* without leading blanks, trailing blanks and newline */
	unsigned int number;
};
/* joined: a backslash at a line's end continues it. */
bool check_line(struct check_lines *lines, bool joined);
/* Cuts the next word, separated by blanks or one of "separators", off *text. */
char *check_word(char **text, const char *separators);

/* At most len bytes of text behind out's; false: cut short to fit. */
bool check_append(char *out, size_t size, const char *text, size_t len);

/* The names in a folder that match a glob(7) pattern, in order; no dot files.
 * Each as a whole path.  False: none. */
bool check_each(
    const char *pattern, void (*visit)(void *arg, const char *path), void *arg);

#endif
