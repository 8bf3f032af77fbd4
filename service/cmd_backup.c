/* SPDX-License-Identifier: BSD-2-Clause */
/* countersignd backup, countersignd restore */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "cmd.h"
#include "dir.h"

#define NAME_SIZE 2048

/* For the log of the service; an older database has no place for it yet. */
static void
record(const char *database, const char *what, uid_t uid)
{
	struct cmd_store store = {.uid = uid};
	struct csign_why why = {""};
	enum csign_err r;

	if (csign_clock_wall(&store.now) != CSIGN_OK ||
	    store_open(database, STORE_COMMAND, &why, &store.store) != CSIGN_OK)
		return;
	if ((r = cmd_record(&store, what, "", "")) != CSIGN_OK)
		cmd_say("the log will not have this: %s", csign_err_text(r));
	store_close(&store.store);
}

/* --- backup --------------------------------------------------------------- */

/* May a copy take the place of what is at this path? */
static bool
check_target(const char *path, const char *database)
{
	struct stat st, db;

	if (lstat(path, &st) != 0)
		return true;
	if (!S_ISREG(st.st_mode)) {
		cmd_say("%s: not a regular file", path);
		return false;
	}
	if (stat(database, &db) == 0 && st.st_dev == db.st_dev &&
	    st.st_ino == db.st_ino) {
		cmd_say("%s: this is the database itself", path);
		return false;
	}
	return true;
}

/* As the owner of the database, in a process of its own. */
static int
copy_database(const char *database, int fd)
{
	struct csign_why why = {""};
	uid_t uid = getuid();

	if (!cmd_become_owner(database))
		return CMD_TROUBLE;
	if (store_backup(database, fd, &why) != CSIGN_OK) {
		cmd_say("%s", why.text);
		return CMD_TROUBLE;
	}
	record(database, "backup", uid);
	return CMD_OK;
}

/* So that this one can still write where only the caller may. */
static bool
copy_in_child(const char *database, int fd)
{
	int status = 0;
	pid_t pid;

	if ((pid = fork()) < 0) {
		cmd_say("fork: %m");
		return false;
	}
	if (pid == 0)
		_exit(copy_database(database, fd));
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return false;
	if (WIFEXITED(status))
		return WEXITSTATUS(status) == CMD_OK;
	cmd_say("the process that makes the copy was killed");
	return false;
}

static bool
sync_folder_of(const char *path)
{
	char folder[NAME_SIZE];
	char *slash;
	bool ok;
	int fd;

	(void)snprintf(folder, sizeof folder, "%s", path);
	if ((slash = strrchr(folder, '/')) == NULL)
		(void)snprintf(folder, sizeof folder, ".");
	else
		slash[slash == folder ? 1 : 0] = '\0';
	fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ok = fd >= 0 && fsync(fd) == 0;
	csign_close(&fd);
	return ok;
}

/* FILE is the whole copy or what it was before. */
static bool
write_copy(const char *path, const char *database)
{
	char name[NAME_SIZE];
	bool ok = false;
	int n, fd;

	n = snprintf(name, sizeof name, "%s.XXXXXX", path);
	if (n < 0 || (size_t)n >= sizeof name) {
		cmd_say("%s: the name is too long", path);
		return false;
	}
	if ((fd = mkostemp(name, O_CLOEXEC)) < 0) {
		cmd_say("%s: %m", path);
		return false;
	}
	if (copy_in_child(database, fd)) {
		ok = fchmod(fd, 0600) == 0 && fsync(fd) == 0 &&
		     rename(name, path) == 0 && sync_folder_of(path);
		if (!ok)
			cmd_say("%s: %m", path);
	}
	if (!ok)
		(void)unlink(name);
	close(fd);
	return ok;
}

static int
backup(const struct cmd_args *args)
{
	char *database;
	bool ok;

	if (strcmp(args->operand, "-") == 0)
		return CMD_USAGE;
	if ((database = cmd_database(args->config)) == NULL)
		return CMD_TROUBLE;
	ok = check_target(args->operand, database) &&
	     write_copy(args->operand, database);
	free(database);
	return ok ? CMD_OK : CMD_TROUBLE;
}

int
cmd_backup(int argc, char **argv)
{
	static const struct cmd_verb verb = {"backup", true, 0, backup};

	return cmd_single(argc, argv, &verb);
}

/* --- restore -------------------------------------------------------------- */

/* What it says is who may ask: nobody else may have written it. */
static int
open_copy(const char *path)
{
	struct csign_why why = {""};
	struct stat st;
	int fd;

	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0 || fstat(fd, &st) != 0) {
		cmd_say("%s: %m", path);
	} else if (!S_ISREG(st.st_mode)) {
		cmd_say("%s: not a regular file", path);
	} else if (csign_check_owner(&st, 022, path, (int)strlen(path), &why) !=
		   CSIGN_OK) {
		cmd_say("%s", why.text);
	} else {
		return fd;
	}
	csign_close(&fd);
	return -1;
}

static void
say_revived(const char *host)
{
	cmd_say("the key of host \"%s\" was revoked or replaced after this "
		"backup and is good again; if it should not be: countersignd "
		"host revoke %s",
	    host, host);
}

static int
restore_from(const char *database, int fd)
{
	char aside[NAME_SIZE] = "";
	struct csign_why why = {""};
	uid_t uid = getuid();
	uint64_t now = 0;

	if (csign_clock_wall(&now) != CSIGN_OK) {
		cmd_say("%s", csign_err_text(CSIGN_E_CLOCK));
		return CMD_TROUBLE;
	}
	if (!cmd_become_owner(database))
		return CMD_TROUBLE;
	if (store_restore(database, fd, now, say_revived, &why, aside,
		sizeof aside) != CSIGN_OK) {
		cmd_say("%s", why.text);
		return CMD_TROUBLE;
	}
	record(database, "restore", uid);
	if (aside[0] != '\0')
		printf("the old database is kept as %s\n", aside);
	return CMD_OK;
}

static int
restore(const struct cmd_args *args)
{
	int status = CMD_TROUBLE;
	char *database;
	int fd;

	if ((database = cmd_database(args->config)) == NULL)
		return CMD_TROUBLE;
	if ((fd = open_copy(args->operand)) >= 0)
		status = restore_from(database, fd);
	csign_close(&fd);
	free(database);
	return status;
}

int
cmd_restore(int argc, char **argv)
{
	static const struct cmd_verb verb = {"restore", true, 0, restore};

	return cmd_single(argc, argv, &verb);
}
