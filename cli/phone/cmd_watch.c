/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * countersign-phone watch: waits for questions that a service has for this
 * phone, rings, and asks whoever sits at the terminal.
 */
#include "config.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "question.h"
#include "watch.h"

#define RETRY_MS 1000

/* --- what is said ----------------------------------------------------------
 */

void
watch_note_begin(const struct watch *w)
{
	if (w->phone.prompt != NULL)
		(void)putchar('\n');
	(void)fflush(stdout);
}

void
watch_note_end(const struct watch *w)
{
	if (w->phone.prompt != NULL)
		(void)fputs(w->phone.prompt, stdout);
	(void)fflush(stdout);
}

void
watch_ring(const struct watch *w)
{
	if (!w->json && isatty(STDOUT_FILENO) == 1)
		(void)putchar('\a');
}

static void
print_news(enum inbox_news news, const struct store_entry *e, const char *why)
{
	static const char *const events[] = {[INBOX_AWAY] = "away",
	    [INBOX_BACK] = "back",
	    [INBOX_REFUSED] = "refused",
	    [INBOX_FOREIGN] = "ignored"};
	struct json_object *o = json_object_new_object();

	if (out_json_str(o, "event", events[news]) &&
	    out_json_str(o, "origin", e->origin) &&
	    out_json_str(o, "device", e->id) &&
	    (why[0] == '\0' || out_json_str(o, "reason", why)))
		out_json_line(o);
	else
		json_object_put(o);
	(void)fflush(stdout);
}

static void
say_news(enum inbox_news news, const struct store_entry *e, const char *why)
{
	const char *origin = e->origin;

	switch (news) {
	case INBOX_AWAY:
		/* what libcurl says begins with the address itself */
		if (strncmp(why, origin, strlen(origin)) == 0)
			out_error("%s; trying again", why);
		else
			out_error("%s: %s; trying again", origin, why);
		break;
	case INBOX_BACK:
		out_error("%s: is back", origin);
		break;
	case INBOX_REFUSED:
		out_error("%s: %s; scan its questions, or enrol this phone "
			  "again (\"countersign-phone remove --local %s\" "
			  "forgets the old device)",
		    origin, why, e->id);
		break;
	case INBOX_FOREIGN:
		out_error("%s: sent something that is no question for this "
			  "phone, and is ignored: %s",
		    origin, why);
		break;
	}
}

static void
tell_news(void *arg, enum inbox_news news, const struct store_entry *entry,
    const char *why)
{
	const struct watch *w = arg;

	if (w->json) {
		print_news(news, entry, why);
		return;
	}
	watch_note_begin(w);
	say_news(news, entry, why);
	watch_note_end(w);
}

static void
say_watching(const struct watch *w)
{
	const struct store_entry *entries;
	size_t n = 0;

	entries = inbox_entries(w->inbox, &n);
	(void)puts("Waiting for questions, until Ctrl-C:");
	for (size_t i = 0; i < n; i++) {
		char *user = question_safe(entries[i].user);
		char *host = question_safe(entries[i].host);

		(void)printf("    %s at %s, from %s\n",
		    user != NULL ? user : "?", host != NULL ? host : "?",
		    entries[i].origin);
		free(user);
		free(host);
	}
	(void)fflush(stdout);
}

/* --- questions -------------------------------------------------------------
 */

bool
watch_open(
    struct watch *w, struct inbox_item *item, struct csign_link **ret_link)
{
	const struct csign_p256 *key = keyring_get(w->ring, item->entry);

	if (key == NULL) /* it was told at the start */
		inbox_drop(w->inbox, item);
	else if (inbox_link(&w->phone, item, key, ret_link) != CSIGN_OK)
		inbox_blame(w->inbox, item, "it is not sealed for this phone");
	else
		return true;
	return false;
}

bool
watch_ended(
    struct watch *w, struct inbox_item *item, enum service_state *ret_state)
{
	const struct store_entry *e = item->entry;
	struct service *service = NULL;
	struct service_event event = {.state = SERVICE_PENDING};
	enum csign_err r;

	if ((r = service_new(e->origin, w->phone.args->option[OPT_CA_FILE],
		 item->id, w->phone.stop_fd, &w->phone.why, &service)) ==
	    CSIGN_OK)
		r = service_event(service, 0, 0, &w->phone.why, &event);
	service_free(&service);
	switch (r == CSIGN_OK ? event.state : SERVICE_PENDING) {
	case SERVICE_SEEN:
	case SERVICE_ANSWERED:
		break;
	case SERVICE_PENDING:
		if (r != CSIGN_OK) {
			*ret_state = inbox_now() >= item->ends_ms
					 ? SERVICE_EXPIRED
					 : SERVICE_PENDING;
			return true;
		}
		break;
	case SERVICE_GRANTED:
	case SERVICE_DENIED:
	case SERVICE_EXPIRED:
	case SERVICE_CANCELLED:
		*ret_state = event.state;
		return true;
	}
	item->is_over = false;
	return false;
}

static void
print_question(const struct inbox_item *item, const struct visit *visit)
{
	struct json_object *o = question_json(
	    &visit->question, visit->origin, visit_seconds_left(visit));

	if (out_json_str(o, "event", "question") &&
	    out_json_str(o, "id", item->id) &&
	    out_json_str(o, "device", item->entry->id))
		out_json_line(o);
	else
		json_object_put(o);
	(void)fflush(stdout);
}

static void
print_outcome(const struct inbox_item *item, enum service_state state)
{
	static const char *const states[] = {[SERVICE_PENDING] = "gone",
	    [SERVICE_SEEN] = "gone",
	    [SERVICE_ANSWERED] = "gone",
	    [SERVICE_GRANTED] = "granted",
	    [SERVICE_DENIED] = "denied",
	    [SERVICE_EXPIRED] = "expired",
	    [SERVICE_CANCELLED] = "cancelled"};
	struct json_object *o = json_object_new_object();

	if (out_json_str(o, "event", "outcome") &&
	    out_json_str(o, "id", item->id) &&
	    out_json_str(o, "state", states[state]))
		out_json_line(o);
	else
		json_object_put(o);
	(void)fflush(stdout);
}

/* Shown is not answered: it stays until it is over. */
static void
show_only(struct watch *w, struct inbox_item *item, const struct visit *visit)
{
	item->is_handled = true;
	if (w->json)
		print_question(item, visit);
	else
		visit_show(visit, false);
}

/* True if that was the question that --once waits for; then *ret_status. */
static bool
meet(struct watch *w, struct inbox_item *item, enum out_status *ret_status)
{
	struct visit visit = {.link = NULL};
	struct csign_link *link = NULL;
	bool asked = false;

	if (!watch_open(w, item, &link))
		return false;
	item->is_told = true;
	switch ((int)visit_open_inbox(&w->phone, item->entry, link, &visit)) {
	case CSIGN_OK:
		watch_ring(w);
		if (w->asks) {
			*ret_status = watch_ask(w, item, &visit);
			inbox_drop(w->inbox, item);
			asked = true;
		} else {
			show_only(w, item, &visit);
		}
		(void)fflush(stdout);
		visit_close(&visit);
		break;
	case CSIGN_E_NOT_FOUND:
	case CSIGN_E_EXPIRED:
		inbox_drop(w->inbox, item);
		break;
	case CSIGN_E_FORMAT:
		inbox_blame(w->inbox, item, w->phone.why.text);
		break;
	default: /* the service is away: it is asked again */
		item->due_ms = inbox_now() + RETRY_MS;
		break;
	}
	return asked && w->once;
}

/* What has ended is told of, if it was shown, and forgotten; as meet(). */
static bool
sweep(struct watch *w, enum out_status *ret_status)
{
	struct inbox_item *item = NULL;
	enum service_state state = SERVICE_PENDING;

	while ((item = inbox_next(w->inbox, item)) != NULL) {
		bool shown = item->is_handled;

		if (!item->is_over || (shown && !watch_ended(w, item, &state)))
			continue;
		if (shown && w->json)
			print_outcome(item, state);
		else if (shown)
			watch_say_ended(state);
		(void)fflush(stdout);
		inbox_drop(w->inbox, item);
		*ret_status = state == SERVICE_GRANTED ? STATUS_YES : STATUS_NO;
		if (shown && w->once)
			return true;
	}
	return false;
}

/* Until Ctrl-C, the end of --wait, or the first question with --once. */
static enum out_status
follow(struct watch *w, uint64_t until_ms)
{
	enum out_status status = STATUS_NO;
	struct inbox_item *item;

	while (!w->is_stopped) {
		if (sweep(w, &status))
			return status;
		if ((item = inbox_new_item(w->inbox)) != NULL) {
			if (meet(w, item, &status))
				return status;
			continue;
		}
		if (inbox_places(w->inbox) == 0)
			return STATUS_NO; /* each has been told */
		switch (inbox_wait(w->inbox, -1, until_ms)) {
		case INBOX_STOPPED:
			w->is_stopped = true;
			break;
		case INBOX_TIMEOUT:
			return w->once ? STATUS_NO : STATUS_YES;
		case INBOX_FD:
		case INBOX_CHANGED:
			break;
		}
	}
	return w->once ? STATUS_NO : STATUS_YES;
}

/* --- the command -----------------------------------------------------------
 */

static enum out_status
watch_run(struct watch *w, uint32_t seconds)
{
	const struct inbox_listener listener = {.tell = tell_news, .arg = w};
	const struct store_entry *entries;
	uint64_t until = UINT64_MAX;
	enum csign_err r;
	size_t n = 0;

	if ((r = inbox_new(&w->phone, true, &listener, &w->inbox)) != CSIGN_OK)
		return phone_fail(&w->phone, r);
	entries = inbox_entries(w->inbox, &n);
	if ((r = keyring_new(&w->phone, entries, n, &w->ring)) != CSIGN_OK)
		return phone_fail(&w->phone, r);
	if (!keyring_unlock(w->ring))
		return STATUS_TROUBLE;
	if (!w->json)
		say_watching(w);
	if (args_flag(w->phone.args, OPT_WAIT))
		until = inbox_now() + (uint64_t)seconds * 1000;
	return follow(w, until);
}

static enum out_status
inbox_watch(const struct args *args)
{
	struct watch w = {.json = args_flag(args, OPT_JSON),
	    .once = args_flag(args, OPT_ONCE)};
	enum out_status status;
	uint32_t seconds = 0;

	if (args_flag(args, OPT_YES) || args_flag(args, OPT_NAME)) {
		out_error("--yes and --name are for \"watch -\" alone");
		return STATUS_USAGE;
	}
	if (!phone_wait_option(args, &seconds))
		return STATUS_USAGE;
	w.asks = !w.json && tty_can_ask();
	if ((status = phone_open(&w.phone, args)) != STATUS_YES)
		return status;
	status = watch_run(&w, seconds);
	keyring_free(&w.ring);
	inbox_free(&w.inbox);
	phone_close(&w.phone);
	return status;
}

enum out_status
cmd_watch(const struct args *args)
{
	if (args->operand[0] == NULL)
		return inbox_watch(args);
	if (strcmp(args->operand[0], "-") != 0) {
		out_error("watch takes no link; \"watch -\" reads standard "
			  "input");
		return STATUS_USAGE;
	}
	if (args_flag(args, OPT_JSON) || args_flag(args, OPT_WAIT)) {
		out_error("--json and --wait are not for \"watch -\"");
		return STATUS_USAGE;
	}
	return stream_watch(args);
}
