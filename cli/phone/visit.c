/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../process.h"
#include "clock.h"
#include "question.h"
#include "visit.h"

#define RETRY_MS 500
#define CLOCK_SLACK 60 /* seconds, as hosts grant it to signatures */
/* How long the question after an enrolment may take to appear. */
#define TEST_MS 30000
#define TEST_RETRY_MS 100
/* What the host and its courier may need after the last second. */
#define GRACE_MS 5000

static uint64_t
now_ms(void)
{
	uint64_t ms = 0;

	return csign_clock_boot(&ms) == CSIGN_OK ? ms : 0;
}

uint32_t
visit_seconds_left(const struct visit *visit)
{
	uint64_t now = now_ms();

	return visit->ends_ms > now ? (uint32_t)((visit->ends_ms - now) / 1000)
				    : 0;
}

/* The service's refusals in words that fit a link. */
enum out_status
visit_fail(const struct phone *phone, enum csign_err err)
{
	switch ((int)err) {
	case CSIGN_E_NOT_FOUND:
		out_error("the service knows no such question (any more)");
		return STATUS_NO;
	case CSIGN_E_EXPIRED:
		out_error("too late: the question is no longer open");
		return STATUS_NO;
	case CSIGN_E_EXISTS:
		out_error("this question is answered already");
		return STATUS_NO;
	default:
		return phone_fail(phone, err);
	}
}

static enum csign_err
fetch(struct phone *phone, struct visit *visit)
{
	struct csign_buf *sealed = NULL;
	uint32_t left = 0;
	enum csign_err r;

	if ((r = service_fetch(visit->service, &phone->why, &sealed, &left)) !=
	    CSIGN_OK)
		return r;
	visit->ends_ms = now_ms() + (uint64_t)left * 1000;
	r = csign_question_open(phone->crypto, visit->link,
	    csign_buf_data(sealed), csign_buf_len(sealed), &visit->question);
	csign_buf_free(&sealed);
	if (r == CSIGN_E_FORMAT)
		csign_why_set(&phone->why,
		    "what the service sent was not made for this link, or is "
		    "of a kind that this phone does not know");
	return r;
}

/* The lifetime counts as the host wrote it, not as the service says. */
static void
cap_life(struct visit *visit)
{
	uint64_t most =
	    now_ms() + (uint64_t)visit->question.transaction.lifetime * 1000;

	if (visit->ends_ms > most)
		visit->ends_ms = most;
}

static enum csign_err
dial(struct phone *phone, struct visit *visit)
{
	return service_new(visit->origin, phone->args->option[OPT_CA_FILE],
	    csign_link_id(visit->link), phone->stop_fd, &phone->why,
	    &visit->service);
}

static enum csign_err
open_parts(struct phone *phone, const char *link, struct visit *visit)
{
	const struct csign_transaction *t = &visit->question.transaction;
	enum csign_err r;

	if ((r = csign_link_parse(phone->crypto, link, &visit->link,
		 &visit->origin)) != CSIGN_OK) {
		csign_why_set(&phone->why, "that is not a link of countersign");
		return r;
	}
	if ((r = dial(phone, visit)) != CSIGN_OK ||
	    (r = fetch(phone, visit)) != CSIGN_OK)
		return r;
	cap_life(visit);
	service_seen(visit->service);
	if (t->enrolment)
		return CSIGN_OK;
	return store_find(phone->store, t, visit->origin, &phone->why,
	    &visit->memory, &visit->entry);
}

enum out_status
visit_open(struct phone *phone, const char *link, struct visit *ret_visit)
{
	struct visit visit = {.memory = STORE_UNKNOWN};
	enum csign_err r;

	if ((r = open_parts(phone, link, &visit)) != CSIGN_OK) {
		visit_close(&visit);
		return visit_fail(phone, r);
	}
	visit_show(&visit, false);
	*ret_visit = visit;
	return STATUS_YES;
}

/* --- the question after an enrolment ---------------------------------------
 */

static enum csign_err
fetch_soon(struct phone *phone, struct visit *visit)
{
	const uint64_t end = now_ms() + TEST_MS;
	enum csign_err r;

	while ((r = fetch(phone, visit)) != CSIGN_OK && now_ms() < end &&
	       (r == CSIGN_E_NOT_FOUND || r == CSIGN_E_SERVICE))
		if (process_wait(-1, phone->stop_fd, TEST_RETRY_MS) ==
		    WAIT_STOPPED)
			return CSIGN_E_INTERRUPTED;
	return r;
}

/* Is it for whom the device was enrolled? */
static bool
is_test(const struct csign_transaction *t,
    const struct csign_transaction *enrolment)
{
	return !t->enrolment && strcmp(t->host, enrolment->host) == 0 &&
	       strcmp(t->user, enrolment->user) == 0 &&
	       t->uid == enrolment->uid;
}

static enum csign_err
open_test(
    struct phone *phone, const struct visit *enrolment, struct visit *visit)
{
	enum csign_err r;

	if ((r = csign_link_for_test(
		 phone->crypto, enrolment->link, &visit->link)) != CSIGN_OK)
		return r;
	(void)snprintf(phone->followed, sizeof phone->followed, "%s",
	    csign_link_id(visit->link));
	if ((r = dial(phone, visit)) != CSIGN_OK ||
	    (r = fetch_soon(phone, visit)) != CSIGN_OK)
		return r;
	if (!is_test(&visit->question.transaction,
		&enrolment->question.transaction)) {
		csign_why_set(&phone->why,
		    "the question that followed is for somebody else");
		return CSIGN_E_FORMAT;
	}
	cap_life(visit);
	service_seen(visit->service);
	return CSIGN_OK;
}

enum out_status
visit_open_test(struct phone *phone, const struct visit *enrolment,
    const struct store_entry *entry, const struct csign_p256 *key,
    struct visit *ret_visit)
{
	struct visit visit = {
	    .memory = STORE_KNOWN, .entry = *entry, .key = key};
	enum csign_err r = CSIGN_E_NOMEM;

	if ((visit.origin = strdup(enrolment->origin)) == NULL ||
	    (r = open_test(phone, enrolment, &visit)) != CSIGN_OK) {
		visit_close(&visit);
		return visit_fail(phone, r);
	}
	visit_show(&visit, false);
	*ret_visit = visit;
	return STATUS_YES;
}

/* --- a question of the inbox -----------------------------------------------
 */

/*
 * Was it made just now, by the clocks of host and phone?  Where they are
 * further apart, the host would not take this phone's signature either.
 */
static bool
is_fresh(const struct csign_transaction *t)
{
	uint64_t created = 0, now = 0;

	return csign_time_parse(t->created, &created) == CSIGN_OK &&
	       csign_clock_wall(&now) == CSIGN_OK &&
	       created <= now / 1000 + CLOCK_SLACK &&
	       now / 1000 <= created + t->lifetime + CLOCK_SLACK;
}

/* Whoever has the device's public seal key could have put it there. */
static enum csign_err
check_inbox(struct phone *phone, const struct visit *visit)
{
	const struct csign_transaction *t = &visit->question.transaction;
	const struct store_entry *e = &visit->entry;

	if (t->enrolment || strcmp(t->host, e->host) != 0 ||
	    strcmp(t->user, e->user) != 0 || t->uid != e->uid) {
		csign_why_set(
		    &phone->why, "it is not for whom this phone was enrolled");
		return CSIGN_E_FORMAT;
	}
	if (!is_fresh(t)) {
		csign_why_set(&phone->why,
		    "it was made at %s, by its host's clock; it is old, or one "
		    "of the clocks is wrong",
		    t->created);
		return CSIGN_E_FORMAT;
	}
	return CSIGN_OK;
}

enum csign_err
visit_open_inbox(struct phone *phone, const struct store_entry *entry,
    struct csign_link *link, struct visit *visit)
{
	enum csign_err r = CSIGN_E_NOMEM;

	*visit = (struct visit){.link = link,
	    .memory = STORE_KNOWN,
	    .entry = *entry,
	    .inbox = true};
	if ((visit->origin = strdup(entry->origin)) == NULL ||
	    (r = dial(phone, visit)) != CSIGN_OK ||
	    (r = fetch(phone, visit)) != CSIGN_OK ||
	    (r = check_inbox(phone, visit)) != CSIGN_OK) {
		visit_close(visit);
		return r;
	}
	cap_life(visit);
	return CSIGN_OK;
}

void
visit_show(const struct visit *visit, bool seen)
{
	if (seen)
		service_seen(visit->service);
	question_show(&visit->question, visit->origin, visit->memory,
	    visit_seconds_left(visit));
}

void
visit_close(struct visit *visit)
{
	csign_p256_free(&visit->own_key);
	csign_question_clear(&visit->question);
	service_free(&visit->service);
	csign_link_free(&visit->link);
	free(visit->origin);
	*visit = (struct visit){.memory = STORE_UNKNOWN};
}

enum out_status
visit_send(struct phone *phone, struct visit *visit,
    const struct csign_buf *answer, const char *hint, uint32_t *ret_sequence)
{
	enum csign_err r = service_answer(
	    visit->service, answer, hint, &phone->why, ret_sequence);

	if (r == CSIGN_E_NOT_FOUND || r == CSIGN_E_EXPIRED)
		visit->over = true;
	return r == CSIGN_OK ? STATUS_YES : visit_fail(phone, r);
}

/* Has the host judged, or is somebody still at it? */
static bool
is_outcome(const struct service_event *event)
{
	switch (event->state) {
	case SERVICE_GRANTED:
	case SERVICE_DENIED:
	case SERVICE_EXPIRED:
	case SERVICE_CANCELLED:
		return true;
	case SERVICE_PENDING:
	case SERVICE_SEEN:
		return event->reason[0] != '\0';
	case SERVICE_ANSWERED:
		break;
	}
	return false;
}

enum out_status
visit_outcome(struct phone *phone, struct visit *visit, uint32_t sequence,
    struct service_event *ret_event)
{
	struct service_event event = {.sequence = sequence};
	enum csign_err r = CSIGN_E_AGAIN;

	while (now_ms() < visit->ends_ms + GRACE_MS) {
		uint32_t wait = visit_seconds_left(visit) + 1;

		if (wait > CSIGN_POLL_WAIT_MAX)
			wait = CSIGN_POLL_WAIT_MAX;
		r = service_event(
		    visit->service, event.sequence, wait, &phone->why, &event);
		if (r == CSIGN_OK && is_outcome(&event)) {
			visit->over = event.state != SERVICE_PENDING &&
				      event.state != SERVICE_SEEN;
			*ret_event = event;
			return STATUS_YES;
		}
		/* the service may be starting again: the answer is stored */
		if (r == CSIGN_E_SERVICE &&
		    process_wait(-1, phone->stop_fd, RETRY_MS) == WAIT_STOPPED)
			r = CSIGN_E_INTERRUPTED;
		if (r != CSIGN_OK && r != CSIGN_E_AGAIN && r != CSIGN_E_SERVICE)
			return visit_fail(phone, r);
	}
	if (r == CSIGN_E_SERVICE)
		return phone_fail(phone, r);
	out_error("the host has not said what became of the answer");
	return STATUS_NO;
}

/* "PROOF_TIME" -> its sentence; foreign words as they are, made harmless. */
static void
print_reason(const char *reason)
{
	char *safe;

#define KNOWN_REASON(name, text)                                               \
	if (strcmp(reason, #name) == 0) {                                      \
		(void)printf(": %s", text);                                    \
		return;                                                        \
	}
	CSIGN_ERR_LIST(KNOWN_REASON)
#undef KNOWN_REASON
	if (reason[0] == '\0' || (safe = question_safe(reason)) == NULL)
		return;
	(void)printf(": %s", safe);
	free(safe);
}

void
visit_explain(const struct service_event *event)
{
	static const char *const texts[] = {
	    [SERVICE_PENDING] = "The host refused the answer",
	    [SERVICE_SEEN] = "The host refused the answer",
	    [SERVICE_ANSWERED] = "Answered",
	    [SERVICE_GRANTED] = "Granted",
	    [SERVICE_DENIED] = "Denied",
	    [SERVICE_EXPIRED] = "Too late: the question has expired",
	    [SERVICE_CANCELLED] = "The host has withdrawn the question"};

	(void)fputs(texts[event->state], stdout);
	if (event->state != SERVICE_GRANTED)
		print_reason(event->reason);
	if (event->tries_left > 0)
		(void)printf("; %u %s left", event->tries_left,
		    event->tries_left == 1 ? "try" : "tries");
	(void)puts(".");
}

static enum out_status
act_on_link(struct phone *phone, const char *link, unsigned int kinds,
    enum out_status (*act)(struct phone *phone, struct visit *visit))
{
	struct visit visit = {.link = NULL};
	enum out_status status;
	bool enrolment;

	if ((status = visit_open(phone, link, &visit)) != STATUS_YES)
		return status;
	enrolment = visit.question.transaction.enrolment;
	if ((kinds & (enrolment ? VISIT_ENROLMENT : VISIT_APPROVAL)) != 0) {
		status = act(phone, &visit);
	} else {
		out_error(enrolment ? "this is an enrolment: countersign-phone "
				      "enroll answers it"
				    : "this is a question, not an enrolment: "
				      "countersign-phone approve answers it");
		status = STATUS_NO;
	}
	visit_close(&visit);
	return status;
}

enum out_status
visit_command(const struct args *args, unsigned int kinds,
    enum out_status (*act)(struct phone *phone, struct visit *visit))
{
	struct phone phone;
	enum out_status status;
	char link[CSIGN_LINK_MAX + 1];

	if ((status = phone_open(&phone, args)) != STATUS_YES)
		return status;
	if ((status = phone_link(&phone, link)) == STATUS_YES)
		status = act_on_link(&phone, link, kinds, act);
	csign_wipe(link, sizeof link);
	phone_close(&phone);
	return status;
}
