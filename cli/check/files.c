/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * countersign check: the files that a grant needs, the program that fetches
 * it, and what may keep both from working.
 */
#include "config.h"

#include <errno.h>
#include <json-c/json.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "check.h"
#include "lines.h"

#define SPACE_LEAST 65536UL      /* bytes without which nothing is written */
#define SPACE_LOW 16777216UL     /* too little for much longer */
#define AUDIT_LARGE 67108864     /* larger than anybody reads */
#define AUDIT_UNROTATED 16777216 /* from here on rotation matters */
#define AUDIT_RECORD_MAX 4096

static bool
nothing(void *arg, const char *user)
{
	(void)arg, (void)user;
	return false;
}

/* Is there a place for what a grant writes first? */
static void
check_space(struct check *c, const char *path)
{
	struct statvfs fs;
	unsigned long bytes;

	if (statvfs(path, &fs) != 0) {
		check_find(c->report, FIND_STORE_SPACE, NULL, path, NULL,
		    "Its file system cannot be looked at: %m.");
		return;
	}
	bytes = fs.f_bavail > SPACE_LOW / fs.f_frsize + 1
		    ? SPACE_LOW
		    : (unsigned long)fs.f_bavail * fs.f_frsize;
	if ((fs.f_flag & ST_RDONLY) != 0)
		check_find(c->report, FIND_STORE_SPACE, NULL, path, NULL,
		    "It cannot be written (a file system that is read-only): "
		    "nobody can be let in, because a grant is written first.");
	else if (bytes < SPACE_LEAST || (fs.f_files > 0 && fs.f_favail == 0))
		check_find(c->report, FIND_STORE_SPACE, NULL, path, NULL,
		    "Its file system is full: nobody can be let in, because a "
		    "grant is written first.");
	else if (bytes < SPACE_LOW)
		check_find(c->report, FIND_STORE_LOW, NULL, path, NULL,
		    "Its file system has %lu KiB left; when it is full nobody "
		    "can be let in.",
		    bytes / 1024);
}

static void
check_store(struct check *c)
{
	const char *dir = check_setting(c, NULL, "state_dir");
	char *path = strdup(dir);

	if (path == NULL)
		return;
	/* a store that is not sound was found with the configuration */
	if (csign_users_each(c->ctx, nothing, NULL) == CSIGN_OK)
		check_space(c, path);
	free(path);
}

/* --- the audit trail ------------------------------------------------------ */

static void
look_for_path(void *arg, const char *file)
{
	const char **wanted = arg;
	char *text = check_text(file, CHECK_TEXT_MAX);

	if (*wanted != NULL && text != NULL && strstr(text, *wanted) != NULL)
		*wanted = NULL;
	free(text);
}

static bool
is_rotated(const char *audit)
{
	const char *wanted = audit;

	look_for_path(&wanted, "/etc/logrotate.conf");
	(void)check_each("/etc/logrotate.d/*", look_for_path, &wanted);
	return wanted == NULL;
}

/* The newest record: readable, and when it was. */
static void
check_record(struct check *c, const char *path)
{
	char *text = check_text(path, AUDIT_RECORD_MAX), *line;
	struct json_object *record = NULL, *time = NULL;
	size_t len = text != NULL ? strlen(text) : 0;

	if (len == 0) {
		free(text);
		return;
	}
	if (text[len - 1] == '\n')
		text[len - 1] = '\0';
	line = strrchr(text, '\n');
	line = line != NULL ? line + 1 : text;
	record = json_tokener_parse(line);
	if (!json_object_is_type(record, json_type_object) ||
	    !json_object_object_get_ex(record, "time", &time))
		check_find(c->report, FIND_AUDIT_RECORD, NULL, path, NULL,
		    "Its last line is no record of countersign's: something "
		    "else writes this file, or a write was cut off.");
	else
		check_good(c->report, GROUP_FILES, "last audit record: %s",
		    json_object_get_string(time));
	json_object_put(record);
	free(text);
}

/* What a grant needs, and how a person sees that it is missing. */
struct needed {
	enum check_id id;
	const char *what, *without;
};

static void
check_folder(struct check *c, const char *path, const struct needed *needed)
{
	char *folder = strdup(path), *slash;
	struct stat st;

	if (folder == NULL || (slash = strrchr(folder, '/')) == NULL) {
		free(folder);
		return;
	}
	slash[slash == folder] = '\0';
	if (stat(folder, &st) != 0)
		check_find(c->report, needed->id, NULL, folder, NULL,
		    "%s cannot be written (%m), and %s.", needed->what,
		    needed->without);
	else if (st.st_uid != 0 || (st.st_mode & 02) != 0)
		check_find(c->report, needed->id, NULL, folder, NULL,
		    "Others than root could replace %s, so it is refused, and "
		    "%s.",
		    needed->what, needed->without);
	else
		check_space(c, folder);
	free(folder);
}

/* Size and rotation: of a trail, and of evidence alike. */
static void
check_growth(struct check *c, const char *path, const char *what, off_t size)
{
	if (size > AUDIT_LARGE)
		check_find(c->report, FIND_AUDIT_SIZE, NULL, path, NULL,
		    "It has %lld MiB.", (long long)size / 1048576);
	else if (is_rotated(path))
		check_good(
		    c->report, GROUP_FILES, "logrotate looks after %s", what);
	else
		check_find(c->report, FIND_AUDIT_ROTATION, NULL, path, NULL,
		    size > AUDIT_UNROTATED ? "It grows, and nothing rotates it."
					   : "Nothing will rotate it.");
}

static bool
is_yes(struct check *c, const char *key)
{
	const char *value = check_setting(c, NULL, key);

	return value != NULL && strcmp(value, "yes") == 0;
}

/* A socket may be left over, or be one for streams. */
static bool
listens(const char *path)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool ok = false;

	memcpy(to.sun_path, path, strlen(path) + 1);
	if (fd != -1) {
		ok = connect(fd, (const struct sockaddr *)&to, sizeof to) == 0;
		(void)close(fd);
	}
	return ok;
}

/* Is there a socket of the system's log, and do records go there? */
static bool
log_takes_records(struct check *c)
{
	static const char *const sockets[] = {
	    "/run/systemd/journal/dev-log", "/dev/log"};
	struct stat st;

	if (!is_yes(c, "audit_syslog"))
		return false;
	for (size_t i = 0; i < sizeof sockets / sizeof sockets[0]; i++)
		if (lstat(sockets[i], &st) == 0 && S_ISSOCK(st.st_mode))
			return listens(sockets[i]); /* the first is asked */
	return false;
}

static void
check_audit_file(struct check *c, const char *path, bool log)
{
	const struct needed needed = {FIND_AUDIT_FILE, "the audit trail",
	    log ? "records are in the system's log alone"
		: "no grant is given without its record"};
	struct stat st = {.st_size = 0};
	char why[128];

	check_folder(c, path, &needed);
	if (stat(path, &st) != 0) {
		if (errno != ENOENT)
			check_find(c->report, FIND_AUDIT_FILE, NULL, path, NULL,
			    "It cannot be looked at: %m.");
		st.st_size = 0;
	} else if (!check_safe(path, why, sizeof why)) {
		check_find(c->report, FIND_AUDIT_FILE, NULL, path, NULL,
		    "This file is refused (%s), and %s.", why, needed.without);
	} else {
		check_record(c, path);
	}
	check_growth(c, path, "the audit trail", st.st_size);
}

static void
check_audit(struct check *c)
{
	const char *setting = check_setting(c, NULL, "audit_file");
	char *path = setting == NULL ? NULL : strdup(setting);
	/* of another root nothing runs here */
	bool log = c->root == NULL && log_takes_records(c);

	if (path == NULL)
		return;
	if (path[0] != '\0')
		check_audit_file(c, path, log);
	else if (!log && c->root == NULL)
		check_find(c->report, FIND_AUDIT_LOG, NULL, "/dev/log", NULL,
		    "audit_file is none, and the system's log does not listen "
		    "here: no grant is given without its record.");
	if (log)
		check_good(c->report, GROUP_FILES,
		    "records also go to the system's log");
	free(path);
}

static void
check_evidence(struct check *c)
{
	static const struct needed needed = {FIND_EVIDENCE, "the evidence",
	    "no grant is given whose signature cannot be kept"};
	char *path = NULL, why[128];
	struct stat st = {.st_size = 0};

	if (!is_yes(c, "evidence") ||
	    (path = strdup(check_setting(c, NULL, "evidence_file"))) == NULL)
		return;
	check_folder(c, path, &needed);
	if (stat(path, &st) != 0)
		st.st_size = 0;
	else if (!check_safe(path, why, sizeof why))
		check_find(c->report, FIND_EVIDENCE, NULL, path, NULL,
		    "This file is refused (%s), and %s.", why, needed.without);
	else if ((st.st_mode & 077) != 0)
		check_find(c->report, FIND_EVIDENCE, NULL, path, NULL,
		    "Others than root may read this file (mode %04o), so it is "
		    "refused, and %s.",
		    st.st_mode & 07777, needed.without);
	check_growth(c, path, "the evidence", st.st_size);
	free(path);
}

/* --- the courier ---------------------------------------------------------- */

static void
check_courier_file(struct check *c)
{
	char *path = strdup(check_setting(c, NULL, "courier"));
	char why[128];
	struct stat st;

	if (path == NULL)
		return;
	if (!check_safe(path, why, sizeof why))
		check_find(c->report, FIND_COURIER, NULL, path, NULL,
		    "Nobody can be asked without it: %s.", why);
	else if (stat(path, &st) == 0 && (st.st_mode & 01) == 0)
		check_find(c->report, FIND_COURIER, NULL, path,
		    "chmod 755 the file",
		    "Its account may not execute it (mode %04o), so nobody can "
		    "be asked.",
		    st.st_mode & 07777);
	free(path);
}

static void
check_courier_user(struct check *c)
{
	char *name = strdup(check_setting(c, NULL, "courier_user"));
	struct passwd entry, *found = NULL;
	char buf[4096];
	int error;

	if (name == NULL)
		return;
	error = getpwnam_r(name, &entry, buf, sizeof buf, &found);
	if (error != 0)
		check_find(c->report, FIND_COURIER_USER, NULL, name, NULL,
		    "The account that the courier runs as cannot be looked "
		    "up, so nobody can be asked.");
	else if (found == NULL)
		check_find(c->report, FIND_COURIER_USER, NULL, name, NULL,
		    "There is no such account for the courier to run as, so "
		    "nobody can be asked.");
	else if (found->pw_uid == 0)
		check_find(c->report, FIND_COURIER_USER, NULL, name,
		    "name an account that can do nothing else",
		    "The courier refuses to run as root, so nobody can be "
		    "asked.");
	free(name);
}

/* --- what guards the kernel's doors --------------------------------------- */

static void
check_guards(struct check *c)
{
	static const char *const programs[] = {
	    "sshd", "/su\n", "sudo", "login", "courier"};
	char *text = check_text("/sys/fs/selinux/enforce", 16);

	if (text != NULL && text[0] == '1')
		check_find(c->report, FIND_SELINUX, NULL, "/sys/fs/selinux",
		    NULL,
		    "SELinux enforces: its policy may keep sshd or login from "
		    "starting the courier, and the courier from the network.");
	free(text);
	text = check_text(
	    "/sys/kernel/security/apparmor/profiles", CHECK_TEXT_MAX);
	for (size_t i = 0; i < sizeof programs / sizeof programs[0]; i++) {
		if (text == NULL || strstr(text, programs[i]) == NULL)
			continue;
		check_find(c->report, FIND_APPARMOR, NULL, "apparmor", NULL,
		    "AppArmor has a profile for %s: it may keep it from "
		    "starting the courier or reading countersign's files.",
		    programs[i]);
		break;
	}
	free(text);
}

void
check_files(struct check *c)
{
	if (c->loaded) {
		check_store(c);
		check_audit(c);
		check_evidence(c);
		check_courier_file(c);
		check_courier_user(c);
	}
	if (c->root == NULL) {
		check_guards(c);
		check_sandbox(c);
	}
}
