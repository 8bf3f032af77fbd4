/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who there is: accounts of /etc/passwd that can log in, whoever sudoers
 * names, and everybody with a devices file.
 */
#include "config.h"

#include <grp.h>
#include <pwd.h>
#include <shadow.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../tty.h"
#include "check.h"
#include "lines.h"
#include "people.h"
#include "run.h"

#define ENTRY_SIZE 65536
#define PEOPLE_MAX 10000
#define GROUPS_MAX 256

/* --- what one account can do ---------------------------------------------- */

/* One that a login would accept; an empty one counts, too. */
static bool
hash_usable(const char *hash)
{
	return hash != NULL && hash[0] != '!' && hash[0] != '*' &&
	       strcmp(hash, "x") != 0;
}

static bool
has_password(const char *name, const char *passwd_field)
{
	char *buf = malloc(ENTRY_SIZE);
	struct spwd entry, *found = NULL;
	bool usable = false;

	if (strcmp(passwd_field, "x") != 0) {
		usable = hash_usable(passwd_field);
	} else if (buf != NULL &&
		   getspnam_r(name, &entry, buf, ENTRY_SIZE, &found) == 0 &&
		   found != NULL) {
		usable = hash_usable(found->sp_pwdp);
	}
	if (buf != NULL)
		tty_wipe(buf, ENTRY_SIZE);
	free(buf);
	return usable;
}

static bool
has_shell(const char *shell)
{
	const char *name = strrchr(shell, '/');

	name = name != NULL ? name + 1 : shell;
	return strcmp(name, "nologin") != 0 && strcmp(name, "false") != 0 &&
	       strcmp(name, "sync") != 0;
}

/* --- the list ------------------------------------------------------------- */

static struct check_person *
find(struct check *c, const char *name)
{
	for (size_t i = 0; i < c->people.n; i++)
		if (strcmp(c->people.item[i].name, name) == 0)
			return &c->people.item[i];
	return NULL;
}

static struct check_person *
add(struct check *c, const struct passwd *entry)
{
	struct check_person *more, *person;

	if ((person = find(c, entry->pw_name)) != NULL)
		return person;
	if (c->people.n == PEOPLE_MAX ||
	    strlen(entry->pw_name) >= CHECK_NAME_SIZE)
		return NULL;
	more = reallocarray(c->people.item, c->people.n + 1, sizeof *more);
	if (more == NULL)
		return NULL;
	c->people.item = more;
	person = &more[c->people.n++];
	*person = (struct check_person){.uid = entry->pw_uid,
	    .gid = entry->pw_gid,
	    .shell = has_shell(entry->pw_shell),
	    .password = has_password(entry->pw_name, entry->pw_passwd)};
	(void)snprintf(person->name, sizeof person->name, "%s", entry->pw_name);
	(void)snprintf(person->home, sizeof person->home, "%s", entry->pw_dir);
	return person;
}

struct check_person *
check_person(struct check *c, const char *name)
{
	struct check_person *person = find(c, name);
	struct passwd entry, *found = NULL;
	char *buf;

	if (person != NULL)
		return person;
	buf = malloc(ENTRY_SIZE);
	if (buf != NULL &&
	    getpwnam_r(name, &entry, buf, ENTRY_SIZE, &found) == 0 &&
	    found != NULL)
		person = add(c, found);
	free(buf);
	return person;
}

static void
mark(struct check_person *person, bool nopasswd)
{
	if (person == NULL)
		return;
	person->admin = true;
	person->nopasswd = person->nopasswd || nopasswd;
}

void
check_admin_group(struct check *c, const char *name, bool nopasswd)
{
	struct group group, *found = NULL;
	char *buf = malloc(ENTRY_SIZE);

	check_people(c);
	if (buf != NULL &&
	    getgrnam_r(name, &group, buf, ENTRY_SIZE, &found) == 0 &&
	    found != NULL) {
		for (char **member = found->gr_mem; *member != NULL; member++)
			mark(check_person(c, *member), nopasswd);
		for (size_t i = 0; i < c->people.n; i++)
			if (c->people.item[i].gid == found->gr_gid)
				mark(&c->people.item[i], nopasswd);
	}
	free(buf);
}

void
check_people(struct check *c)
{
	struct passwd entry, *found = NULL;
	FILE *file;
	char *buf;

	if (c->people_read)
		return;
	c->people_read = true;
	buf = malloc(ENTRY_SIZE);
	file = fopen("/etc/passwd", "re");
	while (buf != NULL && file != NULL &&
	       fgetpwent_r(file, &entry, buf, ENTRY_SIZE, &found) == 0)
		(void)add(c, found);
	if (file == NULL)
		check_find(c->report, FIND_UNREAD, NULL, "/etc/passwd", NULL,
		    "It cannot be read, so not every account is known: %m.");
	else
		(void)fclose(file);
	free(buf);
}

/* --- keys ----------------------------------------------------------------- */

struct key_file {
	const struct check_person *person;
	const char *path;
};

/*
 * In a child, and as the person, as sshd does it: a link in his folder could
 * lead root to a device that does something when it is opened.  Writes a byte
 * for each key.
 */
static void
look_for_keys(int fd, const void *arg)
{
	const struct key_file *file = arg;
	const struct check_person *person = file->person;
	struct check_lines lines = {0};
	char *text;

	if (setgroups(0, NULL) != 0 ||
	    setresgid(person->gid, person->gid, person->gid) != 0 ||
	    setresuid(person->uid, person->uid, person->uid) != 0)
		return;
	text = check_text(file->path, CHECK_TEXT_MAX);
	lines.next = text;
	while (check_line(&lines, false))
		if (lines.line[0] != '\0' && lines.line[0] != '#' &&
		    write(fd, "k", 1) != 1)
			break;
	free(text);
}

static bool
has_key_line(const struct check_person *person, const char *path)
{
	const struct key_file file = {person, path};
	char *keys = NULL;
	bool any;

	any =
	    check_run_function(look_for_keys, &file, &keys) && keys[0] != '\0';
	free(keys);
	return any;
}

/* One word of AuthorizedKeysFile, with its "%" filled in. */
static bool
key_file(
    const struct check_person *person, const char *word, char *out, size_t size)
{
	bool fits = true;

	out[0] = '\0';
	if (word[0] != '/' && strncmp(word, "%h", 2) != 0)
		fits = check_append(out, size, person->home, size) &&
		       check_append(out, size, "/", 1);
	for (; fits && *word != '\0'; word++) {
		const char *put = word;
		size_t len = 1;

		if (word[0] == '%') {
			len = size;
			word++;
			if (*word == 'h')
				put = person->home;
			else if (*word == 'u')
				put = person->name;
			else if (*word == '%')
				put = "%";
			else
				return false;
		}
		fits = check_append(out, size, put, len);
	}
	return fits;
}

bool
check_has_key(const struct check_person *person, const char *files)
{
	char words[512], path[1024];
	char *next = words, *word;
	bool any = false;

	(void)snprintf(words, sizeof words, "%s", files);
	while (!any && (word = check_word(&next, "")) != NULL)
		any = key_file(person, word, path, sizeof path) &&
		      has_key_line(person, path);
	return any;
}

/* --- groups of the policy ------------------------------------------------- */

/* As the library does it: a group that is not there decides nothing. */
static bool
in_groups(const struct check_person *person, const char *words, bool *ret_in)
{
	char *copy = strdup(words), *next = copy, *word;
	char *buf = malloc(ENTRY_SIZE);
	struct group group, *found = NULL;
	gid_t groups[GROUPS_MAX];
	int n = GROUPS_MAX;
	bool known = copy != NULL && buf != NULL, in = false;

	if (getgrouplist(person->name, person->gid, groups, &n) == -1)
		known = false;
	while (known && (word = check_word(&next, "")) != NULL) {
		if (getgrnam_r(word, &group, buf, ENTRY_SIZE, &found) != 0 ||
		    found == NULL) {
			known = false;
			break;
		}
		for (int i = 0; i < n; i++)
			in = in || groups[i] == found->gr_gid;
	}
	free(copy);
	free(buf);
	*ret_in = in;
	return known;
}

bool
check_is_asked(
    struct check *c, const char *service, const struct check_person *person)
{
	const char *groups;
	bool in = false;

	groups = check_setting(c, service, "exempt_groups");
	if (groups[0] != '\0' && in_groups(person, groups, &in) && in)
		return false;
	groups = check_setting(c, service, "require_groups");
	return groups[0] == '\0' || !in_groups(person, groups, &in) || in;
}
