/* SPDX-License-Identifier: BSD-2-Clause */
/* What commands have in common: the database as its owner, and output. */
#include "config.h"

#include <grp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clock.h"
#include "cmd.h"
#include "settings.h"
#include "text.h"

void
cmd_say(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	(void)fputs("countersignd: ", stderr);
	(void)vfprintf(stderr, fmt, args);
	(void)fputc('\n', stderr);
	va_end(args);
}

/* --- the database --------------------------------------------------------- */

char *
cmd_database(const char *config)
{
	struct settings settings;
	struct csign_why why = {""};
	char *database = NULL;

	memset(&settings, 0, sizeof settings);
	if (settings_load(config, &settings, &why) != CSIGN_OK)
		cmd_say("%s", why.text);
	else if ((database = strdup(settings.database)) == NULL)
		cmd_say("%s", csign_err_text(CSIGN_E_NOMEM));
	settings_clear(&settings);
	return database;
}

bool
cmd_become_owner(const char *database)
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

bool
cmd_open(const char *config, struct cmd_store *ret_store)
{
	struct cmd_store store = {.uid = getuid()};
	struct csign_why why = {""};
	bool ok = false;
	char *database;

	if ((database = cmd_database(config)) == NULL)
		return false;
	if (csign_clock_wall(&store.now) != CSIGN_OK)
		cmd_say("%s", csign_err_text(CSIGN_E_CLOCK));
	else if (cmd_become_owner(database)) {
		ok = store_open(database, STORE_COMMAND, &why, &store.store) ==
		     CSIGN_OK;
		if (!ok)
			cmd_say("%s", why.text);
	}
	free(database);
	if (ok)
		*ret_store = store;
	return ok;
}

bool
cmd_find_space(const struct cmd_store *store, const struct cmd_args *args,
    int64_t *ret_space)
{
	struct host host;
	enum csign_err r = CSIGN_OK;

	*ret_space = 0;
	if (args->space != NULL) {
		r = store_space_find(store->store, args->space, ret_space);
	} else if (args->host != NULL) {
		r = store_host_by_name(store->store, args->host, &host);
		if (r == CSIGN_OK)
			*ret_space = host.space;
	}
	if (r == CSIGN_E_NOT_FOUND)
		cmd_say("there is no %s \"%s\"",
		    args->space != NULL ? "space" : "host",
		    args->space != NULL ? args->space : args->host);
	else if (r != CSIGN_OK)
		cmd_say("%s", csign_err_text(r));
	return r == CSIGN_OK;
}

static void
put_word(char *out, size_t size, const char *text)
{
	(void)snprintf(out, size, "%s", text);
}

enum csign_err
cmd_record(const struct cmd_store *store, const char *what, const char *name,
    const char *space)
{
	struct command command = {.time = store->now, .uid = store->uid};

	put_word(command.what, sizeof command.what, what);
	put_word(command.name, sizeof command.name, name);
	put_word(command.space, sizeof command.space, space);
	return store_command_add(store->store, &command);
}

/* --- output --------------------------------------------------------------- */

struct csign_buf *
cmd_json(struct reply *reply)
{
	struct csign_buf *buf = NULL;

	if (csign_buf_new(REPLY_MAX, &buf) == CSIGN_OK)
		reply_begin_bare(reply, buf);
	else
		cmd_say("%s", csign_err_text(CSIGN_E_NOMEM));
	return buf;
}

int
cmd_print(struct reply *reply, struct csign_buf **buf)
{
	enum csign_err r = reply->err;

	if (r == CSIGN_OK)
		(void)puts(csign_buf_str(*buf));
	else
		cmd_say("%s", csign_err_text(r));
	csign_buf_free(buf);
	return r == CSIGN_OK ? CMD_OK : CMD_TROUBLE;
}

void
cmd_cell(const char *text, int width)
{
	struct csign_buf *buf = NULL;
	size_t n;

	if (csign_buf_new(REPLY_MAX, &buf) != CSIGN_OK ||
	    csign_text_safe(buf, text, strlen(text)) != CSIGN_OK) {
		csign_buf_free(&buf);
		return;
	}
	n = csign_utf8_count(csign_buf_str(buf), csign_buf_len(buf));
	printf("%s%*s ", csign_buf_str(buf),
	    n < (size_t)width ? width - (int)n : 0, "");
	csign_buf_free(&buf);
}

void
cmd_time(uint64_t ms)
{
	char text[CSIGN_TIME_SIZE] = "";

	if (csign_time_format(ms / 1000, text) != CSIGN_OK)
		text[0] = '\0';
	printf("%-20s ", text);
}
