/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../process.h"
#include "keyring.h"
#include "question.h"

#define TRIES 3 /* of a person */
#define WHAT_SIZE 384
#define NAME_SHOWN 160

struct keyring {
	struct phone *phone;
	const struct store_entry *entries;
	size_t n;
	struct slot {
		struct csign_p256 *key;
		bool given_up;
	} * slots;
};

enum csign_err
keyring_new(struct phone *phone, const struct store_entry *entries, size_t n,
    struct keyring **ret_ring)
{
	struct keyring *ring = calloc(1, sizeof *ring);

	if (ring == NULL)
		return CSIGN_E_NOMEM;
	ring->phone = phone;
	ring->entries = entries;
	ring->n = n;
	if ((ring->slots = calloc(n, sizeof *ring->slots)) == NULL) {
		keyring_free(&ring);
		return CSIGN_E_NOMEM;
	}
	*ret_ring = ring;
	return CSIGN_OK;
}

void
keyring_free(struct keyring **ring)
{
	if (*ring == NULL)
		return;
	for (size_t i = 0; (*ring)->slots != NULL && i < (*ring)->n; i++)
		csign_p256_free(&(*ring)->slots[i].key);
	free((*ring)->slots);
	free(*ring);
	*ring = NULL;
}

/* "Passphrase of alice at web1", if there is more than one. */
static void
name_passphrase(const struct keyring *ring, size_t i, char what[WHAT_SIZE])
{
	const struct store_entry *e = &ring->entries[i];
	char *user = question_safe(e->user), *host = question_safe(e->host);

	if (ring->n == 1 || user == NULL || host == NULL)
		(void)snprintf(what, WHAT_SIZE, "Passphrase");
	else
		(void)snprintf(what, WHAT_SIZE, "Passphrase of %.*s at %.*s",
		    NAME_SHOWN, user, NAME_SHOWN, host);
	free(user);
	free(host);
}

static enum csign_err
try_one(struct keyring *ring, size_t i, struct csign_secret *passphrase)
{
	return store_seal_key(ring->phone->store, ring->phone->crypto,
	    ring->entries[i].id, (const char *)csign_secret_data(passphrase),
	    &ring->phone->why, &ring->slots[i].key);
}

static bool
has_file(const struct keyring *ring)
{
	return ring->phone->args->option[OPT_PASSPHRASE_FILE] != NULL;
}

/* There is one file for all of them, and it may be a pipe. */
static void
try_others(struct keyring *ring, size_t but, struct csign_secret *passphrase)
{
	for (size_t i = 0; i < ring->n; i++) {
		enum csign_err r;

		if (i == but || ring->slots[i].key != NULL)
			continue;
		r = try_one(ring, i, passphrase);
		if (r == CSIGN_OK || !has_file(ring))
			continue;
		(void)phone_fail(ring->phone, r);
		ring->slots[i].given_up = true;
	}
}

/* Asks once for the passphrase of one key, and tries it on the others too. */
static bool
ask(struct keyring *ring, size_t wanted)
{
	struct csign_secret *passphrase = NULL;
	char what[WHAT_SIZE];
	enum csign_err r;

	name_passphrase(ring, wanted, what);
	if (phone_passphrase(ring->phone, what, false, &passphrase) !=
	    STATUS_YES)
		return false;
	if ((r = try_one(ring, wanted, passphrase)) != CSIGN_OK)
		(void)phone_fail(ring->phone, r);
	try_others(ring, wanted, passphrase);
	csign_secret_free(&passphrase);
	return r == CSIGN_OK;
}

static void
unlock(struct keyring *ring, size_t i)
{
	for (int n = 0; n < (has_file(ring) ? 1 : TRIES); n++)
		if (ask(ring, i) || !tty_can_ask() ||
		    process_wait(-1, ring->phone->stop_fd, 0) == WAIT_STOPPED)
			break;
	ring->slots[i].given_up = ring->slots[i].key == NULL;
}

const struct csign_p256 *
keyring_get(struct keyring *ring, const struct store_entry *entry)
{
	const size_t i = (size_t)(entry - ring->entries);

	if (ring->slots[i].key == NULL && !ring->slots[i].given_up)
		unlock(ring, i);
	return ring->slots[i].key;
}

bool
keyring_unlock(struct keyring *ring)
{
	bool any = false;

	for (size_t i = 0; i < ring->n; i++) {
		if (process_wait(-1, ring->phone->stop_fd, 0) == WAIT_STOPPED)
			return false;
		any |= keyring_get(ring, &ring->entries[i]) != NULL;
	}
	return any;
}
