/* SPDX-License-Identifier: BSD-2-Clause */
/* countersignd host add|list|revoke|rotate */
#include "config.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

#include "cmd.h"
#include "codec.h"
#include "secret.h"

#define ACCESS_KEY_BYTES 32
#define OVERLAP_DEFAULT 10 /* minutes that a replaced key is good for */
#define OVERLAP_MAX 1440

static const struct {
	const char *name;
	uint32_t right;
} rights[] = {
    {"approve", RIGHT_APPROVE},
    {"enrol", RIGHT_ENROL},
    {"manage", RIGHT_MANAGE},
};
#define N_RIGHTS (sizeof rights / sizeof rights[0])

/* Names go into logs, tables and file names: letters, digits, . _ - */
static bool
is_name(const char *name)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyz"
				      "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789._-";
	size_t len = strlen(name);

	return len >= 1 && len <= STORE_NAME_MAX &&
	       strspn(name, allowed) == len && *name != '-' && *name != '.';
}

static bool
parse_rights(const char *words, uint32_t *ret_rights)
{
	uint32_t set = 0;
	size_t i, len;

	do {
		len = strcspn(words, ",");
		for (i = 0; i < N_RIGHTS; i++)
			if (strlen(rights[i].name) == len &&
			    strncmp(words, rights[i].name, len) == 0)
				break;
		if (i == N_RIGHTS)
			return false;
		set |= rights[i].right;
		words += len;
	} while (*words++ == ',');
	*ret_rights = set;
	return true;
}

static int
report(enum csign_err err, const char *name)
{
	if (err == CSIGN_OK)
		return CMD_OK;
	if (err == CSIGN_E_NOT_FOUND) {
		cmd_say("there is no host \"%s\"", name);
		return CMD_NO;
	}
	if (err == CSIGN_E_EXISTS) {
		cmd_say("\"%s\" exists already; to put a new host into an "
			"existing space, say --space",
		    name);
		return CMD_NO;
	}
	cmd_say("%s", csign_err_text(err));
	return CMD_TROUBLE;
}

static enum csign_err
make_key(char key[CSIGN_ACCESS_KEY_LEN + 1], unsigned char hash[STORE_HASH_LEN])
{
	unsigned char bytes[ACCESS_KEY_BYTES];
	enum csign_err r;

	if ((r = csign_random(bytes, sizeof bytes)) == CSIGN_OK)
		r = csign_b64u_encode(
		    bytes, sizeof bytes, key, CSIGN_ACCESS_KEY_LEN + 1);
	csign_wipe(bytes, sizeof bytes);
	if (r == CSIGN_OK && EVP_Digest(key, CSIGN_ACCESS_KEY_LEN, hash, NULL,
				 EVP_sha256(), NULL) != 1)
		r = CSIGN_E_CRYPTO;
	return r;
}

static void
put_rights(struct reply *reply, uint32_t set)
{
	size_t i;

	reply_open(reply, "rights", "[");
	for (i = 0; i < N_RIGHTS; i++)
		if ((set & rights[i].right) != 0)
			reply_str(reply, NULL, rights[i].name);
	reply_close(reply, "]");
}

/* What --json says of a host; key and until may be NULL and 0. */
static int
print_host(const struct host *host, const char *key, uint64_t until)
{
	struct csign_buf *buf;
	struct reply reply;

	if ((buf = cmd_json(&reply)) == NULL)
		return CMD_TROUBLE;
	reply_open(&reply, NULL, "{");
	reply_str(&reply, "name", host->name);
	reply_str(&reply, "space", host->space_name);
	reply_time(&reply, "createdAt", host->created);
	put_rights(&reply, host->rights);
	if (until != 0)
		reply_time(&reply, "oldKeyUntil", until);
	if (key != NULL)
		reply_str(&reply, "accessKey", key);
	reply_close(&reply, "}");
	return cmd_print(&reply, &buf);
}

/* A new key, on standard output: the only time that anybody sees it. */
static int
print_key(const struct cmd_args *args, const struct host *host, const char *key,
    uint64_t until)
{
	if (args->json)
		return print_host(host, key, until);
	(void)puts(key);
	return CMD_OK;
}

/* --- add ------------------------------------------------------------------ */

static enum csign_err
add(const struct cmd_store *store, const struct cmd_args *args, uint32_t set,
    const unsigned char hash[STORE_HASH_LEN], struct host *ret_host)
{
	enum csign_err r;

	if ((r = store_begin(store->store)) != CSIGN_OK)
		return r;
	if ((r = store_host_add(store->store, args->operand, args->space, set,
		 hash, store->now)) == CSIGN_OK &&
	    (r = store_host_by_name(store->store, args->operand, ret_host)) ==
		CSIGN_OK)
		r = cmd_record(
		    store, "host add", ret_host->name, ret_host->space_name);
	return store_end(store->store, r);
}

static int
host_add(const struct cmd_args *args)
{
	char key[CSIGN_ACCESS_KEY_LEN + 1];
	unsigned char hash[STORE_HASH_LEN];
	uint32_t set = RIGHTS_ALL;
	struct cmd_store store;
	struct host host = {.id = 0};
	enum csign_err r;
	int status;

	/* Who shares users with other hosts does not delete them unasked. */
	if (args->space != NULL)
		set = RIGHT_APPROVE | RIGHT_ENROL;
	if (!is_name(args->operand) ||
	    (args->space != NULL && !is_name(args->space))) {
		cmd_say("a name is 1 to %d letters, digits, \".\", \"_\" and "
			"\"-\"",
		    STORE_NAME_MAX);
		return CMD_USAGE;
	}
	if (args->rights != NULL && !parse_rights(args->rights, &set)) {
		cmd_say("rights are approve, enrol and manage, with commas "
			"between them");
		return CMD_USAGE;
	}
	if (!cmd_open(args->config, &store))
		return CMD_TROUBLE;
	if ((r = make_key(key, hash)) == CSIGN_OK)
		r = add(&store, args, set, hash, &host);
	status = r == CSIGN_OK ? print_key(args, &host, key, 0)
			       : report(r, args->operand);
	csign_wipe(key, sizeof key);
	store_close(&store.store);
	return status;
}

/* --- list ----------------------------------------------------------------- */

static void
print_row(void *arg, const struct host *host)
{
	const char *comma = "";
	size_t i;

	(void)arg;
	cmd_cell(host->name, 24);
	cmd_cell(host->space_name, 24);
	cmd_time(host->created);
	for (i = 0; i < N_RIGHTS; i++)
		if ((host->rights & rights[i].right) != 0) {
			printf("%s%s", comma, rights[i].name);
			comma = ",";
		}
	if (host->old_key_ends != 0) {
		(void)fputs(" old key until ", stdout);
		cmd_time(host->old_key_ends);
	}
	(void)putchar('\n');
}

static void
print_json(void *arg, const struct host *host)
{
	const char **separator = arg;

	(void)fputs(*separator, stdout);
	*separator = ",";
	(void)print_host(host, NULL, host->old_key_ends);
}

static int
host_list(const struct cmd_args *args)
{
	const char *separator = "";
	struct cmd_store store;
	enum csign_err r;

	if (!cmd_open(args->config, &store))
		return CMD_TROUBLE;
	if (args->json)
		(void)fputc('[', stdout);
	else
		printf("%-24s %-24s %-20s %s\n", "NAME", "SPACE", "CREATED",
		    "RIGHTS");
	r = store_host_each(store.store, store.now,
	    args->json ? print_json : print_row, &separator);
	if (args->json)
		(void)puts("]");
	store_close(&store.store);
	return report(r, "");
}

/* --- revoke --------------------------------------------------------------- */

static enum csign_err
revoke(const struct cmd_store *store, const char *name, struct host *ret_host)
{
	enum csign_err r;

	if ((r = store_begin(store->store)) != CSIGN_OK)
		return r;
	if ((r = store_host_by_name(store->store, name, ret_host)) ==
		CSIGN_OK &&
	    (r = store_host_remove(store->store, name)) == CSIGN_OK)
		r = cmd_record(
		    store, "host revoke", name, ret_host->space_name);
	return store_end(store->store, r);
}

static int
host_revoke(const struct cmd_args *args)
{
	struct cmd_store store;
	struct host host = {.id = 0};
	enum csign_err r;

	if (!cmd_open(args->config, &store))
		return CMD_TROUBLE;
	r = revoke(&store, args->operand, &host);
	store_close(&store.store);
	if (r == CSIGN_OK && args->json)
		return print_host(&host, NULL, 0);
	return report(r, args->operand);
}

/* --- rotate --------------------------------------------------------------- */

static bool
read_overlap(const char *text, uint64_t *ret_ms)
{
	uint32_t minutes = OVERLAP_DEFAULT;

	if (text != NULL &&
	    csign_parse_u32(text, 0, OVERLAP_MAX, &minutes) != CSIGN_OK) {
		cmd_say("--overlap is 0 to %d minutes", OVERLAP_MAX);
		return false;
	}
	*ret_ms = (uint64_t)minutes * 60000;
	return true;
}

static enum csign_err
rotate(const struct cmd_store *store, const char *name,
    const unsigned char hash[STORE_HASH_LEN], uint64_t until,
    struct host *ret_host)
{
	enum csign_err r;

	if ((r = store_begin(store->store)) != CSIGN_OK)
		return r;
	if ((r = store_host_by_name(store->store, name, ret_host)) ==
		CSIGN_OK &&
	    (r = store_host_rotate(store->store, ret_host->id, hash, until,
		 store->now)) == CSIGN_OK)
		r = cmd_record(
		    store, "host rotate", name, ret_host->space_name);
	return store_end(store->store, r);
}

static int
host_rotate(const struct cmd_args *args)
{
	char key[CSIGN_ACCESS_KEY_LEN + 1];
	unsigned char hash[STORE_HASH_LEN];
	struct cmd_store store;
	uint64_t overlap = 0;
	struct host host = {.id = 0};
	enum csign_err r;
	int status;

	if (!read_overlap(args->overlap, &overlap))
		return CMD_USAGE;
	if (!cmd_open(args->config, &store))
		return CMD_TROUBLE;
	if ((r = make_key(key, hash)) == CSIGN_OK)
		r = rotate(
		    &store, args->operand, hash, store.now + overlap, &host);
	status = r == CSIGN_OK ? print_key(args, &host, key,
				     overlap > 0 ? store.now + overlap : 0)
			       : report(r, args->operand);
	csign_wipe(key, sizeof key);
	store_close(&store.store);
	return status;
}

int
cmd_host(int argc, char **argv)
{
	static const struct cmd_verb verbs[] = {
	    {"add", true, CMD_JSON | CMD_RIGHTS | CMD_SPACE, host_add},
	    {"list", false, CMD_JSON, host_list},
	    {"revoke", true, CMD_JSON, host_revoke},
	    {"rotate", true, CMD_JSON | CMD_OVERLAP, host_rotate},
	    {NULL, false, 0, NULL},
	};

	return cmd_verbs(argc, argv, verbs);
}
