/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ask.h"
#include "cmd.h"
#include "process.h"
#include "tty.h"

#define TEXT_LINES 4 /* at most: a note, the link, the code, the time left */

bool
ask_style(
    const struct args *args, struct csign_ctx *ctx, struct ask_style *ret_style)
{
	const char *word = args->option[OPT_QR], *inverse;
	struct ask_style style = {
	    .to = args_flag(args, OPT_JSON) ? stderr : stdout};

	if (word == NULL) {
		word = csign_ctx_setting(ctx, "qr");
		if (word == NULL || (strcmp(word, "utf8") == 0 && !tty_utf8()))
			word = "ascii";
	}
	if (strcmp(word, "utf8") == 0) {
		style.qr = CSIGN_QR_UTF8;
	} else if (strcmp(word, "ascii") == 0) {
		style.qr = CSIGN_QR_ASCII;
	} else if (strcmp(word, "off") != 0) {
		out_error("--qr is utf8, ascii or off");
		return false;
	}
	if (args_flag(args, OPT_PRINT_LINK))
		style.qr = 0;
	inverse = csign_ctx_setting(ctx, "qr_inverse");
	style.inverse = args_flag(args, OPT_INVERSE) ||
			(inverse != NULL && strcmp(inverse, "yes") == 0);
	*ret_style = style;
	return true;
}

/* Does it fit the terminal, so that no line wraps and the top stays visible? */
static bool
fits(const char *qr, int fd)
{
	unsigned int columns, rows, width = 0, height = 0;

	if (!tty_size(fd, &columns, &rows))
		return true; /* a file or a pipe */
	for (const char *c = qr; *c != '\0'; c++) {
		if (*c == '\n')
			height++;
		else if (height == 0 && ((unsigned char)*c & 0xc0) != 0x80)
			width++; /* not a continuation byte */
	}
	return width <= columns && height + TEXT_LINES <= rows;
}

/* How to answer without the link, at most 79 columns; nothing if nobody can. */
static void
show_rings(const struct ask *ask, FILE *to)
{
	char phones[40];

	if (ask->rings < 1)
		(void)snprintf(phones, sizeof phones, "none could be rung");
	else
		(void)snprintf(phones, sizeof phones, "%d phone%s", ask->rings,
		    ask->rings == 1 ? " rings" : "s ring");
	if (ask->code[0] != '\0')
		(void)fprintf(to,
		    "Or type %.3s %s on the phone that asks (%s).\n", ask->code,
		    ask->code + 3, phones);
	else if (ask->rings >= 0)
		(void)fprintf(
		    to, "Or approve on the phone that asks (%s).\n", phones);
}

static void
show(const struct ask *ask, const struct ask_style *style)
{
	char *qr = NULL;

	if (ask->note[0] != '\0')
		(void)fprintf(style->to, "%s\n", ask->note);
	if (style->qr != 0 &&
	    csign_qr_draw(ask->link, (enum csign_qr_style)style->qr,
		style->inverse, &qr) == CSIGN_OK) {
		if (fits(qr, fileno(style->to)))
			(void)fputs(qr, style->to);
		else
			(void)fputs("(The terminal is too small for the QR "
				    "code.)\n",
			    style->to);
	}
	free(qr);
	(void)fprintf(style->to, "%s\n", ask->link);
	show_rings(ask, style->to);
	(void)fflush(style->to);
}

/* On a terminal one line that changes, elsewhere one that stays. */
static void
show_left(const struct ask *ask, FILE *to, bool live, bool first)
{
	uint32_t left = ask->seconds_left(ask->object);

	if (!live && !first)
		return;
	(void)fprintf(to, "%sWaiting for the phone, %u:%02u minutes left.%s",
	    live && !first ? "\r" : "", left / 60, left % 60,
	    live ? "  " : "\n");
	(void)fflush(to);
}

enum csign_err
ask_phone(const struct ask *ask, const struct ask_style *style, int stop_fd)
{
	bool live = isatty(fileno(style->to)) == 1;
	enum csign_err err = CSIGN_E_AGAIN;

	show(ask, style);
	for (bool first = true; err == CSIGN_E_AGAIN; first = false) {
		show_left(ask, style->to, live, first);
		if (process_wait(ask->fd, stop_fd, 1000) == WAIT_STOPPED)
			err = CSIGN_E_INTERRUPTED;
		else
			err = ask->look(ask->object);
	}
	if (live)
		(void)fputc('\n', style->to);
	return err;
}
