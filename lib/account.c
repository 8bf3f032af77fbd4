/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "account.h"
#include "text.h"

#define ENTRY_SIZE_FIRST ((size_t)1024)
#define ENTRY_SIZE_MAX ((size_t)1 << 20) /* a group with very many members */
#define GROUPS_FIRST 64
#define GROUPS_MAX 65536
#define GROUP_NAME_MAX 256

/* --- names of files ------------------------------------------------------- */

static bool
is_plain(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' ||
	       c == '.' || c == '-';
}

enum csign_err
csign_account_file_name(const char *name, char out[CSIGN_FILE_NAME_MAX + 1])
{
	static const char digits[] = "0123456789ABCDEF";
	char file[CSIGN_FILE_NAME_MAX + 1];
	size_t len = 0;

	if (name[0] == '\0' || name[0] == '.')
		return CSIGN_E_INVALID;
	for (const char *at = name; *at != '\0'; at++) {
		if (len + (is_plain(*at) ? 1 : 3) > CSIGN_FILE_NAME_MAX)
			return CSIGN_E_INVALID;
		if (is_plain(*at)) {
			file[len++] = *at;
			continue;
		}
		file[len++] = '%';
		file[len++] = digits[(unsigned char)*at >> 4];
		file[len++] = digits[(unsigned char)*at & 15];
	}
	file[len++] = '\0';
	memcpy(out, file, len);
	return CSIGN_OK;
}

static int
hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

enum csign_err
csign_account_from_file_name(const char *file, char out[CSIGN_USER_MAX + 1])
{
	char name[CSIGN_USER_MAX + 1], again[CSIGN_FILE_NAME_MAX + 1];
	int high = 0, low = 0;
	size_t len = 0;

	for (const char *at = file; *at != '\0'; at++) {
		if (len == CSIGN_USER_MAX)
			return CSIGN_E_FORMAT;
		if (*at != '%') {
			name[len++] = *at;
			continue;
		}
		high = hex_value(at[1]);
		low = high < 0 ? -1 : hex_value(at[2]);
		if (low < 0 || (high == 0 && low == 0))
			return CSIGN_E_FORMAT;
		name[len++] = (char)(high << 4 | low);
		at += 2;
	}
	name[len] = '\0';
	/* The one spelling that the other function makes, and no other. */
	if (csign_account_file_name(name, again) != CSIGN_OK ||
	    strcmp(again, file) != 0)
		return CSIGN_E_FORMAT;
	memcpy(out, name, len + 1);
	return CSIGN_OK;
}

/* --- looking up ----------------------------------------------------------- */

/* Room for the strings of an entry, which libc wants from its caller. */
struct room {
	char *at;
	size_t size;
};

static enum csign_err
enlarge(struct room *room)
{
	size_t size = room->size == 0 ? ENTRY_SIZE_FIRST : room->size * 4;
	char *larger = NULL;

	if (size > ENTRY_SIZE_MAX) {
		errno = ERANGE;
		return CSIGN_E_SYSTEM;
	}
	larger = realloc(room->at, size);
	if (larger == NULL)
		return CSIGN_E_NOMEM;
	room->at = larger;
	room->size = size;
	return CSIGN_OK;
}

/* By uid, or by name if uid is NULL; CSIGN_E_SYSTEM leaves errno. */
static enum csign_err
look_up(const char *name, const uid_t *uid, struct room *room,
    struct passwd *pwd, bool *ret_there)
{
	struct passwd *found = NULL;
	enum csign_err r = CSIGN_E_INTERNAL;
	int error = ERANGE;

	while (error == ERANGE || error == EINTR) {
		if (error == ERANGE && (r = enlarge(room)) != CSIGN_OK)
			return r;
		if (uid != NULL)
			error =
			    getpwuid_r(*uid, pwd, room->at, room->size, &found);
		else
			error =
			    getpwnam_r(name, pwd, room->at, room->size, &found);
	}
	if (error != 0) {
		errno = error;
		return CSIGN_E_SYSTEM;
	}
	*ret_there = found != NULL;
	return CSIGN_OK;
}

/* Can the name be shown, recorded and turned into the name of a file? */
static enum csign_err
check_name(const char *name, char file[CSIGN_FILE_NAME_MAX + 1])
{
	size_t len = strnlen(name, CSIGN_USER_MAX + 1);

	if (len > CSIGN_USER_MAX || !csign_utf8_valid(name, len))
		return CSIGN_E_INVALID;
	for (size_t i = 0; i < len; i++) {
		if ((unsigned char)name[i] < 0x20 || name[i] == 0x7f)
			return CSIGN_E_INVALID;
	}
	return csign_account_file_name(name, file);
}

static enum csign_err
fill_account(const struct passwd *pwd, struct csign_account *ret_account,
    struct csign_why *why)
{
	struct csign_account account = {.uid = pwd->pw_uid};

	if (check_name(pwd->pw_name, account.file) != CSIGN_OK) {
		csign_why_set(why,
		    "the account \"%.64s\" has a name that cannot name a file",
		    pwd->pw_name);
		return CSIGN_E_INVALID;
	}
	account.gid = pwd->pw_gid;
	memcpy(account.name, pwd->pw_name, strlen(pwd->pw_name) + 1);
	*ret_account = account;
	return CSIGN_OK;
}

/* The name that uid leads back to. */
static enum csign_err
find_canonical(
    uid_t uid, struct csign_account *ret_account, struct csign_why *why)
{
	struct room room = {NULL, 0};
	enum csign_err r = CSIGN_E_INTERNAL;
	struct passwd pwd;
	bool there = false;

	r = look_up(NULL, &uid, &room, &pwd, &there);
	if (r == CSIGN_E_SYSTEM) {
		csign_why_errno(
		    why, errno, "the account could not be looked up");
	} else if (r == CSIGN_OK && (!there || pwd.pw_uid != uid)) {
		csign_why_set(
		    why, "uid %u leads back to no account", (unsigned)uid);
		r = CSIGN_E_SYSTEM;
	}
	if (r == CSIGN_OK)
		r = fill_account(&pwd, ret_account, why);
	free(room.at);
	return r;
}

enum csign_err
csign_account_find(
    const char *name, struct csign_account *ret_account, struct csign_why *why)
{
	char file[CSIGN_FILE_NAME_MAX + 1];
	struct room room = {NULL, 0};
	enum csign_err r = CSIGN_E_INTERNAL;
	struct passwd pwd;
	bool there = false;

	/* Never the name itself: it may be a password typed too early. */
	if (check_name(name, file) != CSIGN_OK) {
		csign_why_set(why, "that is not the name of an account");
		return CSIGN_E_INVALID;
	}
	r = look_up(name, NULL, &room, &pwd, &there);
	if (r == CSIGN_E_SYSTEM) {
		csign_why_errno(
		    why, errno, "the account could not be looked up");
	} else if (r == CSIGN_OK && !there) {
		csign_why_set(why, "there is no such account");
		r = CSIGN_E_UNKNOWN_USER;
	}
	if (r == CSIGN_OK)
		r = find_canonical(pwd.pw_uid, ret_account, why);
	free(room.at);
	return r;
}

/* --- groups --------------------------------------------------------------- */

static enum csign_err
find_group(const char *name, gid_t *ret_gid, struct csign_why *why)
{
	struct group group, *found = NULL;
	enum csign_err r = CSIGN_OK;
	struct room room = {NULL, 0};
	int error = ERANGE;

	while (r == CSIGN_OK && (error == ERANGE || error == EINTR)) {
		if (error == ERANGE)
			r = enlarge(&room);
		if (r == CSIGN_OK)
			error = getgrnam_r(
			    name, &group, room.at, room.size, &found);
	}
	if (r == CSIGN_OK && error != 0) {
		csign_why_errno(
		    why, error, "the group %s could not be looked up", name);
		r = CSIGN_E_SYSTEM;
	} else if (r == CSIGN_OK && found == NULL) {
		csign_why_set(why, "there is no group %s", name);
		r = CSIGN_E_NOT_FOUND;
	}
	if (r == CSIGN_OK)
		*ret_gid = found->gr_gid;
	free(room.at);
	return r;
}

/* All groups of the account: its own first, then those that list it. */
static enum csign_err
list_groups(
    const struct csign_account *account, gid_t **ret_gids, size_t *ret_n)
{
	gid_t *gids = NULL, *larger = NULL;
	int room = GROUPS_FIRST, n = 0;

	for (; room <= GROUPS_MAX; room *= 4) {
		larger = reallocarray(gids, (size_t)room, sizeof(*gids));
		if (larger == NULL) {
			free(gids);
			return CSIGN_E_NOMEM;
		}
		gids = larger;
		n = room;
		if (getgrouplist(account->name, account->gid, gids, &n) >= 0) {
			*ret_gids = gids;
			*ret_n = (size_t)n;
			return CSIGN_OK;
		}
	}
	free(gids);
	return CSIGN_E_SYSTEM;
}

static bool
has_gid(const gid_t *gids, size_t n, gid_t gid)
{
	for (size_t i = 0; i < n; i++) {
		if (gids[i] == gid)
			return true;
	}
	return false;
}

enum csign_err
csign_account_in_groups(const struct csign_account *account, const char *groups,
    bool *ret_in, struct csign_why *why)
{
	char name[GROUP_NAME_MAX + 1];
	enum csign_err r = CSIGN_E_INTERNAL;
	gid_t *gids = NULL, gid = 0;
	size_t n = 0, len = 0;
	bool in = false;

	if ((r = list_groups(account, &gids, &n)) != CSIGN_OK) {
		csign_why_set(
		    why, "the groups of %s could not be listed", account->name);
		return r;
	}
	/* Every one is looked up: one that is not there is never passed by. */
	for (const char *at = groups; *at != '\0'; at += len) {
		at += strspn(at, " ");
		len = strcspn(at, " ");
		if (len > GROUP_NAME_MAX) {
			csign_why_set(why, "the name of a group is too long");
			r = CSIGN_E_NOT_FOUND;
			goto out;
		}
		memcpy(name, at, len);
		name[len] = '\0';
		if ((r = find_group(name, &gid, why)) != CSIGN_OK)
			goto out;
		in = in || has_gid(gids, n, gid);
	}
	*ret_in = in;
	r = CSIGN_OK;
out:
	free(gids);
	return r;
}
