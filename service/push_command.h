/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The operator's own way to ring a phone: a program that gets one line of JSON
 * on standard input, and of this process nothing else.
 */
#ifndef SERVICE_PUSH_COMMAND_H
#define SERVICE_PUSH_COMMAND_H

#include <stdbool.h>
#include <stdint.h>

#include "bounds.h"
#include "countersign.h"
#include "why.h"

struct event_base;
struct push_command;

/* Asked right before it is run: does this question still want an answer? */
typedef bool push_still_open(
    void *arg, int64_t approval, const char *transaction_id);

struct push_command_job {
	int64_t approval;
	const char *transaction_id;
	const char *user;
	const char *device_id;
	const char *link_id;
};

/*
 * path: absolute; the file and its folders are root's or this account's, and
 * nobody else may write them.  CSIGN_E_FILE.
 */
CSIGN_WUR enum csign_err push_command_new(struct event_base *base,
    const char *path, push_still_open *still_open, void *arg,
    struct csign_why *why, struct push_command **ret_command);
/* Those that run are killed. */
void push_command_free(struct push_command **command);
/* In the background; CSIGN_E_LIMIT: too many wait already. */
CSIGN_WUR enum csign_err push_command_run(
    struct push_command *command, const struct push_command_job *job);

#endif
