/* SPDX-License-Identifier: BSD-2-Clause */
/* countersignd host add|list|revoke */
#include "config.h"

#include <errno.h>
#include <getopt.h>
#include <grp.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clock.h"
#include "cmd.h"
#include "codec.h"
#include "secret.h"
#include "settings.h"
#include "store.h"

#define ACCESS_KEY_BYTES 32

struct host_options {
	const char *config;
	const char *space;
	const char *rights;
	bool json;
};

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

/*
 * As root, become the owner of the database, so that no file of root's is
 * left beside it that the service could not write.
 */
static bool
become_owner(const char *database)
{
	char *dir = NULL, *slash;
	struct stat st;
	bool ok = false;

	if (geteuid() != 0)
		return true;
	if ((dir = strdup(database)) == NULL)
		return false;
	if ((slash = strrchr(dir, '/')) != NULL && slash != dir)
		*slash = '\0';
	if (stat(database, &st) != 0 && stat(dir, &st) != 0)
		cmd_say("%s: %m", dir);
	else if (st.st_uid != 0 &&
		 (setgroups(0, NULL) != 0 ||
		     setresgid(st.st_gid, st.st_gid, st.st_gid) != 0 ||
		     setresuid(st.st_uid, st.st_uid, st.st_uid) != 0))
		cmd_say("cannot become the owner of %s: %m", database);
	else
		ok = true;
	free(dir);
	return ok;
}

static bool
open_store(const char *config, struct store **ret_store)
{
	struct settings settings;
	struct csign_why why = {""};
	bool ok = false;

	memset(&settings, 0, sizeof settings);
	if (settings_load(config, &settings, &why) != CSIGN_OK)
		cmd_say("%s", why.text);
	else if (become_owner(settings.database)) {
		ok = store_open(settings.database, &why, ret_store) == CSIGN_OK;
		if (!ok)
			cmd_say("%s", why.text);
	}
	settings_clear(&settings);
	return ok;
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

static int
host_add(const char *name, const struct host_options *options)
{
	char key[CSIGN_ACCESS_KEY_LEN + 1];
	unsigned char hash[STORE_HASH_LEN];
	struct store *store = NULL;
	uint32_t set = RIGHTS_ALL;
	uint64_t now = 0;
	enum csign_err r;

	/* Who shares users with other hosts does not delete them unasked. */
	if (options->space != NULL)
		set = RIGHT_APPROVE | RIGHT_ENROL;
	if (!is_name(name) ||
	    (options->space != NULL && !is_name(options->space))) {
		cmd_say("a name is 1 to %d letters, digits, \".\", \"_\" and "
			"\"-\"",
		    STORE_NAME_MAX);
		return CMD_USAGE;
	}
	if (options->rights != NULL && !parse_rights(options->rights, &set)) {
		cmd_say("rights are approve, enrol and manage, with commas "
			"between them");
		return CMD_USAGE;
	}
	if (!open_store(options->config, &store))
		return CMD_TROUBLE;
	if ((r = csign_clock_wall(&now)) == CSIGN_OK &&
	    (r = make_key(key, hash)) == CSIGN_OK)
		r = store_host_add(store, name, options->space, set, hash, now);
	if (r == CSIGN_OK)
		(void)puts(key); /* the only time that anybody sees it */
	csign_wipe(key, sizeof key);
	store_close(&store);
	return report(r, name);
}

/* The words of a set, each between quotes, with commas between them. */
static void
print_rights(uint32_t set, const char *quote)
{
	const char *comma = "";
	size_t i;

	for (i = 0; i < N_RIGHTS; i++)
		if ((set & rights[i].right) != 0) {
			printf("%s%s%s%s", comma, quote, rights[i].name, quote);
			comma = ",";
		}
}

static void
print_row(void *arg, const struct host *host)
{
	char created[CSIGN_TIME_SIZE] = "";

	(void)arg;
	if (csign_time_format(host->created / 1000, created) != CSIGN_OK)
		created[0] = '\0';
	printf("%-24s %-24s %-20s ", host->name, host->space_name, created);
	print_rights(host->rights, "");
	(void)putchar('\n');
}

/* Names need no escaping in JSON: is_name(). */
static void
print_json(void *arg, const struct host *host)
{
	char created[CSIGN_TIME_SIZE] = "";
	const char **separator = arg;

	if (csign_time_format(host->created / 1000, created) != CSIGN_OK)
		created[0] = '\0';
	printf("%s{\"name\":\"%s\",\"space\":\"%s\",\"createdAt\":\"%s\","
	       "\"rights\":[",
	    *separator, host->name, host->space_name, created);
	print_rights(host->rights, "\"");
	(void)fputs("]}", stdout);
	*separator = ",";
}

static int
host_list(const struct host_options *options)
{
	const char *separator = "";
	struct store *store = NULL;
	enum csign_err r;

	if (!open_store(options->config, &store))
		return CMD_TROUBLE;
	if (options->json)
		(void)fputc('[', stdout);
	else
		printf("%-24s %-24s %-20s %s\n", "NAME", "SPACE", "CREATED",
		    "RIGHTS");
	r = store_host_each(
	    store, options->json ? print_json : print_row, &separator);
	if (options->json)
		(void)puts("]");
	store_close(&store);
	return report(r, "");
}

static int
host_revoke(const char *name, const struct host_options *options)
{
	struct store *store = NULL;
	enum csign_err r;

	if (!open_store(options->config, &store))
		return CMD_TROUBLE;
	r = store_host_remove(store, name);
	store_close(&store);
	return report(r, name);
}

/* Options may stand before and after the name. */
static bool
read_options(int argc, char **argv, struct host_options *ret_options)
{
	static const struct option options[] = {
	    {"config", required_argument, NULL, 'c'},
	    {"json", no_argument, NULL, 'j'},
	    {"rights", required_argument, NULL, 'r'},
	    {"space", required_argument, NULL, 's'},
	    {NULL, 0, NULL, 0},
	};
	struct host_options o = {NULL, NULL, NULL, false};
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1)
		switch (option) {
		case 'c':
			o.config = optarg;
			break;
		case 'j':
			o.json = true;
			break;
		case 'r':
			o.rights = optarg;
			break;
		case 's':
			o.space = optarg;
			break;
		default:
			return false;
		}
	*ret_options = o;
	return true;
}

int
cmd_host(int argc, char **argv)
{
	struct host_options options;
	const char *verb, *name;
	bool for_add;

	if (!read_options(argc, argv, &options))
		return CMD_USAGE;
	if (optind == argc)
		return CMD_USAGE;
	verb = argv[optind++];
	name = optind < argc ? argv[optind++] : NULL;
	if (optind != argc)
		return CMD_USAGE;
	for_add = options.space != NULL || options.rights != NULL;
	if (strcmp(verb, "add") == 0 && name != NULL && !options.json)
		return host_add(name, &options);
	if (strcmp(verb, "list") == 0 && name == NULL && !for_add)
		return host_list(&options);
	if (strcmp(verb, "revoke") == 0 && name != NULL && !for_add &&
	    !options.json)
		return host_revoke(name, &options);
	return CMD_USAGE;
}
