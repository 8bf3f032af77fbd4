/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The inbox of this phone: what every service that it knows says is open and
 * sealed for one of its devices, followed by one long poll for each device's
 * cookie.  Nothing of it is opened here, and nothing of it is believed:
 * inbox_link() and visit_open_inbox() find out whether it is a question.
 */
#ifndef PHONE_INBOX_H
#define PHONE_INBOX_H

#include <stdbool.h>
#include <stdint.h>

#include "cmd.h"
#include "link.h"
#include "store.h"

struct inbox;
struct inbox_place;

struct inbox_item {
	struct inbox_place *place; /* NULL: none is here */
	const struct store_entry *entry;
	char id[CSIGN_LINK_ID_SIZE];
	unsigned char sealed[CSIGN_DEVICE_SEAL_LEN];
	uint64_t ends_ms; /* by CLOCK_BOOTTIME, as the service says */
	bool is_over;     /* the service lists it no more, or its time is up */
	bool is_handled;  /* the caller's: it knows of it */
	bool is_told;     /* the caller's: it has said that there is one */
	uint64_t due_ms;  /* the caller's: not to be looked at before */
};

/* What is to be said of a service, once until it changes. */
enum inbox_news {
	INBOX_AWAY, /* no reply, or none that makes sense; it is tried again */
	INBOX_BACK, /* after that */
	INBOX_REFUSED, /* it does not know this phone; not asked any more */
	INBOX_FOREIGN, /* something in it is no question for this phone */
};

struct inbox_listener {
	/* entry: a device of the phone there; why: a sentence or "" */
	void (*tell)(void *arg, enum inbox_news news,
	    const struct store_entry *entry, const char *why);
	void *arg;
};

/*
 * Of every enrolment that phone remembers; nothing is sent yet.  wait: poll
 * for changes, else look once.  CSIGN_E_NOT_FOUND, with why: there is none.
 */
CSIGN_WUR enum csign_err inbox_new(struct phone *phone, bool wait,
    const struct inbox_listener *listener, struct inbox **ret_inbox);
void inbox_free(struct inbox **inbox);

/* The enrolments, oldest first; they live as long as the inbox. */
const struct store_entry *inbox_entries(
    const struct inbox *inbox, size_t *ret_n);
/* How many services are not lost, and how many have replied at least once. */
size_t inbox_places(const struct inbox *inbox);
size_t inbox_heard(const struct inbox *inbox);
/* Each has replied, or failed to. */
bool inbox_all_asked(const struct inbox *inbox);

/*
 * Goes on with the polls until fd (-1: none) is readable, an item is new or
 * over or due, a service was lost or has replied for the first time, or
 * until_ms (CLOCK_BOOTTIME).
 */
enum inbox_event { INBOX_FD, INBOX_CHANGED, INBOX_TIMEOUT, INBOX_STOPPED };
enum inbox_event inbox_wait(struct inbox *inbox, int fd, uint64_t until_ms);

/* The item after this one; NULL: the first, and behind the last. */
struct inbox_item *inbox_next(struct inbox *inbox, struct inbox_item *item);
/* One that nobody has handled, is not over, and is due; or NULL. */
struct inbox_item *inbox_new_item(struct inbox *inbox);
/* It is dealt with: forgotten, and whatever is listed of it from now on. */
void inbox_drop(struct inbox *inbox, struct inbox_item *item);
/* The same for what was no question; its service is told of once. */
void inbox_blame(struct inbox *inbox, struct inbox_item *item, const char *why);

/*
 * The link out of what is sealed; CSIGN_E_FORMAT: it was not sealed to this
 * device's key, or is the link of another question.
 */
CSIGN_WUR enum csign_err inbox_link(struct phone *phone,
    const struct inbox_item *item, const struct csign_p256 *seal_key,
    struct csign_link **ret_link);

/* Milliseconds of CLOCK_BOOTTIME. */
uint64_t inbox_now(void);

#endif
