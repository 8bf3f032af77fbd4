/* SPDX-License-Identifier: BSD-2-Clause */
/* USR-1: the user is the uid.  PAM-10: groups that are not there. */
#include "unit.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>

#include "account.h"

/* --- the account database, played ----------------------------------------- */

static const struct {
	const char *name;
	uid_t uid;
	gid_t gid;
} people[] = {
    {"alice", 1001, 100},
    {"ALICE", 1001, 100},
    {"alice@corp", 1001, 100},
    {"root", 0, 0},
    {"toor", 0, 0},
    {".hidden", 1002, 100},
    {"up/down", 1003, 100},
    {"two\nlines", 1004, 100},
    {"nickname", 1004, 100},
    {"Domain User", 1005, 100},
};

static const struct {
	const char *name;
	gid_t gid;
} groups[] = {
    {"users", 100},
    {"wheel", 10},
    {"admin", 27},
};

static struct {
	size_t needs; /* bytes of the buffer */
	int error;    /* of every look-up */
	int by_uid;   /* of looking up a uid */
	bool no_uid, other_uid;
	int interruptions;
	int extra_groups; /* memberships of alice beside users, wheel */
} world;

static int
answer(size_t size, int error)
{
	if (world.interruptions > 0) {
		world.interruptions--;
		return EINTR;
	}
	if (error != 0)
		return error;
	return size < world.needs ? ERANGE : 0;
}

int __wrap_getpwnam_r(const char *name, struct passwd *pwd, char *buf,
    size_t size, struct passwd **result);
int __wrap_getpwuid_r(uid_t uid, struct passwd *pwd, char *buf, size_t size,
    struct passwd **result);
int __wrap_getgrnam_r(const char *name, struct group *group, char *buf,
    size_t size, struct group **result);
int __wrap_getgrouplist(const char *user, gid_t gid, gid_t *gids, int *n);

/* Names live in the caller's buffer, as they do in libc. */
static void
fill(size_t i, struct passwd *pwd, char *buf, size_t size)
{
	(void)snprintf(buf, size, "%s", people[i].name);
	memset(pwd, 0, sizeof(*pwd));
	pwd->pw_name = buf;
	pwd->pw_uid = people[i].uid;
	pwd->pw_gid = people[i].gid;
}

int
__wrap_getpwnam_r(const char *name, struct passwd *pwd, char *buf, size_t size,
    struct passwd **result)
{
	int r = answer(size, world.error);

	*result = NULL;
	memset(buf, 'x', size);
	for (size_t i = 0; r == 0 && i < N_ROWS(people); i++) {
		if (strcmp(people[i].name, name) != 0)
			continue;
		fill(i, pwd, buf, size);
		*result = pwd;
		break;
	}
	return r;
}

int
__wrap_getpwuid_r(uid_t uid, struct passwd *pwd, char *buf, size_t size,
    struct passwd **result)
{
	int r = answer(size, world.by_uid != 0 ? world.by_uid : world.error);

	*result = NULL;
	memset(buf, 'x', size);
	for (size_t i = 0; r == 0 && !world.no_uid && i < N_ROWS(people); i++) {
		if (people[i].uid != uid)
			continue;
		fill(i, pwd, buf, size);
		if (world.other_uid)
			pwd->pw_uid = 4242;
		*result = pwd;
		break;
	}
	return r;
}

int
__wrap_getgrnam_r(const char *name, struct group *group, char *buf, size_t size,
    struct group **result)
{
	int r = answer(size, world.error);

	*result = NULL;
	memset(buf, 'x', size);
	for (size_t i = 0; r == 0 && i < N_ROWS(groups); i++) {
		if (strcmp(groups[i].name, name) != 0)
			continue;
		(void)snprintf(buf, size, "%s", name);
		group->gr_name = buf;
		group->gr_gid = groups[i].gid;
		*result = group;
		break;
	}
	return r;
}

/* alice is in wheel, and last of all; everybody is in his own group. */
int
__wrap_getgrouplist(const char *user, gid_t gid, gid_t *gids, int *n)
{
	int room = *n, have = 0;

	if (have < room)
		gids[have] = gid;
	have++;
	for (int i = 0; i < world.extra_groups; i++, have++) {
		if (have < room)
			gids[have] = (gid_t)(5000 + i);
	}
	if (strcmp(user, "alice") == 0) {
		if (have < room)
			gids[have] = 10;
		have++;
	}
	*n = have;
	return have <= room ? have : -1;
}

static int
reset(void **state)
{
	(void)state;
	memset(&world, 0, sizeof(world));
	return 0;
}

/* --- names of files ------------------------------------------------------- */

static const struct {
	const char *name, *file;
} file_names[] = {
    {"alice", "alice"},
    {"a.b-c_9", "a.b-c_9"},
    {"-x", "-x"},
    {"Al@corp", "%41l%40corp"},
    {"ALICE", "%41%4C%49%43%45"},
    {"a/b", "a%2Fb"},
    {"a%b", "a%25b"},
    {"Domain User", "%44omain%20%55ser"},
    {"\xc3\xa9ve", "%C3%A9ve"},
    {":", "%3A"},
    {"a..", "a.."},
};

static void
names_of_files_are_reversible(void **state)
{
	char file[CSIGN_FILE_NAME_MAX + 1], name[CSIGN_USER_MAX + 1];

	(void)state;
	for (size_t i = 0; i < N_ROWS(file_names); i++) {
		assert_ok(csign_account_file_name(file_names[i].name, file));
		assert_string_equal(file, file_names[i].file);
		assert_ok(csign_account_from_file_name(file, name));
		assert_string_equal(name, file_names[i].name);
	}
}

static void
some_names_name_no_file(void **state)
{
	char file[CSIGN_FILE_NAME_MAX + 1] = "kept", name[128];

	(void)state;
	assert_err("empty", csign_account_file_name("", file), CSIGN_E_INVALID);
	assert_err("dot", csign_account_file_name(".a", file), CSIGN_E_INVALID);
	assert_err(
	    "dots", csign_account_file_name("../x", file), CSIGN_E_INVALID);
	memset(name, 'a', sizeof(name));
	name[97] = '\0';
	assert_err("97", csign_account_file_name(name, file), CSIGN_E_INVALID);
	assert_string_equal(file, "kept");
	name[96] = '\0';
	assert_ok(csign_account_file_name(name, file));
	assert_int_equal(strlen(file), 96);
	memset(name, 'A', 33);
	name[33] = '\0';
	assert_err("99", csign_account_file_name(name, file), CSIGN_E_INVALID);
	name[32] = '\0';
	assert_ok(csign_account_file_name(name, file));
}

static void
only_our_own_spelling_is_read(void **state)
{
	static const char *const bad[] = {"", ".countersign", "..", "Alice",
	    "a b", "%61lice", "%4c", "%4", "%", "a%zz", "%00", "a%00b", "a/b",
	    "alice~", "%2G", "\xc3\xa9ve", "%2eve"};
	char name[CSIGN_USER_MAX + 1] = "kept", longest[400];

	(void)state;
	for (size_t i = 0; i < N_ROWS(bad); i++)
		assert_err(bad[i], csign_account_from_file_name(bad[i], name),
		    CSIGN_E_FORMAT);
	memset(longest, 'a', sizeof(longest));
	longest[399] = '\0';
	assert_err(
	    "399", csign_account_from_file_name(longest, name), CSIGN_E_FORMAT);
	longest[97] = '\0';
	assert_err(
	    "97", csign_account_from_file_name(longest, name), CSIGN_E_FORMAT);
	assert_string_equal(name, "kept");
}

/* --- finding -------------------------------------------------------------- */

static void
the_uid_gives_the_name(void **state)
{
	static const struct {
		const char *typed, *name, *file;
		uid_t uid;
	} rows[] = {
	    {"alice", "alice", "alice", 1001},
	    {"ALICE", "alice", "alice", 1001},
	    {"alice@corp", "alice", "alice", 1001},
	    {"root", "root", "root", 0},
	    {"toor", "root", "root", 0},
	    {"Domain User", "Domain User", "%44omain%20%55ser", 1005},
	};

	(void)state;
	for (size_t i = 0; i < N_ROWS(rows); i++) {
		struct csign_account account = {0};

		assert_ok(csign_account_find(rows[i].typed, &account, NULL));
		assert_string_equal(account.name, rows[i].name);
		assert_string_equal(account.file, rows[i].file);
		assert_int_equal(account.uid, rows[i].uid);
		assert_int_equal(account.gid, rows[i].uid == 0 ? 0 : 100);
	}
}

static void
other_names_are_not_found(void **state)
{
	static const struct {
		const char *typed;
		enum csign_err want;
	} rows[] = {
	    {"bob", CSIGN_E_UNKNOWN_USER},
	    {"-x", CSIGN_E_UNKNOWN_USER},
	    {":", CSIGN_E_UNKNOWN_USER},
	    {"alice ", CSIGN_E_UNKNOWN_USER},
	    {"up/down2", CSIGN_E_UNKNOWN_USER},
	    {"", CSIGN_E_INVALID},
	    {"../x", CSIGN_E_INVALID},
	    {".hidden", CSIGN_E_INVALID},
	    {"two\nlines", CSIGN_E_INVALID},
	    /* the name that its uid leads to cannot be used */
	    {"nickname", CSIGN_E_INVALID},
	    {"\xff\xfe", CSIGN_E_INVALID},
	    {"\b\n\r\177INCORRECT", CSIGN_E_INVALID},
	};
	struct csign_account account = {.uid = 77};
	char longest[300];
	struct csign_why why;

	(void)state;
	for (size_t i = 0; i < N_ROWS(rows); i++) {
		assert_err(rows[i].typed,
		    csign_account_find(rows[i].typed, &account, &why),
		    rows[i].want);
		/* it may be a password that was typed too early */
		if (rows[i].typed[0] != '\0' && rows[i].typed[1] != '\0' &&
		    strcmp(rows[i].typed, "nickname") != 0)
			assert_null(strstr(why.text, rows[i].typed));
	}
	memset(longest, 'a', sizeof(longest));
	longest[256] = '\0';
	assert_err("256", csign_account_find(longest, &account, NULL),
	    CSIGN_E_INVALID);
	assert_int_equal(account.uid, 77);
}

static void
trouble_is_not_absence(void **state)
{
	struct csign_account account = {.uid = 77};
	struct csign_why why;

	(void)state;
	world.error = EIO;
	assert_err(
	    "EIO", csign_account_find("bob", &account, &why), CSIGN_E_SYSTEM);
	assert_non_null(strstr(why.text, "Input/output error"));
	world.error = ENOENT;
	assert_err("ENOENT", csign_account_find("bob", &account, NULL),
	    CSIGN_E_SYSTEM);
	reset(state);
	world.by_uid = EIO;
	assert_err("by uid", csign_account_find("alice", &account, NULL),
	    CSIGN_E_SYSTEM);
	reset(state);
	world.no_uid = true;
	assert_err("no way back", csign_account_find("alice", &account, NULL),
	    CSIGN_E_SYSTEM);
	reset(state);
	world.other_uid = true;
	assert_err("another", csign_account_find("alice", &account, NULL),
	    CSIGN_E_SYSTEM);
	reset(state);
	world.needs = SIZE_MAX;
	assert_err("endless", csign_account_find("alice", &account, NULL),
	    CSIGN_E_SYSTEM);
	assert_int_equal(account.uid, 77);
	reset(state);
	world.needs = 100000;
	world.interruptions = 3;
	assert_ok(csign_account_find("alice", &account, NULL));
	assert_int_equal(account.uid, 1001);
}

/* --- groups --------------------------------------------------------------- */

static void
membership_is_by_gid(void **state)
{
	static const struct {
		const char *user, *groups;
		enum csign_err want;
		bool in;
	} rows[] = {
	    {"alice", "users", CSIGN_OK, true}, /* her own */
	    {"alice", "wheel", CSIGN_OK, true},
	    {"alice", "admin", CSIGN_OK, false},
	    {"alice", "admin wheel", CSIGN_OK, true},
	    {"root", "users wheel admin", CSIGN_OK, false},
	    {"alice", "ghosts", CSIGN_E_NOT_FOUND, false},
	    /* one that is not there is never passed by */
	    {"alice", "wheel ghosts", CSIGN_E_NOT_FOUND, false},
	    {"alice", "ghosts wheel", CSIGN_E_NOT_FOUND, false},
	    {"root", "admin ghosts", CSIGN_E_NOT_FOUND, false},
	};
	struct csign_why why;

	(void)state;
	for (size_t i = 0; i < N_ROWS(rows); i++) {
		struct csign_account account;
		bool in = !rows[i].in;

		assert_ok(csign_account_find(rows[i].user, &account, NULL));
		assert_err(rows[i].groups,
		    csign_account_in_groups(
			&account, rows[i].groups, &in, &why),
		    rows[i].want);
		if (rows[i].want == CSIGN_OK)
			assert_int_equal(in, rows[i].in);
		else
			assert_string_equal(
			    why.text, "there is no group ghosts");
	}
}

static void
many_groups_and_big_groups_are_read(void **state)
{
	struct csign_account account;
	bool in = false;

	(void)state;
	assert_ok(csign_account_find("alice", &account, NULL));
	world.extra_groups = 2000;
	world.needs = 100000;
	assert_ok(csign_account_in_groups(&account, "wheel", &in, NULL));
	assert_true(in);
	world.extra_groups = 1000000;
	assert_err("too many",
	    csign_account_in_groups(&account, "wheel", &in, NULL),
	    CSIGN_E_SYSTEM);
	reset(state);
	world.error = EIO;
	assert_err("EIO", csign_account_in_groups(&account, "wheel", &in, NULL),
	    CSIGN_E_SYSTEM);
}

#define TEST(f) cmocka_unit_test_setup(f, reset)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(names_of_files_are_reversible),
	    TEST(some_names_name_no_file),
	    TEST(only_our_own_spelling_is_read),
	    TEST(the_uid_gives_the_name),
	    TEST(other_names_are_not_found),
	    TEST(trouble_is_not_absence),
	    TEST(membership_is_by_gid),
	    TEST(many_groups_and_big_groups_are_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
