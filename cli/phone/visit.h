/* SPDX-License-Identifier: BSD-2-Clause */
/* One link, opened: its service, its question, and what became of it. */
#ifndef PHONE_VISIT_H
#define PHONE_VISIT_H

#include <stdint.h>

#include "cmd.h"
#include "link.h"
#include "phone.h"
#include "service.h"
#include "store.h"

struct visit {
	struct csign_link *link;
	char *origin;
	struct service *service;
	struct csign_question question;
	uint64_t ends_ms; /* by CLOCK_BOOTTIME */
	enum store_memory memory;
	struct store_entry entry; /* only if memory is STORE_KNOWN */
	const struct csign_p256
	    *key;                   /* entry's, where it is at hand; borrowed */
	struct csign_p256 *own_key; /* or unlocked for this visit */
	bool over;                  /* the host has closed the question */
	bool inbox;                 /* nobody has scanned the link */
};

/*
 * Fetches and opens the question of a link, tells the service that it was
 * seen, and shows it.  On failure it has said why.
 */
enum out_status visit_open(
    struct phone *phone, const char *link, struct visit *ret_visit);
/*
 * The same for the test question that follows an enrolment without a second
 * scan: waits until it is there.  entry and key are the new device's.
 */
enum out_status visit_open_test(struct phone *phone,
    const struct visit *enrolment, const struct store_entry *entry,
    const struct csign_p256 *key, struct visit *ret_visit);
/*
 * The question of a link that was in the inbox of entry's device; link is
 * taken over in any case.  Nothing is said, shown or told to the service.
 * CSIGN_E_FORMAT, with why: it is no question for that device;
 * CSIGN_E_NOT_FOUND, CSIGN_E_EXPIRED: it has ended.
 */
CSIGN_WUR enum csign_err visit_open_inbox(struct phone *phone,
    const struct store_entry *entry, struct csign_link *link,
    struct visit *visit);
/* Shows it; seen: and the service may say so at the terminal. */
void visit_show(const struct visit *visit, bool seen);
void visit_close(struct visit *visit);

/* Says what an error of a call for a link means; its exit status. */
enum out_status visit_fail(const struct phone *phone, enum csign_err err);

uint32_t visit_seconds_left(const struct visit *visit);

/* Sends an answer; *ret_sequence is for visit_outcome(). */
enum out_status visit_send(struct phone *phone, struct visit *visit,
    const struct csign_buf *answer, const char *hint, uint32_t *ret_sequence);

/*
 * Waits until the host has judged the answer, also across a restart of the
 * service.  A rejected answer comes back as SERVICE_PENDING with its reason.
 * On failure it has said why.
 */
enum out_status visit_outcome(struct phone *phone, struct visit *visit,
    uint32_t sequence, struct service_event *ret_event);

/* One line on an event that is no yes. */
void visit_explain(const struct service_event *event);

/*
 * A whole command: the phone, the link that args name, the visit, and act()
 * on it if the question is of one of these kinds.
 */
#define VISIT_APPROVAL 1u
#define VISIT_ENROLMENT 2u
enum out_status visit_command(const struct args *args, unsigned int kinds,
    enum out_status (*act)(struct phone *phone, struct visit *visit));

#endif
