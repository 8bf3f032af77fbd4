/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * countersign-phone enroll: a new key for a host and a user.  The key is
 * stored before the answer leaves, and forgotten if the host does not take it.
 */
#include "config.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../tty.h"
#include "cmd.h"
#include "question.h"
#include "visit.h"

struct new_device {
	struct store_entry entry;
	struct csign_p256 *key, *seal_key;
};

static void
new_device_clear(struct new_device *d)
{
	csign_p256_free(&d->key);
	csign_p256_free(&d->seal_key);
}

/* --name, else what this machine is called. */
static void
device_name(const struct args *args, char *name, size_t size)
{
	char node[256] = "";

	if (args->option[OPT_NAME] != NULL)
		(void)snprintf(name, size, "%s", args->option[OPT_NAME]);
	else if (gethostname(node, sizeof node - 1) == 0 && node[0] != '\0')
		(void)snprintf(name, size, "terminal on %.*s",
		    CSIGN_DEVICE_NAME_MAX - 12, node);
	else
		(void)snprintf(name, size, "terminal");
}

static enum csign_err
new_device(struct phone *phone, const struct visit *visit,
    struct new_device *ret_device)
{
	const struct csign_transaction *t = &visit->question.transaction;
	struct new_device d = {.entry = {.uid = t->uid}};
	struct store_entry *e = &d.entry;
	unsigned char point[CSIGN_POINT_LEN];
	enum csign_err r;
	uint64_t now = 0;

	if (strlen(t->host) >= sizeof e->host ||
	    strlen(t->user) >= sizeof e->user ||
	    strlen(visit->origin) >= sizeof e->origin)
		return CSIGN_E_TOO_LONG;
	(void)snprintf(e->host, sizeof e->host, "%s", t->host);
	(void)snprintf(e->user, sizeof e->user, "%s", t->user);
	(void)snprintf(e->origin, sizeof e->origin, "%s", visit->origin);
	device_name(phone->args, e->name, sizeof e->name);
	if ((r = csign_clock_wall(&now)) != CSIGN_OK ||
	    (r = csign_time_format(now / 1000, e->added)) != CSIGN_OK ||
	    (r = csign_p256_new(phone->crypto, &d.key)) != CSIGN_OK ||
	    (r = csign_p256_new(phone->crypto, &d.seal_key)) != CSIGN_OK)
		goto out;
	csign_p256_point(d.key, point);
	if ((r = csign_device_id(phone->crypto, point, e->id)) != CSIGN_OK)
		goto out;
	*ret_device = d;
	return CSIGN_OK;
out:
	new_device_clear(&d);
	return r;
}

static enum out_status
save(struct phone *phone, const struct new_device *d)
{
	struct csign_secret *passphrase = NULL;
	enum out_status status;
	enum csign_err r;

	status = phone_passphrase(phone, "New passphrase", true, &passphrase);
	if (status != STATUS_YES)
		return status;
	r = store_add(phone->store, &d->entry, d->key, d->seal_key,
	    (const char *)csign_secret_data(passphrase), &phone->why);
	csign_secret_free(&passphrase);
	return r == CSIGN_OK ? STATUS_YES : phone_fail(phone, r);
}

/* The service's cookie is kept: by it the device can be removed one day. */
static enum csign_err
claim(struct phone *phone, struct visit *visit, struct store_entry *entry)
{
	enum csign_err r = service_device(visit->service, entry->id,
	    entry->name, &phone->why, entry->cookie, sizeof entry->cookie);

	return r == CSIGN_OK ? store_save(phone->store, entry, &phone->why) : r;
}

static enum out_status
send(struct phone *phone, struct visit *visit, struct new_device *d,
    uint32_t *ret_sequence)
{
	struct csign_buf *answer = NULL;
	enum out_status status;
	enum csign_err r;
	uint64_t now = 0;

	if ((r = csign_buf_new(CSIGN_ANSWER_MAX, &answer)) != CSIGN_OK ||
	    (r = claim(phone, visit, &d->entry)) != CSIGN_OK ||
	    (r = csign_clock_wall(&now)) != CSIGN_OK ||
	    (r = csign_phone_enrol(phone->crypto, visit->link, &visit->question,
		 d->key, d->seal_key, d->entry.name, now, answer)) != CSIGN_OK)
		status = phone_fail(phone, r);
	else
		status =
		    visit_send(phone, visit, answer, "approve", ret_sequence);
	csign_buf_free(&answer);
	return status;
}

/* What the host and the person at its terminal made of it. */
static enum out_status
outcome(struct phone *phone, struct visit *visit, const struct new_device *d,
    uint32_t sequence)
{
	struct service_event event;
	enum out_status status;
	char id[20];

	out_device_id(d->entry.id, id);
	(void)printf("The id of this device is\n\n    %s\n\nThe terminal must "
		     "show the same; confirm it there.\n",
	    id);
	(void)fflush(stdout);
	status = visit_outcome(phone, visit, sequence, &event);
	if (status != STATUS_YES)
		return status;
	if (event.state == SERVICE_GRANTED)
		return STATUS_YES;
	visit_explain(&event);
	return STATUS_NO;
}

/*
 * The question that makes the enrolment complete.  *ret_lost: the host has
 * ended it otherwise, so that the device is none.
 */
static enum out_status
give_test(struct phone *phone, const struct visit *enrolment,
    const struct new_device *d, bool *ret_lost)
{
	struct visit test = {.link = NULL};
	enum out_status status;

	(void)puts("Confirmed.  One test question follows.");
	status = visit_open_test(phone, enrolment, &d->entry, d->key, &test);
	if (status == STATUS_YES)
		status = approve_visit(phone, &test);
	*ret_lost = status != STATUS_YES && test.over;
	visit_close(&test);
	if (status != STATUS_YES)
		out_error(*ret_lost ? "this phone is not enrolled"
				    : "this phone is not enrolled before it "
				      "has approved that question");
	return status;
}

static enum out_status
complete(struct phone *phone, const struct visit *visit, struct new_device *d,
    bool *ret_lost)
{
	enum out_status status;
	enum csign_err r;

	if (args_flag(phone->args, OPT_NO_TEST))
		(void)puts("Confirmed.  The terminal now asks for a test "
			   "approval: answer that too.");
	else if ((status = give_test(phone, visit, d, ret_lost)) != STATUS_YES)
		return status;
	d->entry.confirmed = true;
	r = store_save(phone->store, &d->entry, &phone->why);
	return r == CSIGN_OK ? STATUS_YES : phone_fail(phone, r);
}

static enum out_status
enrol(struct phone *phone, struct visit *visit, struct new_device *d)
{
	uint32_t sequence = 0;
	enum out_status status;
	bool lost;

	if ((status = save(phone, d)) != STATUS_YES)
		return status;
	status = send(phone, visit, d, &sequence);
	if (status == STATUS_YES)
		status = outcome(phone, visit, d, sequence);
	/* after trouble nobody knows: the host may yet take it */
	lost = status == STATUS_NO;
	if (status == STATUS_YES)
		status = complete(phone, visit, d, &lost);
	if (lost)
		(void)store_remove(phone->store, d->entry.id);
	return status;
}

enum out_status
enroll_visit(struct phone *phone, struct visit *visit)
{
	struct new_device d = {.key = NULL};
	enum out_status status;
	enum csign_err r;
	bool yes = args_flag(phone->args, OPT_YES);

	if (!yes &&
	    tty_confirm("Enrol this phone?", phone->stop_fd, &yes) != TTY_OK)
		yes = false;
	if (!yes) {
		out_error("nothing was enrolled");
		return STATUS_NO;
	}
	if ((r = new_device(phone, visit, &d)) != CSIGN_OK)
		return phone_fail(phone, r);
	status = enrol(phone, visit, &d);
	new_device_clear(&d);
	return status;
}

enum out_status
cmd_enroll(const struct args *args)
{
	if (args->option[OPT_NAME] != NULL &&
	    strlen(args->option[OPT_NAME]) > CSIGN_DEVICE_NAME_MAX) {
		out_error("a name has at most %d bytes", CSIGN_DEVICE_NAME_MAX);
		return STATUS_USAGE;
	}
	return visit_command(args, VISIT_ENROLMENT, enroll_visit);
}
