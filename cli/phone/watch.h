/* SPDX-License-Identifier: BSD-2-Clause */
/* What the parts of countersign-phone watch share. */
#ifndef PHONE_WATCH_H
#define PHONE_WATCH_H

#include "cmd.h"
#include "inbox.h"
#include "keyring.h"
#include "service.h"
#include "visit.h"

struct watch {
	struct phone phone;
	struct inbox *inbox;
	struct keyring *ring;
	bool asks; /* there is a terminal on which somebody may answer */
	bool json;
	bool once;
	bool is_stopped; /* Ctrl-C, or the terminal is gone */
	/* the question on the terminal */
	struct inbox_item *item;
	uint64_t ends_ms;
};

/* A line between others, without harm to a prompt that waits. */
void watch_note_begin(const struct watch *w);
void watch_note_end(const struct watch *w);

/* The bell of the terminal, if standard output is one. */
void watch_ring(const struct watch *w);

/* Is what is new really sealed for this phone?  Else its service is blamed. */
bool watch_open(
    struct watch *w, struct inbox_item *item, struct csign_link **ret_link);

/*
 * How an item that is over has ended, as its service says; false: it has not.
 * Gone is SERVICE_PENDING.
 */
bool watch_ended(
    struct watch *w, struct inbox_item *item, enum service_state *ret_state);

/*
 * Shows the question and asks until it is answered, skipped, or over; the exit
 * status that the answer stands for.  The item is not dropped.
 */
enum out_status watch_ask(
    struct watch *w, struct inbox_item *item, struct visit *visit);
/* A sentence on how it has ended somewhere else. */
void watch_say_ended(enum service_state state);

#endif
