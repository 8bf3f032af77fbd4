/* SPDX-License-Identifier: BSD-2-Clause */
/* Asking a person, and knowing how much a terminal can show. */
#ifndef CLI_TTY_H
#define CLI_TTY_H

#include <stdbool.h>
#include <stddef.h>

#include "countersign.h"
#include "process.h"

enum tty_result {
	TTY_OK,
	TTY_NONE,     /* there is no terminal to ask on */
	TTY_END,      /* end of input, or the terminal is gone */
	TTY_TOO_LONG, /* the line did not fit */
	TTY_STOPPED,  /* stop_fd became readable, or the waiter said so */
};

/*
 * Asks on the terminal that is standard input, else on the controlling one,
 * for a line; its newline is not part of it.  Never reads a standard input
 * that is not a terminal.  echo false: for secrets; the caller wipes out.
 */
enum tty_result tty_line(
    const char *prompt, bool echo, int stop_fd, char *out, size_t size);

/*
 * The same for a program that has something else to do meanwhile: wait(arg,
 * fd) returns WAIT_READABLE when fd is that, or WAIT_STOPPED to give up.
 */
struct tty_waiter {
	enum process_wait (*wait)(void *arg, int fd);
	void *arg;
};
enum tty_result tty_line_with(const char *prompt, bool echo,
    const struct tty_waiter *waiter, char *out, size_t size);

/* "y" or "yes" is yes, everything else no. */
enum tty_result tty_confirm(const char *question, int stop_fd, bool *ret_yes);

/* Is there a terminal that tty_line() could ask on? */
bool tty_can_ask(void);

/* Columns and rows of the terminal fd; false if it is none. */
bool tty_size(int fd, unsigned int *ret_columns, unsigned int *ret_rows);

/* Does the locale say that the terminal shows UTF-8? */
bool tty_utf8(void);

void tty_wipe(void *bytes, size_t len);

#endif
