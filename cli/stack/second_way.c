/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <dirent.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../root.h"
#include "../tty.h"
#include "second_way.h"

#define TEXT_MAX ((size_t)4 * 1024 * 1024)
#define HASH_MIN 13    /* the shortest that crypt(3) makes */
#define GROUPS_MAX 256 /* of one user's */

static const char *const admin_groups[] = {"sudo", "wheel", "admin"};
#define N_ADMIN_GROUPS (sizeof admin_groups / sizeof admin_groups[0])

struct look {
	struct csign_ctx *ctx;
	const struct pam_edit *edit;
	const char *root;
	char *group, *shadow; /* files as text, or NULL */
	struct second_way *way;
};

/* --- texts ------------------------------------------------------------------
 */

/* The part of a line between the colons; false: there is no such field. */
static bool
field(const char *line, unsigned int n, const char **ret_at, size_t *ret_len)
{
	for (; n > 0; n--) {
		line += strcspn(line, ":\n");
		if (*line != ':')
			return false;
		line++;
	}
	*ret_at = line;
	*ret_len = strcspn(line, ":\n");
	return true;
}

/* The line that begins with "name:". */
static const char *
find_line(const char *text, const char *name)
{
	size_t len = strlen(name);

	for (const char *p = text; p != NULL && *p != '\0';) {
		if (strncmp(p, name, len) == 0 && p[len] == ':')
			return p;
		p = strchr(p, '\n');
		p = p != NULL ? p + 1 : NULL;
	}
	return NULL;
}

/* Is the word in a list with commas of len bytes? */
static bool
in_list(const char *list, size_t len, const char *word)
{
	size_t want = strlen(word);

	while (len > 0) {
		const char *comma = memchr(list, ',', len);
		size_t one = comma != NULL ? (size_t)(comma - list) : len;

		if (one == want && memcmp(list, word, one) == 0)
			return true;
		if (comma == NULL)
			return false;
		list += one + 1;
		len -= one + 1;
	}
	return false;
}

/* --- administrators ---------------------------------------------------------
 */

static bool
listed_admin(const struct look *l, const char *user)
{
	const char *line, *members;
	size_t len;

	for (size_t i = 0; i < N_ADMIN_GROUPS; i++)
		if ((line = find_line(l->group, admin_groups[i])) != NULL &&
		    field(line, 3, &members, &len) &&
		    in_list(members, len, user))
			return true;
	return false;
}

/* By what this host's own look-up says, for accounts that no file has. */
static bool
looked_up_admin(const char *user)
{
	struct passwd account, *found = NULL;
	struct group group, *named = NULL;
	gid_t groups[GROUPS_MAX];
	int n = GROUPS_MAX;
	char buf[4096];

	if (getpwnam_r(user, &account, buf, sizeof buf, &found) != 0 ||
	    found == NULL)
		return false;
	if (found->pw_uid == 0)
		return true;
	if (getgrouplist(user, found->pw_gid, groups, &n) == -1)
		n = GROUPS_MAX;
	for (size_t i = 0; i < N_ADMIN_GROUPS; i++) {
		if (getgrnam_r(admin_groups[i], &group, buf, sizeof buf,
			&named) != 0 ||
		    named == NULL)
			continue;
		for (int k = 0; k < n; k++)
			if (groups[k] == named->gr_gid)
				return true;
	}
	return false;
}

static bool
is_admin(const struct look *l, const char *user)
{
	return strcmp(user, "root") == 0 || listed_admin(l, user) ||
	       (strcmp(l->root, "/") == 0 && looked_up_admin(user));
}

/* --- a phone that works -----------------------------------------------------
 */

/* A device of the user that has approved before; false: none. */
static bool
used_device(struct look *l, const char *user)
{
	struct csign_devices *devices = NULL;
	const struct csign_device_info *info;
	bool found = false;

	if (csign_devices_load(l->ctx, user, &devices) != CSIGN_OK)
		return false;
	for (size_t i = 0; i < csign_devices_count(devices) && !found; i++) {
		info = csign_devices_get(devices, i);
		if (info->last_used[0] == '\0')
			continue;
		(void)snprintf(l->way->phone_text, sizeof l->way->phone_text,
		    "%.64s's device \"%.64s\" approved on %.10s", user,
		    info->name, info->last_used);
		found = true;
	}
	csign_devices_free(&devices);
	return found;
}

static bool
codes_left(struct look *l, const char *user)
{
	size_t left = 0;

	if (csign_recovery_left(l->ctx, user, &left) != CSIGN_OK || left == 0)
		return false;
	(void)snprintf(l->way->phone_text, sizeof l->way->phone_text,
	    "%.64s has %zu recovery code%s", user, left, left == 1 ? "" : "s");
	return true;
}

static bool
look_at_user(void *arg, const char *user)
{
	struct look *l = arg;

	if (is_admin(l, user))
		l->way->phone = used_device(l, user) || codes_left(l, user);
	return !l->way->phone;
}

static void
look_for_phone(struct look *l)
{
	(void)snprintf(l->way->phone_text, sizeof l->way->phone_text,
	    "no administrator (root, or a member of sudo, wheel or admin) has "
	    "a device that has approved once, or recovery codes: countersign "
	    "enroll USER");
	if (l->ctx == NULL)
		(void)snprintf(l->way->phone_text, sizeof l->way->phone_text,
		    "the configuration cannot be read, so no device is known: "
		    "countersign check-config");
	else
		(void)!csign_users_each(l->ctx, look_at_user, l);
}

/* --- a way to root without it -----------------------------------------------
 */

/* A password that a login would compare; an empty one is no way to rely on. */
static bool
has_password(const struct look *l, const char *user)
{
	const char *line = find_line(l->shadow, user), *hash;
	size_t len;

	return line != NULL && field(line, 1, &hash, &len) && len >= HASH_MIN &&
	       hash[0] != '!' && hash[0] != '*';
}

/* Any member of the administrators' groups with a password. */
static bool
admin_has_password(const struct look *l)
{
	char user[65];

	for (const char *p = l->shadow; p != NULL && *p != '\0';) {
		size_t len = strcspn(p, ":\n");

		if (len < sizeof user && p[len] == ':') {
			memcpy(user, p, len);
			user[len] = '\0';
			if (listed_admin(l, user) && has_password(l, user))
				return true;
		}
		p = strchr(p, '\n');
		p = p != NULL ? p + 1 : NULL;
	}
	return false;
}

/* Does a password alone get through the stack of this other service? */
static bool
password_alone(const struct look *l, const char *service)
{
	const struct pam_edit *e = l->edit;
	struct pam_stack *stack = NULL;
	struct pam_judgement *j = NULL;
	bool ok = false;

	if (strcmp(service, e->service) == 0 ||
	    !pam_stack_read_as_if(
		l->root, service, e->path, e->new, e->new_len, &stack))
		return false;
	if (pam_judge(stack, &j))
		ok = j->way[PAM_WAY_AROUND].found;
	pam_judgement_free(&j);
	pam_stack_free(&stack);
	return ok;
}

/* Does whoever is logged in still have to get past this stack? */
static bool
is_entrance(const char *service)
{
	return strcmp(service, "sudo") != 0 && strcmp(service, "sudo-i") != 0;
}

/* --- root's key for ssh -----------------------------------------------------
 */

/* What sshd_config says about root, as far as it is plain. */
struct sshd {
	bool there, for_root; /* in a block "Match User root" */
	bool other_block;     /* in one for other users: not looked at */
	bool methods, methods_root, key_root;
	bool refused; /* no key of root's gets in */
};

static bool
says(const char *line, const char *word, const char **ret_rest)
{
	size_t len = strlen(word);

	if (strncasecmp(line, word, len) != 0 ||
	    strchr(" \t=", line[len]) == NULL || line[len] == '\0')
		return false;
	line += len;
	*ret_rest = line + strspn(line, " \t=\"");
	return true;
}

static bool
is_word(const char *text, const char *word)
{
	size_t len = strlen(word);

	return strncasecmp(text, word, len) == 0 &&
	       strspn(text + len, " \t\r\"") == strlen(text + len);
}

static void
sshd_line(struct sshd *s, const char *line)
{
	const char *rest;

	line += strspn(line, " \t");
	if (says(line, "Match", &rest)) {
		s->for_root = is_word(rest, "User root");
		/* any other kind of block might be for root, too */
		s->other_block = !s->for_root &&
				 strncasecmp(rest, "User ", 5) == 0 &&
				 strstr(rest, "root") == NULL &&
				 strpbrk(rest, "*?!") == NULL;
	} else if (s->other_block) {
		return;
	} else if (says(line, "AuthenticationMethods", &rest)) {
		if (s->for_root)
			s->key_root = is_word(rest, "publickey");
		s->methods_root = s->methods_root || s->for_root;
		s->methods = true;
	} else if (says(line, "PermitRootLogin", &rest)) {
		if (is_word(rest, "no") ||
		    is_word(rest, "forced-commands-only"))
			s->refused = true;
	} else if (says(line, "PubkeyAuthentication", &rest)) {
		s->refused = s->refused || !is_word(rest, "yes");
	} else if (says(line, "AllowUsers", &rest) ||
		   says(line, "AllowGroups", &rest) ||
		   says(line, "DenyUsers", &rest) ||
		   says(line, "DenyGroups", &rest)) {
		s->refused = true;
	}
}

static void
sshd_file(const struct look *l, const char *path, struct sshd *s)
{
	char *text = root_read(l->root, path, TEXT_MAX, NULL), *rest = text;
	char *line;

	if (text == NULL)
		return;
	s->there = true;
	s->for_root = s->other_block = false;
	while ((line = strsep(&rest, "\n")) != NULL)
		sshd_line(s, line);
	free(text);
}

static void
sshd_folder(const struct look *l, const char *path, struct sshd *s)
{
	int fd = root_open(l->root, path, O_RDONLY | O_DIRECTORY);
	DIR *dir = fd != -1 ? fdopendir(fd) : NULL;
	const struct dirent *entry;
	char file[512];

	if (dir == NULL) {
		if (fd != -1)
			(void)close(fd);
		return;
	}
	while ((entry = readdir(dir)) != NULL) {
		size_t len = strlen(entry->d_name);

		if (len < 5 || strcmp(entry->d_name + len - 5, ".conf") != 0)
			continue;
		(void)snprintf(file, sizeof file, "%s/%s", path, entry->d_name);
		sshd_file(l, file, s);
	}
	(void)closedir(dir);
}

/* A line that is a key and not a comment. */
static bool
has_key(const struct look *l)
{
	char *text =
	    root_read(l->root, "/root/.ssh/authorized_keys", TEXT_MAX, NULL);
	char *rest = text, *line;
	bool found = false;

	while (text != NULL && !found && (line = strsep(&rest, "\n")) != NULL) {
		line += strspn(line, " \t");
		found = line[0] != '#' && (strstr(line, "ssh-") != NULL ||
					      strstr(line, "ecdsa-") != NULL ||
					      strstr(line, "sk-") != NULL);
	}
	free(text);
	return found;
}

static bool
root_by_key(const struct look *l)
{
	struct sshd s = {.there = false};

	if (!has_key(l))
		return false;
	sshd_folder(l, "/etc/ssh/sshd_config.d", &s);
	sshd_file(l, "/etc/ssh/sshd_config", &s);
	if (!s.there || s.refused)
		return false;
	return !s.methods || (s.methods_root && s.key_root);
}

/* --- all together -----------------------------------------------------------
 */

static const char *
find_root(const struct look *l)
{
	bool console = password_alone(l, "login");

	if (console && has_password(l, "root"))
		return "root's password at the console (login)";
	if (console && password_alone(l, "sudo") && admin_has_password(l))
		return "an administrator's password at the console (login), "
		       "then sudo";
	if (root_by_key(l))
		return "root's key for ssh";
	if (!is_entrance(l->edit->service) && password_alone(l, "su") &&
	    has_password(l, "root"))
		return "root's password with su";
	return NULL;
}

static void
look_for_root(struct look *l)
{
	const char *found = find_root(l);

	l->way->root = found != NULL;
	(void)snprintf(l->way->root_text, sizeof l->way->root_text, "%s",
	    found != NULL
		? found
		: "no way to root would be left that needs no phone: give "
		  "root a password (and leave the stack of login alone), or "
		  "root a key for ssh, with \"AuthenticationMethods "
		  "publickey\" in a block \"Match User root\" if others are "
		  "asked for more");
}

void
second_way_look(struct csign_ctx *ctx, const struct pam_edit *edit,
    struct second_way *ret_way)
{
	struct look l = {
	    .ctx = ctx, .edit = edit, .root = edit->root, .way = ret_way};
	size_t len = 0;

	memset(ret_way, 0, sizeof *ret_way);
	l.group = root_read(l.root, "/etc/group", TEXT_MAX, NULL);
	l.shadow = root_read(l.root, "/etc/shadow", TEXT_MAX, &len);
	look_for_phone(&l);
	look_for_root(&l);
	if (l.shadow != NULL)
		tty_wipe(l.shadow, len);
	free(l.shadow);
	free(l.group);
}
