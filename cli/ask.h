/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A link on a terminal: shown as QR code and as text, and waited for with the
 * time that is left.  Enrolments and approvals look the same from here.
 */
#ifndef CLI_ASK_H
#define CLI_ASK_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "command.h"
#include "countersign.h"

/* How QR codes are drawn, and where: style 0 is not at all. */
struct ask_style {
	int qr; /* 0 or enum csign_qr_style */
	bool inverse;
	FILE *to;
};

/*
 * From --print-link, --qr and --inverse, else from the configuration, else by
 * the locale; to standard output, with --json to standard error.  False, with
 * a message, if --qr is none of its words.
 */
bool ask_style(const struct args *args, struct csign_ctx *ctx,
    struct ask_style *ret_style);

/* What is waited for. */
struct ask {
	void *object;
	const char *link;
	/* Of an approval; "" and -1 for an enrolment. */
	const char *code; /* what a phone asks for that rings; "" for none */
	const char *note; /* why none does; "" if one does, or none should */
	int rings;        /* how many do; -1: none was to be rung */
	int fd;
	uint32_t (*seconds_left)(const void *object);
	enum csign_err (*look)(void *object); /* CSIGN_E_AGAIN: not yet */
};

/*
 * Shows the link and waits until look() has something to say, or stop_fd is
 * readable: CSIGN_E_INTERRUPTED.
 */
enum csign_err ask_phone(
    const struct ask *ask, const struct ask_style *style, int stop_fd);

#endif
