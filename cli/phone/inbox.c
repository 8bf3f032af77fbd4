/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "clock.h"
#include "codec.h"
#include "courier/http.h"
#include "inbox.h"
#include "json.h"
#include "seal.h"

#define ITEMS_MAX 64
#define DONE_MAX 512 /* ids that are not looked at again */
#define TAG_MAX 64
#define REQUEST_MS 10000
#define TURN_MS 10000
#define SPACING_MS 500 /* between two polls of one service */
#define BACKOFF_MIN_MS 1000
#define BACKOFF_MAX_MS 30000
#define SEALED_TEXT CSIGN_B64U_LEN(CSIGN_DEVICE_SEAL_LEN)

/* One cookie at one service. */
struct inbox_place {
	const struct store_entry *entry;
	struct csign_http *http;
	struct csign_http_call *call;
	char tag[TAG_MAX + 1];
	uint64_t due_ms; /* of the next poll */
	unsigned int failures;
	bool is_asked, is_heard, is_lost, is_blamed;
};

struct inbox {
	struct phone *phone;
	struct inbox_listener listener;
	uint32_t wait_s;
	int epoll_fd; /* phone->stop_fd, and the fd of inbox_wait() */
	struct store_entry *entries;
	size_t n_entries;
	struct inbox_place *places;
	size_t n_places;
	struct inbox_item items[ITEMS_MAX];
	char done[DONE_MAX][CSIGN_LINK_ID_SIZE];
	size_t n_done;
	bool changed;
};

uint64_t
inbox_now(void)
{
	uint64_t ms = 0;

	return csign_clock_boot(&ms) == CSIGN_OK ? ms : 0;
}

static void
tell(const struct inbox *inbox, enum inbox_news news,
    const struct inbox_place *place, const char *why)
{
	inbox->listener.tell(inbox->listener.arg, news, place->entry, why);
}

/* --- the services ----------------------------------------------------------
 */

static enum csign_err
add_place(struct inbox *inbox, const struct store_entry *entry)
{
	struct inbox_place *place = &inbox->places[inbox->n_places];
	const struct csign_http_config config = {.origin = entry->origin,
	    .ca_file = inbox->phone->args->option[OPT_CA_FILE],
	    .beside = inbox->n_places > 0 ? inbox->places[0].http : NULL};
	enum csign_err r;

	if ((r = csign_http_new(&config, &inbox->phone->why, &place->http)) ==
	    CSIGN_OK) {
		place->entry = entry;
		inbox->n_places++;
	}
	return r;
}

static void
lose(struct inbox *inbox, struct inbox_place *place, const char *why)
{
	place->is_lost = true;
	inbox->changed = true;
	tell(inbox, INBOX_REFUSED, place, why);
}

static enum csign_err
add_places(struct inbox *inbox)
{
	enum csign_err r = store_list(inbox->phone->store, &inbox->phone->why,
	    &inbox->entries, &inbox->n_entries);

	if (r != CSIGN_OK)
		return r;
	if (inbox->n_entries == 0) {
		csign_why_set(&inbox->phone->why,
		    "this phone has enrolled for nobody yet");
		return CSIGN_E_NOT_FOUND;
	}
	inbox->places = calloc(inbox->n_entries, sizeof *inbox->places);
	if (inbox->places == NULL)
		return CSIGN_E_NOMEM;
	for (size_t i = 0; r == CSIGN_OK && i < inbox->n_entries; i++)
		r = add_place(inbox, &inbox->entries[i]);
	return r;
}

static bool
listen_to(const struct inbox *inbox, int fd, int op)
{
	struct epoll_event event = {.events = EPOLLIN};

	return fd == -1 || epoll_ctl(inbox->epoll_fd, op, fd, &event) == 0;
}

enum csign_err
inbox_new(struct phone *phone, bool wait, const struct inbox_listener *listener,
    struct inbox **ret_inbox)
{
	struct inbox *inbox = calloc(1, sizeof *inbox);
	enum csign_err r = CSIGN_E_SYSTEM;

	if (inbox == NULL)
		return CSIGN_E_NOMEM;
	inbox->phone = phone;
	inbox->listener = *listener;
	inbox->wait_s = wait ? CSIGN_POLL_WAIT_MAX : 0;
	inbox->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (inbox->epoll_fd == -1 ||
	    !listen_to(inbox, phone->stop_fd, EPOLL_CTL_ADD))
		csign_why_errno(&phone->why, errno, "epoll");
	else
		r = add_places(inbox);
	if (r != CSIGN_OK)
		inbox_free(&inbox);
	else
		*ret_inbox = inbox;
	return r;
}

void
inbox_free(struct inbox **inbox)
{
	struct inbox *old = *inbox;

	if (old == NULL)
		return;
	for (size_t i = 0; i < old->n_places; i++)
		csign_http_call_free(&old->places[i].call);
	/* the first one last: the others work beside it */
	for (size_t i = old->n_places; i-- > 0;)
		csign_http_free(&old->places[i].http);
	if (old->epoll_fd != -1)
		(void)close(old->epoll_fd);
	free(old->places);
	free(old->entries);
	free(old);
	*inbox = NULL;
}

const struct store_entry *
inbox_entries(const struct inbox *inbox, size_t *ret_n)
{
	*ret_n = inbox->n_entries;
	return inbox->entries;
}

size_t
inbox_places(const struct inbox *inbox)
{
	size_t n = 0;

	for (size_t i = 0; i < inbox->n_places; i++)
		n += !inbox->places[i].is_lost;
	return n;
}

size_t
inbox_heard(const struct inbox *inbox)
{
	size_t n = 0;

	for (size_t i = 0; i < inbox->n_places; i++)
		n += inbox->places[i].is_heard;
	return n;
}

bool
inbox_all_asked(const struct inbox *inbox)
{
	for (size_t i = 0; i < inbox->n_places; i++)
		if (!inbox->places[i].is_asked && !inbox->places[i].is_lost)
			return false;
	return true;
}

/* --- the items -------------------------------------------------------------
 */

struct inbox_item *
inbox_next(struct inbox *inbox, struct inbox_item *item)
{
	for (item = item == NULL ? inbox->items : item + 1;
	     item < inbox->items + ITEMS_MAX; item++)
		if (item->place != NULL)
			return item;
	return NULL;
}

struct inbox_item *
inbox_new_item(struct inbox *inbox)
{
	struct inbox_item *item = NULL;
	const uint64_t now = inbox_now();

	while ((item = inbox_next(inbox, item)) != NULL)
		if (!item->is_handled && !item->is_over && item->due_ms <= now)
			break;
	return item;
}

void
inbox_drop(struct inbox *inbox, struct inbox_item *item)
{
	memcpy(
	    inbox->done[inbox->n_done++ % DONE_MAX], item->id, sizeof item->id);
	*item = (struct inbox_item){.place = NULL};
}

static void
blame(struct inbox *inbox, struct inbox_place *place, const char *why)
{
	if (!place->is_blamed)
		tell(inbox, INBOX_FOREIGN, place, why);
	place->is_blamed = true;
}

void
inbox_blame(struct inbox *inbox, struct inbox_item *item, const char *why)
{
	blame(inbox, item->place, why);
	inbox_drop(inbox, item);
}

static bool
is_done(const struct inbox *inbox, const char *id)
{
	for (size_t i = 0; i < DONE_MAX && i < inbox->n_done; i++)
		if (strcmp(inbox->done[i], id) == 0)
			return true;
	return false;
}

static struct inbox_item *
find(struct inbox *inbox, const char *id)
{
	struct inbox_item *item = NULL;

	while ((item = inbox_next(inbox, item)) != NULL)
		if (strcmp(item->id, id) == 0)
			break;
	return item;
}

static struct inbox_item *
free_item(struct inbox *inbox)
{
	for (size_t i = 0; i < ITEMS_MAX; i++)
		if (inbox->items[i].place == NULL)
			return &inbox->items[i];
	return NULL;
}

/* --- what a service says ---------------------------------------------------
 */

/* The device of this phone at this service that an id names. */
static const struct store_entry *
entry_at(const struct inbox *inbox, const struct inbox_place *place,
    const char *device_id)
{
	for (size_t i = 0; i < inbox->n_entries; i++)
		if (strcmp(inbox->entries[i].id, device_id) == 0 &&
		    strcmp(inbox->entries[i].origin, place->entry->origin) == 0)
			return &inbox->entries[i];
	return NULL;
}

static bool
is_link_id(const char *text)
{
	unsigned char id[CSIGN_LINK_ID_LEN];
	size_t len = 0;

	return csign_b64u_decode(text, strlen(text), id, sizeof id, &len) ==
		   CSIGN_OK &&
	       len == sizeof id;
}

static bool
is_open(const char *state)
{
	return strcmp(state, "pending") == 0 || strcmp(state, "seen") == 0 ||
	       strcmp(state, "answered") == 0;
}

/* One question as the service tells of it; false: not even that. */
static bool
read_item(const struct inbox *inbox, struct inbox_place *place,
    struct json_object *o, struct inbox_item *item)
{
	const char *id = csign_json_str(o, "linkId", CSIGN_LINK_ID_SIZE - 1);
	const char *device =
	    csign_json_str(o, "deviceId", CSIGN_DEVICE_ID_SIZE - 1);
	const char *sealed = csign_json_str(o, "sealed", SEALED_TEXT);
	const char *state = csign_json_str(o, "state", 32);
	size_t len = 0;
	int64_t left = 0;

	if (id == NULL || device == NULL || sealed == NULL || state == NULL ||
	    !is_link_id(id) ||
	    !csign_json_int(
		o, "secondsLeft", 0, CSIGN_ENROL_LIFETIME_MAX, &left) ||
	    csign_b64u_decode(sealed, strlen(sealed), item->sealed,
		sizeof item->sealed, &len) != CSIGN_OK ||
	    len != sizeof item->sealed ||
	    (item->entry = entry_at(inbox, place, device)) == NULL)
		return false;
	memcpy(item->id, id, strlen(id) + 1);
	item->place = place;
	item->ends_ms = inbox_now() + (uint64_t)left * 1000;
	item->is_over = !is_open(state);
	return true;
}

/* Marks what is listed as such; what is new gets a place. */
static void
take_item(struct inbox *inbox, const struct inbox_item *listed)
{
	struct inbox_item *item = find(inbox, listed->id);

	if (listed->is_over || is_done(inbox, listed->id))
		return;
	if (item != NULL) {
		/* sealed for two devices of this phone: the first one has it */
		if (item->place == listed->place)
			item->is_over = false;
	} else if ((item = free_item(inbox)) != NULL) {
		*item = *listed;
		inbox->changed = true;
	}
}

static void
take_list(
    struct inbox *inbox, struct inbox_place *place, struct json_object *array)
{
	const size_t n = json_object_array_length(array);
	bool was_over[ITEMS_MAX];

	for (size_t i = 0; i < ITEMS_MAX; i++) {
		was_over[i] = inbox->items[i].is_over;
		if (inbox->items[i].place == place)
			inbox->items[i].is_over = true;
	}
	for (size_t i = 0; i < n && i < CSIGN_INBOX_MAX; i++) {
		struct inbox_item item = {.place = NULL};

		if (read_item(inbox, place, json_object_array_get_idx(array, i),
			&item))
			take_item(inbox, &item);
		else
			blame(inbox, place, "it is not sealed for this phone");
	}
	for (size_t i = 0; i < ITEMS_MAX; i++)
		if (inbox->items[i].place == place &&
		    inbox->items[i].is_over != was_over[i])
			inbox->changed = true;
}

/* The tag stands in the next request's address. */
static bool
keep_tag(struct inbox_place *place, struct json_object *o)
{
	const char *tag = csign_json_str(o, "tag", TAG_MAX);

	if (tag == NULL ||
	    tag[strspn(tag, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwx"
			    "yz0123456789-_")] != '\0')
		return false;
	memcpy(place->tag, tag, strlen(tag) + 1);
	return true;
}

static bool
take_reply(struct inbox *inbox, struct inbox_place *place,
    const struct csign_http_reply *reply)
{
	struct json_object *o = NULL, *array = NULL;
	bool ok;

	ok = csign_json_parse(reply->body, reply->body_len, &o) == CSIGN_OK &&
	     json_object_object_get_ex(o, "questions", &array) &&
	     json_object_is_type(array, json_type_array) && keep_tag(place, o);
	if (ok)
		take_list(inbox, place, array);
	json_object_put(o);
	return ok;
}

/* --- polling ---------------------------------------------------------------
 */

/* The longer the more often it failed, and as long as the service wants. */
static void
postpone(struct inbox_place *place, const struct csign_http_reply *reply)
{
	uint64_t pause = BACKOFF_MIN_MS;

	for (unsigned int i = 0; i < place->failures && pause < BACKOFF_MAX_MS;
	     i++)
		pause *= 2;
	if (pause > BACKOFF_MAX_MS)
		pause = BACKOFF_MAX_MS;
	if (reply->retry_after > 0 &&
	    (uint64_t)reply->retry_after * 1000 > pause)
		pause = (uint64_t)reply->retry_after * 1000;
	place->due_ms = inbox_now() + pause;
}

static void
retry(struct inbox *inbox, struct inbox_place *place,
    const struct csign_http_reply *reply, const char *why)
{
	postpone(place, reply);
	/* whatever it had told, it may have forgotten */
	place->tag[0] = '\0';
	if (place->failures++ == 0)
		tell(inbox, INBOX_AWAY, place, why);
}

static void
heard(struct inbox *inbox, struct inbox_place *place)
{
	if (!place->is_heard)
		inbox->changed = true;
	place->is_heard = true;
	if (place->failures > 0)
		tell(inbox, INBOX_BACK, place, "");
	place->failures = 0;
}

static void
finish(struct inbox *inbox, struct inbox_place *place)
{
	const struct csign_http_reply *reply = csign_http_reply(place->call);
	struct csign_why why = {.text = ""};

	if (!place->is_asked)
		inbox->changed = true;
	place->is_asked = true;
	switch (csign_http_expect(reply, 200, CSIGN_HTTP_TYPE_JSON, &why)) {
	case 0:
		if (take_reply(inbox, place, reply))
			heard(inbox, place);
		else
			retry(inbox, place, reply,
			    "the service's reply is not as it should be");
		break;
	case CSIGN_TROUBLE_UNAUTHORISED:
	case CSIGN_TROUBLE_FORBIDDEN:
		lose(inbox, place,
		    "the service does not know this device (any more)");
		break;
	case CSIGN_TROUBLE_LIMITED:
		if (inbox->wait_s > 0 && place->is_heard) {
			postpone(place, reply);
			break;
		}
		retry(inbox, place, reply, why.text);
		break;
	case CSIGN_TROUBLE_NOT_FOUND:
		lose(inbox, place, "the service has no inbox");
		break;
	default:
		retry(inbox, place, reply, why.text);
	}
	csign_http_call_free(&place->call);
}

static void
begin(struct inbox *inbox, struct inbox_place *place)
{
	char path[TAG_MAX + 64];
	const struct csign_http_request request = {.method = CSIGN_HTTP_GET,
	    .path = path,
	    .cookie = place->entry->cookie,
	    .timeout_ms = inbox->wait_s * 1000 + REQUEST_MS};

	(void)snprintf(path, sizeof path, "/inbox?wait=%u%s%s", inbox->wait_s,
	    place->tag[0] != '\0' ? "&after=" : "", place->tag);
	place->due_ms = inbox_now() + SPACING_MS;
	if (place->entry->cookie[0] == '\0')
		lose(inbox, place, "the service never knew this device");
	else if (csign_http_begin(place->http, &request, &place->call) !=
		 CSIGN_OK)
		place->due_ms += BACKOFF_MIN_MS;
}

/* Who is to be asked now is; when the next one is. */
static uint64_t
work(struct inbox *inbox)
{
	const uint64_t now = inbox_now();
	uint64_t next = UINT64_MAX;

	for (size_t i = 0; i < inbox->n_places; i++) {
		struct inbox_place *place = &inbox->places[i];

		if (place->call != NULL && csign_http_done(place->call))
			finish(inbox, place);
		if (place->call == NULL && !place->is_lost &&
		    place->due_ms <= now &&
		    (inbox->wait_s > 0 || !place->is_asked))
			begin(inbox, place);
		if (place->call == NULL && !place->is_lost &&
		    place->due_ms < next)
			next = place->due_ms;
	}
	return next;
}

/* Whose time is up is over, whatever its service says. */
static uint64_t
look_at_clock(struct inbox *inbox)
{
	struct inbox_item *item = NULL;
	const uint64_t now = inbox_now();
	uint64_t next = UINT64_MAX;

	while ((item = inbox_next(inbox, item)) != NULL) {
		if (item->is_over)
			continue;
		if (item->ends_ms <= now) {
			item->is_over = true;
			inbox->changed = true;
			continue;
		}
		if (item->ends_ms < next)
			next = item->ends_ms;
		if (item->is_handled || item->due_ms == 0)
			continue;
		if (item->due_ms <= now) {
			item->due_ms = 0;
			inbox->changed = true;
		} else if (item->due_ms < next) {
			next = item->due_ms;
		}
	}
	return next;
}

static enum inbox_event
wait_on(struct inbox *inbox, int fd, uint64_t until_ms)
{
	for (;;) {
		uint64_t next = work(inbox), clock = look_at_clock(inbox), now;
		const int stop_fd = inbox->phone->stop_fd;

		switch (process_wait(fd, stop_fd, 0)) {
		case WAIT_STOPPED:
			return INBOX_STOPPED;
		case WAIT_READABLE:
			return INBOX_FD;
		case WAIT_TIMEOUT:
			break;
		}
		if (inbox->changed)
			return INBOX_CHANGED;
		now = inbox_now();
		if (now >= until_ms)
			return INBOX_TIMEOUT;
		if (clock < next)
			next = clock;
		if (until_ms < next)
			next = until_ms;
		next = next > now ? next - now : 1;
		if (csign_http_turn(inbox->places[0].http, inbox->epoll_fd,
			next < TURN_MS ? (uint32_t)next : TURN_MS) != CSIGN_OK)
			return INBOX_STOPPED;
	}
}

enum inbox_event
inbox_wait(struct inbox *inbox, int fd, uint64_t until_ms)
{
	enum inbox_event event = INBOX_STOPPED;

	inbox->changed = false;
	if (!listen_to(inbox, fd, EPOLL_CTL_ADD))
		return event;
	event = wait_on(inbox, fd, until_ms);
	(void)listen_to(inbox, fd, EPOLL_CTL_DEL);
	return event;
}

/* --- opening one -----------------------------------------------------------
 */

enum csign_err
inbox_link(struct phone *phone, const struct inbox_item *item,
    const struct csign_p256 *seal_key, struct csign_link **ret_link)
{
	unsigned char secret[CSIGN_SECRET_LEN];
	struct csign_link *link = NULL;
	enum csign_err r;

	r = csign_device_open(
	    phone->crypto, seal_key, item->entry->id, item->sealed, secret);
	if (r == CSIGN_OK)
		r = csign_link_from_secret(phone->crypto, secret, &link);
	csign_wipe(secret, sizeof secret);
	if (r == CSIGN_OK && strcmp(csign_link_id(link), item->id) != 0)
		r = CSIGN_E_FORMAT;
	if (r != CSIGN_OK) {
		csign_link_free(&link);
		return r;
	}
	*ret_link = link;
	return CSIGN_OK;
}
