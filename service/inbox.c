/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "codec.h"
#include "inbox.h"
#include "log.h"
#include "waiter.h"

#define BUCKETS 1024 /* of those who wait; a power of two */
#define TAG_LEN 16   /* of the hash */

struct phone {
	struct waiter waiter; /* first */
	struct inbox *inbox;
	unsigned char cookie_hash[STORE_HASH_LEN];
	char after[INBOX_TAG_SIZE];
	inbox_teller *tell;
	void *arg;
};

struct inbox {
	struct event_base *base;
	struct store *store;
	struct waiter_list phones[BUCKETS];
};

enum csign_err
inbox_new(
    struct event_base *base, struct store *store, struct inbox **ret_inbox)
{
	struct inbox *inbox;

	if ((inbox = calloc(1, sizeof *inbox)) == NULL)
		return CSIGN_E_NOMEM;
	inbox->base = base;
	inbox->store = store;
	*ret_inbox = inbox;
	return CSIGN_OK;
}

void
inbox_free(struct inbox **inbox)
{
	size_t i;

	if (*inbox == NULL)
		return;
	for (i = 0; i < BUCKETS; i++)
		waiter_free_all(&(*inbox)->phones[i]);
	free(*inbox);
	*inbox = NULL;
}

/* --- the tag -------------------------------------------------------------- */

struct hashing {
	EVP_MD_CTX *md;
	bool failed;
};

static void
hash_entry(void *arg, const struct inbox_entry *entry)
{
	struct hashing *h = arg;
	const struct {
		int64_t approval;
		int64_t sequence;
		int64_t state;
	} numbers = {entry->approval, entry->sequence, (int64_t)entry->state};

	/* The transaction's number may be given away again, its link not. */
	if (EVP_DigestUpdate(h->md, &numbers, sizeof numbers) != 1 ||
	    EVP_DigestUpdate(h->md, entry->link_id, sizeof entry->link_id) !=
		1 ||
	    EVP_DigestUpdate(
		h->md, entry->device_id, sizeof entry->device_id) != 1)
		h->failed = true;
}

static enum csign_err
hash_inbox(struct inbox *inbox, const unsigned char cookie_hash[STORE_HASH_LEN],
    EVP_MD_CTX *md, unsigned char ret_hash[STORE_HASH_LEN])
{
	struct hashing h = {md, false};
	uint64_t now = 0;
	enum csign_err r;

	if ((r = csign_clock_wall(&now)) != CSIGN_OK)
		return r;
	if (EVP_DigestInit_ex(md, EVP_sha256(), NULL) != 1)
		return CSIGN_E_CRYPTO;
	r = store_inbox_each(inbox->store, cookie_hash, now, hash_entry, &h);
	if (r == CSIGN_OK &&
	    (h.failed || EVP_DigestFinal_ex(md, ret_hash, NULL) != 1))
		r = CSIGN_E_CRYPTO;
	return r;
}

enum csign_err
inbox_tag(struct inbox *inbox, const unsigned char cookie_hash[STORE_HASH_LEN],
    char ret_tag[INBOX_TAG_SIZE])
{
	unsigned char hash[STORE_HASH_LEN];
	enum csign_err r;
	EVP_MD_CTX *md;

	if ((md = EVP_MD_CTX_new()) == NULL)
		return CSIGN_E_NOMEM;
	r = hash_inbox(inbox, cookie_hash, md, hash);
	EVP_MD_CTX_free(md);
	if (r == CSIGN_OK)
		r = csign_b64u_encode(hash, TAG_LEN, ret_tag, INBOX_TAG_SIZE);
	return r;
}

/* --- those who wait ------------------------------------------------------- */

static struct waiter_list *
bucket_of(struct inbox *inbox, const unsigned char cookie_hash[STORE_HASH_LEN])
{
	unsigned n = cookie_hash[0] * 256U + cookie_hash[1];

	return &inbox->phones[n % BUCKETS];
}

static bool
is_of(
    const struct phone *phone, const unsigned char cookie_hash[STORE_HASH_LEN])
{
	return memcmp(phone->cookie_hash, cookie_hash, STORE_HASH_LEN) == 0;
}

static void
tell(struct phone *phone)
{
	struct phone p = *phone;

	waiter_free(&phone->waiter);
	p.tell(p.arg, p.waiter.conn, p.cookie_hash);
}

static void
on_waited(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	tell(arg);
}

/* Makes room: the one who has waited longest is told that nothing changed. */
static void
limit_phones(
    struct inbox *inbox, const unsigned char cookie_hash[STORE_HASH_LEN])
{
	struct waiter *w = LIST_FIRST(bucket_of(inbox, cookie_hash));
	struct phone *oldest = NULL;
	unsigned n = 0;

	for (; w != NULL; w = LIST_NEXT(w, next))
		if (is_of((struct phone *)w, cookie_hash)) {
			n++;
			oldest = (struct phone *)w; /* the newest is first */
		}
	if (n >= WAITERS_MAX)
		tell(oldest);
}

static enum csign_err
wait_for(struct inbox *inbox, const unsigned char cookie_hash[STORE_HASH_LEN],
    const struct inbox_poll *poll, struct http_conn *conn)
{
	struct phone *phone;

	limit_phones(inbox, cookie_hash);
	if ((phone = calloc(1, sizeof *phone)) == NULL)
		return CSIGN_E_NOMEM;
	phone->inbox = inbox;
	memcpy(phone->cookie_hash, cookie_hash, STORE_HASH_LEN);
	memcpy(phone->after, poll->after, INBOX_TAG_SIZE);
	phone->tell = poll->tell;
	phone->arg = poll->arg;
	return waiter_begin(&phone->waiter, bucket_of(inbox, cookie_hash),
	    inbox->base, poll->wait_s, on_waited, conn);
}

enum csign_err
inbox_tell(struct inbox *inbox, const unsigned char cookie_hash[STORE_HASH_LEN],
    const struct inbox_poll *poll, struct http_conn *conn)
{
	char tag[INBOX_TAG_SIZE];
	enum csign_err r;

	if ((r = inbox_tag(inbox, cookie_hash, tag)) != CSIGN_OK)
		return r;
	if (poll->wait_s > 0 && strcmp(poll->after, tag) == 0)
		return wait_for(inbox, cookie_hash, poll, conn);
	poll->tell(poll->arg, conn, cookie_hash);
	return CSIGN_OK;
}

/* --- news ----------------------------------------------------------------- */

/* If it cannot be found out, the phone is told, and hears of the trouble. */
static bool
has_news(const struct phone *phone)
{
	char tag[INBOX_TAG_SIZE];

	return inbox_tag(phone->inbox, phone->cookie_hash, tag) != CSIGN_OK ||
	       strcmp(tag, phone->after) != 0;
}

/* cookie_hash NULL: of all phones.  Only those for whom there is news? */
static void
tell_list(struct waiter_list *list,
    const unsigned char cookie_hash[STORE_HASH_LEN], bool only_news)
{
	struct waiter *w, *next;
	struct phone *phone;

	for (w = LIST_FIRST(list); w != NULL; w = next) {
		next = LIST_NEXT(w, next);
		phone = (struct phone *)w;
		if ((cookie_hash == NULL || is_of(phone, cookie_hash)) &&
		    (!only_news || has_news(phone)))
			tell(phone);
	}
}

void
inbox_changed_phone(
    struct inbox *inbox, const unsigned char cookie_hash[STORE_HASH_LEN])
{
	tell_list(bucket_of(inbox, cookie_hash), cookie_hash, true);
}

static void
on_phone(void *arg, const unsigned char cookie_hash[STORE_HASH_LEN])
{
	inbox_changed_phone(arg, cookie_hash);
}

void
inbox_changed(struct inbox *inbox, int64_t approval)
{
	enum csign_err r;

	r = store_inbox_phones(inbox->store, approval, on_phone, inbox);
	if (r != CSIGN_OK) /* they ask again when their time is over */
		log_event(CSIGN_LOG_ERR, "inbox_not_told", "reason",
		    csign_err_name(r));
}

void
inbox_changed_all(struct inbox *inbox)
{
	size_t i;

	for (i = 0; i < BUCKETS; i++)
		tell_list(&inbox->phones[i], NULL, true);
}

void
inbox_tell_all(struct inbox *inbox)
{
	size_t i;

	for (i = 0; i < BUCKETS; i++)
		tell_list(&inbox->phones[i], NULL, false);
}
