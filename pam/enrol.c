/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "enrol.h"
#include "wait.h"

#define GROUPED_ID_SIZE 24
#define LOST_ASKED_MAX 3
#define LINE_SIZE 136
#define LOST_LIST_SIZE 2048

struct enrolling {
	struct csign_enrol *enrol;
	struct csign_enrolment *en;
	struct csign_approval *ap; /* the new phone's first approval */
	uint32_t verdict;
	bool told; /* the person knows already why it ended */
};

/* --- small talk ------------------------------------------------------------
 */

/* Only y and yes are a yes. */
static bool
agrees(const struct csign_person *person, const char *question)
{
	struct csign_reply reply = {""};
	bool yes =
	    csign_conv_ask(person->pamh, question, &reply) == CSIGN_OK &&
	    (csign_reply_is(&reply, "y") || csign_reply_is(&reply, "yes"));

	csign_reply_clear(&reply);
	return yes;
}

static enum csign_err
same_user(const struct csign_person *person)
{
	return csign_items_unchanged(person->pamh, person->items)
		   ? CSIGN_OK
		   : CSIGN_E_INVALID;
}

/* abcdefghijklmnop as the phone shows it: abcd-efgh-ijkl-mnop */
static void
group_id(const char *id, char *out, size_t size)
{
	size_t n = 0;

	for (size_t i = 0; id[i] != '\0' && n + 2 < size; i++) {
		if (i > 0 && i % 4 == 0)
			out[n++] = '-';
		out[n++] = id[i];
	}
	out[n] = '\0';
}

/* Shows a link, and waits for what the phone makes of it. */
static enum csign_err
show_and_wait(struct enrolling *e, const struct csign_challenge *challenge,
    const struct csign_wait *wait)
{
	const struct csign_person *person = e->enrol->person;
	struct csign_reply reply;
	bool left = false;
	enum csign_err r;

	r = csign_present_challenge(person, challenge, &reply);
	csign_reply_clear(&reply);
	if (r != CSIGN_OK || (r = same_user(person)) != CSIGN_OK)
		return r;
	return csign_wait(wait, &left);
}

/* --- one step after the other ----------------------------------------------
 */

/*
 * How long the link is waited for.  sshd gives a login a limited time, of which
 * the lifetime of a question is the part that the administrator has thought of.
 */
static uint32_t
link_seconds(const struct enrolling *e)
{
	const struct csign_person *person = e->enrol->person;
	const char *text = csign_ctx_setting(person->ctx, "lifetime");
	uint32_t seconds = csign_enrolment_seconds_left(e->en), lifetime = 0;

	if (!csign_items_remote(person->items) || text == NULL)
		return seconds;
	for (; *text >= '0' && *text <= '9' && lifetime < seconds; text++)
		lifetime = 10 * lifetime + (uint32_t)(*text - '0');
	return 2 * lifetime < seconds ? 2 * lifetime : seconds;
}

static enum csign_err
look_for_phone(void *arg)
{
	struct enrolling *e = arg;

	return csign_enrolment_wait(e->en, 0);
}

static enum csign_err
find_phone(struct enrolling *e)
{
	const struct csign_enrol *enrol = e->enrol;
	struct csign_challenge challenge = {
	    .lead = "",
	    .where = "on your phone to enrol it",
	    .done = "the phone shows its id",
	    .digits = "",
	};
	struct csign_wait wait = {.look = look_for_phone, .arg = e};
	enum csign_err r;

	if ((r = csign_enrolment_begin(enrol->person->ctx, enrol->user,
		 enrol->user, NULL, &e->en)) != CSIGN_OK)
		return r;
	if (enrol->replaces != NULL &&
	    (r = csign_enrolment_replace(e->en, enrol->replaces)) != CSIGN_OK)
		return r;
	challenge.link = csign_enrolment_link(e->en);
	challenge.seconds = wait.seconds = link_seconds(e);
	wait.fd = csign_enrolment_fd(e->en);
	return show_and_wait(e, &challenge, &wait);
}

/* The link can be photographed: is it this person's phone (ENR-5)? */
static enum csign_err
compare_id(struct enrolling *e)
{
	const struct csign_device_info *device = csign_enrolment_device(e->en);
	const struct csign_person *person = e->enrol->person;
	char id[GROUPED_ID_SIZE], text[256];
	enum csign_err r;
	bool yes;

	csign_present_clean(
	    device->name, e->enrol->name, sizeof(e->enrol->name));
	group_id(device->id, id, sizeof(id));
	(void)snprintf(text, sizeof(text),
	    "\nA phone has answered: %s\nIts id is %s", e->enrol->name, id);
	csign_present_say(person, false, text);
	yes = agrees(person, "Does your phone show the same id? [y/N] ");
	if ((r = same_user(person)) != CSIGN_OK)
		yes = false;
	e->told = !yes;
	if (!yes) {
		if (csign_enrolment_accept(e->en, false) != CSIGN_OK)
			return r == CSIGN_OK ? CSIGN_E_AUDIT : r;
		return r == CSIGN_OK ? CSIGN_E_DECLINED : r;
	}
	return csign_enrolment_accept(e->en, true);
}

static enum csign_err
look_for_approval(void *arg)
{
	struct enrolling *e = arg;

	return csign_approval_wait(e->ap, 0, &e->verdict);
}

/* What only the new phone can approve; then it is written (ENR-6). */
static enum csign_err
prove(struct enrolling *e)
{
	const struct csign_enrol *enrol = e->enrol;
	struct csign_challenge challenge = {
	    .lead =
		enrol->question == NULL
		    ? "Now a test, which the new phone may show already:"
		    : "Now this login, which the new phone may show already:",
	    .where = "on the new phone",
	    .done = "approved",
	    .digits = "", /* it is never rung */
	};
	struct csign_wait wait = {.look = look_for_approval, .arg = e};
	enum csign_err r;

	if ((r = csign_enrolment_test(e->en, enrol->question, &e->ap)) !=
	    CSIGN_OK)
		return r;
	challenge.link = csign_approval_link(e->ap);
	challenge.seconds = wait.seconds = csign_approval_seconds_left(e->ap);
	wait.fd = csign_approval_fd(e->ap);
	if ((r = show_and_wait(e, &challenge, &wait)) != CSIGN_OK)
		return r;
	if (e->verdict != CSIGN_VERDICT_GRANTED)
		return CSIGN_E_INTERNAL;
	return csign_enrolment_commit(e->en, e->ap);
}

static void
say_failure(struct enrolling *e, enum csign_err r)
{
	const struct csign_person *person = e->enrol->person;

	if (!e->told)
		csign_present_failure(person, r, NULL);
	csign_present_say(person, true, "No phone was enrolled.");
}

enum csign_err
csign_enrol(struct csign_enrol *enrol, uint32_t *ret_verdict)
{
	struct enrolling e = {.enrol = enrol};
	enum csign_err r;

	if ((r = find_phone(&e)) == CSIGN_OK &&
	    (r = compare_id(&e)) == CSIGN_OK && (r = prove(&e)) == CSIGN_OK)
		*ret_verdict = e.verdict;
	else
		say_failure(&e, r);
	csign_enrolment_free(&e.en);
	csign_approval_free(&e.ap);
	return r;
}

/* --- in place of a lost one ------------------------------------------------
 */

/* 1 to max; 0 for an empty line; max + 1 for anything else. */
static size_t
number(const char *text, size_t max)
{
	size_t n = 0;

	for (; *text >= '0' && *text <= '9' && n <= max; text++)
		n = 10 * n + (size_t)(*text - '0');
	return *text != '\0' || n > max ? max + 1 : n;
}

/* Numbered; what does not fit any more is left out. */
static void
list_devices(const struct csign_devices *devices, char *out, size_t size)
{
	size_t len = (size_t)snprintf(out, size, "Your phones:");

	for (size_t i = 0; i < csign_devices_count(devices); i++) {
		const struct csign_device_info *d =
		    csign_devices_get(devices, i);
		char name[CSIGN_ENROL_NAME_SIZE], line[LINE_SIZE];
		const char *used = d->last_used;
		size_t n;

		csign_present_clean(d->name, name, sizeof(name));
		(void)snprintf(line, sizeof(line), "\n%3u  %s%s%.20s",
		    (unsigned int)i + 1, name,
		    used[0] == '\0' ? "" : ", last used ", used);
		n = strlen(line);
		if (len + n >= size)
			return;
		memcpy(out + len, line, n + 1);
		len += n;
	}
}

/* Which of several; *ret_id is NULL for none. */
static enum csign_err
ask_lost(const struct csign_person *person, const struct csign_devices *devices,
    const char **ret_id)
{
	size_t count = csign_devices_count(devices), n = count + 1;
	struct csign_reply reply = {""};
	char list[LOST_LIST_SIZE];

	list_devices(devices, list, sizeof(list));
	csign_present_say(person, false, list);
	for (int i = 0; i < LOST_ASKED_MAX && n > count; i++) {
		if (csign_conv_ask(person->pamh,
			"Number of the lost one (Enter for none): ", &reply) !=
		    CSIGN_OK)
			return CSIGN_E_DECLINED;
		n = number(reply.text, count);
		csign_reply_clear(&reply);
	}
	if (n > count)
		return CSIGN_E_DECLINED;
	*ret_id = n == 0 ? NULL : csign_devices_get(devices, n - 1)->id;
	return CSIGN_OK;
}

/* *ret_id, which lives as long as devices, is what the new phone replaces. */
static enum csign_err
offer(const struct csign_person *person, const struct csign_devices *devices,
    const char **ret_id)
{
	char name[CSIGN_ENROL_NAME_SIZE], text[160];
	const struct csign_device_info *only;

	*ret_id = NULL;
	if (devices == NULL || csign_devices_count(devices) != 1) {
		if (!agrees(person, "Enrol a new phone now? [y/N] "))
			return CSIGN_E_DECLINED;
		return devices == NULL ? CSIGN_OK
				       : ask_lost(person, devices, ret_id);
	}
	only = csign_devices_get(devices, 0);
	csign_present_clean(only->name, name, sizeof(name));
	(void)snprintf(text, sizeof(text),
	    "Enrol a new phone now, in place of %s? [y/N] ", name);
	if (!agrees(person, text))
		return CSIGN_E_DECLINED;
	*ret_id = only->id;
	return CSIGN_OK;
}

static void
say_replaced(const struct csign_enrol *enrol)
{
	char text[160];

	(void)snprintf(text, sizeof(text), "%s is enrolled%s.", enrol->name,
	    enrol->replaces == NULL ? "" : ", and the lost one is revoked");
	csign_present_say(enrol->person, false, text);
}

enum csign_err
csign_enrol_offer(const struct csign_person *person, const char *user,
    char ret_name[CSIGN_ENROL_NAME_SIZE])
{
	struct csign_enrol enrol = {.person = person, .user = user};
	struct csign_devices *devices = NULL;
	uint32_t verdict = CSIGN_VERDICT_NONE;
	enum csign_err r;

	r = csign_devices_load(person->ctx, user, &devices);
	if (r != CSIGN_OK && r != CSIGN_E_UNENROLLED)
		return r;
	if ((r = offer(person, devices, &enrol.replaces)) == CSIGN_OK &&
	    (r = same_user(person)) == CSIGN_OK &&
	    (r = csign_enrol(&enrol, &verdict)) == CSIGN_OK) {
		memcpy(ret_name, enrol.name, sizeof(enrol.name));
		say_replaced(&enrol);
	}
	csign_devices_free(&devices);
	return r;
}
