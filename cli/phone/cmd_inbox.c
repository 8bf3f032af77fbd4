/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * countersign-phone inbox, and the answer to one question of it: for programs,
 * and for whoever does not want to watch.
 */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "inbox.h"
#include "keyring.h"
#include "question.h"
#include "visit.h"

/* What an inbox says of its services goes to standard error. */
static void
tell_news(void *arg, enum inbox_news news, const struct store_entry *entry,
    const char *why)
{
	(void)arg;
	if (news == INBOX_BACK)
		return;
	if (strncmp(why, entry->origin, strlen(entry->origin)) == 0)
		out_error("%s", why);
	else
		out_error("%s: %s", entry->origin, why);
}

static const struct inbox_listener listener = {.tell = tell_news};

/* Nothing was found: did nobody say so, or somebody fail to? */
static enum out_status
nothing(const struct inbox *inbox)
{
	return inbox_heard(inbox) < inbox_places(inbox) ? STATUS_TROUBLE
							: STATUS_NO;
}

/* --- the list --------------------------------------------------------------
 */

struct list {
	struct phone phone;
	struct inbox *inbox;
	struct keyring *ring;
	struct out_table *table;
	struct json_object *array; /* with --json */
	size_t n;
	bool failed;
};

/* What approving it takes, for a person. */
static const char *
needs(const char *code)
{
	if (strcmp(code, "never") == 0)
		return "scan";
	return strcmp(code, "tap") == 0 ? "nothing" : "code";
}

static bool
add_row(struct list *l, const struct inbox_item *item, const struct visit *v)
{
	const struct csign_transaction *t = &v->question.transaction;
	char left[16];
	const char *const cells[] = {
	    item->id, t->host, t->user, t->service, needs(t->code), left};

	(void)snprintf(left, sizeof left, "%u s", visit_seconds_left(v));
	return out_table_row(l->table, cells);
}

static bool
add_object(struct list *l, const struct inbox_item *item, const struct visit *v)
{
	struct json_object *o =
	    question_json(&v->question, v->origin, visit_seconds_left(v));

	if (out_json_str(o, "id", item->id) &&
	    out_json_str(o, "device", item->entry->id) &&
	    json_object_array_add(l->array, o) == 0)
		return true;
	json_object_put(o);
	return false;
}

static enum csign_err
open_item(struct list *l, struct inbox_item *item, struct visit *visit)
{
	const struct csign_p256 *key = keyring_get(l->ring, item->entry);
	struct csign_link *link = NULL;

	if (key == NULL) {
		l->failed = true;
		return CSIGN_E_NOT_FOUND;
	}
	if (inbox_link(&l->phone, item, key, &link) != CSIGN_OK) {
		csign_why_set(&l->phone.why, "it is not sealed for this phone");
		return CSIGN_E_FORMAT;
	}
	return visit_open_inbox(&l->phone, item->entry, link, visit);
}

static enum csign_err
add(struct list *l, struct inbox_item *item)
{
	struct visit visit = {.link = NULL};
	enum csign_err r = open_item(l, item, &visit);

	if (r == CSIGN_OK) {
		bool ok = l->array != NULL ? add_object(l, item, &visit)
					   : add_row(l, item, &visit);

		if (!ok)
			r = CSIGN_E_NOMEM;
		l->n++;
		visit_close(&visit);
	} else if (r == CSIGN_E_FORMAT) {
		inbox_blame(l->inbox, item, l->phone.why.text);
		return CSIGN_OK;
	} else if (r == CSIGN_E_NOT_FOUND || r == CSIGN_E_EXPIRED) {
		r = CSIGN_OK;
	}
	inbox_drop(l->inbox, item);
	return r;
}

/* Until every service was asked and there is one, or until_ms. */
static enum csign_err
collect(struct list *l, uint64_t until_ms)
{
	struct inbox_item *item;
	enum csign_err r;

	for (;;) {
		bool asked = inbox_all_asked(l->inbox);

		while ((item = inbox_new_item(l->inbox)) != NULL)
			if ((r = add(l, item)) != CSIGN_OK)
				return r;
		if (asked && (l->n > 0 || inbox_now() >= until_ms ||
				 inbox_places(l->inbox) == 0))
			return CSIGN_OK;
		if (inbox_wait(l->inbox, -1, asked ? until_ms : UINT64_MAX) ==
		    INBOX_STOPPED)
			return CSIGN_E_INTERRUPTED;
	}
}

static bool
print(struct list *l)
{
	struct json_object *o;

	if (l->array == NULL) {
		if (l->n > 0)
			out_table_print(l->table);
		return true;
	}
	o = json_object_new_object();
	if (!out_json_add(o, "questions", json_object_get(l->array))) {
		json_object_put(o);
		return false;
	}
	out_json_print(o);
	return true;
}

static enum out_status
list_run(struct list *l, uint32_t seconds)
{
	static const char *const heads[] = {
	    "ID", "HOST", "USER", "SERVICE", "NEEDS", "LEFT"};
	const struct store_entry *entries;
	enum csign_err r;
	size_t n = 0;

	if ((r = inbox_new(&l->phone, seconds > 0, &listener, &l->inbox)) !=
	    CSIGN_OK)
		return phone_fail(&l->phone, r);
	entries = inbox_entries(l->inbox, &n);
	if ((r = keyring_new(&l->phone, entries, n, &l->ring)) != CSIGN_OK)
		return phone_fail(&l->phone, r);
	l->table = out_table_new(sizeof heads / sizeof heads[0], heads);
	if (args_flag(l->phone.args, OPT_JSON))
		l->array = json_object_new_array();
	if (l->table == NULL ||
	    (args_flag(l->phone.args, OPT_JSON) && l->array == NULL))
		return phone_fail(&l->phone, CSIGN_E_NOMEM);
	r = collect(l, inbox_now() + (uint64_t)seconds * 1000);
	if (r == CSIGN_OK && !print(l))
		r = CSIGN_E_NOMEM;
	if (r != CSIGN_OK)
		return phone_fail(&l->phone, r);
	if (l->n > 0)
		return STATUS_YES;
	return l->failed ? STATUS_TROUBLE : nothing(l->inbox);
}

enum out_status
cmd_inbox(const struct args *args)
{
	struct list l = {.n = 0};
	enum out_status status;
	uint32_t seconds = 0;

	if (!phone_wait_option(args, &seconds))
		return STATUS_USAGE;
	if ((status = phone_open(&l.phone, args)) != STATUS_YES)
		return status;
	status = list_run(&l, seconds);
	json_object_put(l.array);
	out_table_free(&l.table);
	keyring_free(&l.ring);
	inbox_free(&l.inbox);
	phone_close(&l.phone);
	return status;
}

/* --- one question ----------------------------------------------------------
 */

static struct inbox_item *
find(struct inbox *inbox, const char *id)
{
	struct inbox_item *item = NULL;

	while ((item = inbox_next(inbox, item)) != NULL)
		if (strcmp(item->id, id) == 0 && !item->is_over)
			break;
	return item;
}

/* In the inbox as it is now; NULL, and *status, if it is not there. */
static struct inbox_item *
look_up(struct phone *phone, struct inbox *inbox, const char *id,
    enum out_status *status)
{
	struct inbox_item *item;

	while ((item = find(inbox, id)) == NULL && !inbox_all_asked(inbox))
		if (inbox_wait(inbox, -1, UINT64_MAX) == INBOX_STOPPED) {
			*status = phone_fail(phone, CSIGN_E_INTERRUPTED);
			return NULL;
		}
	if (item == NULL) {
		out_error("no such question is in the inbox (any more)");
		*status = nothing(inbox);
	}
	return item;
}

/* One passphrase unlocks both keys of a device. */
static enum out_status
unlock(struct phone *phone, const char *id, struct csign_p256 **ret_key,
    struct csign_p256 **ret_seal_key)
{
	struct csign_secret *passphrase = NULL;
	enum out_status status;
	const char *text;
	enum csign_err r;

	status = phone_passphrase(phone, "Passphrase", false, &passphrase);
	if (status != STATUS_YES)
		return status;
	text = (const char *)csign_secret_data(passphrase);
	if ((r = store_seal_key(phone->store, phone->crypto, id, text,
		 &phone->why, ret_seal_key)) == CSIGN_OK)
		r = store_key(phone->store, phone->crypto, id, text,
		    &phone->why, ret_key);
	csign_secret_free(&passphrase);
	if (r == CSIGN_OK)
		return STATUS_YES;
	(void)phone_fail(phone, r);
	return STATUS_TROUBLE;
}

static enum out_status
open_visit(struct phone *phone, const struct inbox_item *item,
    const struct csign_p256 *seal_key, struct visit *visit)
{
	struct csign_link *link = NULL;
	enum csign_err r;

	if ((r = inbox_link(phone, item, seal_key, &link)) != CSIGN_OK)
		csign_why_set(&phone->why, "it is not sealed for this phone");
	else
		r = visit_open_inbox(phone, item->entry, link, visit);
	if (r == CSIGN_OK)
		return STATUS_YES;
	if (r != CSIGN_E_FORMAT)
		return visit_fail(phone, r);
	out_error("that is no question for this phone: %s", phone->why.text);
	return STATUS_NO;
}

static enum out_status
act_on(struct phone *phone, const struct inbox_item *item,
    enum out_status (*act)(struct phone *phone, struct visit *visit))
{
	struct csign_p256 *key = NULL, *seal_key = NULL;
	struct visit visit = {.link = NULL};
	enum out_status status;

	status = unlock(phone, item->entry->id, &key, &seal_key);
	if (status == STATUS_YES)
		status = open_visit(phone, item, seal_key, &visit);
	if (status == STATUS_YES) {
		visit.own_key = key;
		key = NULL;
		visit_show(&visit, true);
		status = act(phone, &visit);
		visit_close(&visit);
	}
	csign_p256_free(&key);
	csign_p256_free(&seal_key);
	return status;
}

enum out_status
inbox_command(const struct args *args,
    enum out_status (*act)(struct phone *phone, struct visit *visit))
{
	struct inbox *inbox = NULL;
	struct inbox_item *item;
	enum out_status status;
	struct phone phone;
	enum csign_err r;

	if (args->n_operands > 0 || args->option[OPT_DEVICE] != NULL) {
		out_error("--inbox names the question and its device; there is "
			  "no link or --device beside it");
		return STATUS_USAGE;
	}
	if ((status = phone_open(&phone, args)) != STATUS_YES)
		return status;
	if ((r = inbox_new(&phone, false, &listener, &inbox)) != CSIGN_OK)
		status = phone_fail(&phone, r);
	else if ((item = look_up(
		      &phone, inbox, args->option[OPT_INBOX], &status)) != NULL)
		status = act_on(&phone, item, act);
	inbox_free(&inbox);
	phone_close(&phone);
	return status;
}
