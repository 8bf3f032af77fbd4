/* SPDX-License-Identifier: BSD-2-Clause */
/* A question that this program puts to somebody's phone. */
#ifndef CLI_QUESTION_H
#define CLI_QUESTION_H

#include <stdbool.h>

#include "ask.h"
#include "command.h"
#include "countersign.h"

/* What a command that asks needs; everything but stop_fd is owned. */
struct question {
	struct csign_ctx *ctx;
	struct csign_request *req;
	struct csign_approval *approval;  /* once it was put */
	struct csign_devices *consenting; /* before a consent was asked for */
	struct ask_style style;
	int stop_fd; /* -1: signals end the process as ever */
};

/*
 * Configuration, style, and an empty request for user (NULL: none).
 * STATUS_YES, or the exit status after a message; question_close() in any
 * case.
 */
enum out_status question_open(
    struct question *q, const struct args *args, const char *user);
void question_close(struct question *q);

/* From now on signals make q->stop_fd readable.  False after a message. */
bool question_stoppable(struct question *q);

/* Shows an approval and waits for its end; CSIGN_OK: it was granted. */
enum csign_err question_wait(struct csign_approval *approval,
    const struct ask_style *style, int stop_fd);

/* Puts q->req; CSIGN_OK: it was granted, and q->approval says what. */
enum csign_err question_put(struct question *q);

/*
 * Before something is done for the caller that the agent serves: one of his
 * devices approves it.  STATUS_YES at once if there is no such caller.
 * q->req is new.  title goes before " on <host>"; label and value may be NULL.
 */
enum out_status question_consent(struct question *q, const char *title,
    const char *label, const char *value);

/*
 * Does the consent still stand, or has the caller lost a device since, which
 * may be the one that gave it (ENR-8)?  Between this and what was approved
 * nothing may wait for the caller.  STATUS_YES, or the exit status after a
 * message.
 */
enum out_status question_stands(struct question *q);

/* The end of a question as JSON: user, granted, deviceName, reason. */
struct json_object *question_json(
    const struct question *q, const char *user, enum csign_err err);

#endif
