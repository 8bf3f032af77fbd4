/* SPDX-License-Identifier: BSD-2-Clause */
/* ST-1, ST-2, USR-2: what the host remembers, and that it is never half. */
#include "unit.h"

#include <errno.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "people.h"
#include "scratch.h"
#include "state.h"
#include "store.h"

#define STORE "store"
#define FILE_OF_ALICE STORE "/state/1001"
#define MARKER STORE "/state/.countersign"
#define ID_1 "4hx2k7q3m5rj6wza"
#define ID_2 "m2v6t8zq4c3xh5sd"

/* --- the system, played --------------------------------------------------- */

static struct {
	uint64_t clock_step; /* the clock jumps so far at each look */
	uint64_t now;
	int error; /* of the next fsync, rename or write */
	long calls, fail_at;
	bool failed;
} world;

enum csign_err __real_csign_clock_boot(uint64_t *ret_ms);
enum csign_err __wrap_csign_clock_boot(uint64_t *ret_ms);
int __real_fsync(int fd);
int __wrap_fsync(int fd);
int __real_renameat2(
    int from_dir, const char *from, int to_dir, const char *to, unsigned flags);
int __wrap_renameat2(
    int from_dir, const char *from, int to_dir, const char *to, unsigned flags);
ssize_t __real_write(int fd, const void *bytes, size_t len);
ssize_t __wrap_write(int fd, const void *bytes, size_t len);

enum csign_err
__wrap_csign_clock_boot(uint64_t *ret_ms)
{
	if (world.clock_step == 0)
		return __real_csign_clock_boot(ret_ms);
	world.now += world.clock_step;
	*ret_ms = world.now;
	return CSIGN_OK;
}

static bool
fails(void)
{
	if (world.error == 0 || world.calls++ != world.fail_at)
		return false;
	errno = world.error;
	world.failed = true;
	return true;
}

int
__wrap_fsync(int fd)
{
	return fails() ? -1 : __real_fsync(fd);
}

int
__wrap_renameat2(
    int from_dir, const char *from, int to_dir, const char *to, unsigned flags)
{
	return fails() ? -1
		       : __real_renameat2(from_dir, from, to_dir, to, flags);
}

ssize_t
__wrap_write(int fd, const void *bytes, size_t len)
{
	return fails() ? -1 : __real_write(fd, bytes, len);
}

static int
fresh(void **state)
{
	memset(&world, 0, sizeof(world));
	if (scratch_empty(state) != 0)
		return -1;
	return csign_store_create(scratch(STORE), NULL) == CSIGN_OK ? 0 : -1;
}

/* --- reading and writing -------------------------------------------------- */

static enum csign_err
lock_alice(struct csign_why *why, struct csign_state_lock **ret_lock)
{
	return csign_state_lock(
	    people_crypto, scratch(STORE), &alice, why, ret_lock);
}

static enum csign_err
peek(struct csign_state *state, struct csign_why *why)
{
	return csign_state_peek(
	    people_crypto, scratch(STORE), &alice, state, why);
}

static enum csign_err
save(const struct csign_state *state, struct csign_why *why)
{
	struct csign_state_lock *lock = NULL;
	enum csign_err r = CSIGN_E_INTERNAL;

	assert_ok(lock_alice(NULL, &lock));
	r = csign_state_write(lock, state, why);
	csign_state_unlock(&lock);
	assert_null(lock);
	csign_state_unlock(&lock);
	return r;
}

/* Two devices, one of them used. */
static struct csign_state
example(void)
{
	struct csign_state s = {0};

	s.had_device = true;
	csign_state_use(&s, ID_1)->counter = 4000000000U;
	csign_state_use(&s, ID_2)->last_used = 1763719331;
	return s;
}

static bool
same(const struct csign_state *a, const struct csign_state *b)
{
	if (a->had_device != b->had_device || a->n_uses != b->n_uses)
		return false;
	for (size_t i = 0; i < a->n_uses; i++) {
		if (strcmp(a->uses[i].id, b->uses[i].id) != 0 ||
		    a->uses[i].counter != b->uses[i].counter ||
		    a->uses[i].last_used != b->uses[i].last_used)
			return false;
	}
	return true;
}

static void
nothing_is_an_empty_state(void **state)
{
	struct csign_state_lock *lock = NULL;
	struct csign_state s;

	(void)state;
	memset(&s, 0xff, sizeof(s));
	assert_ok(peek(&s, NULL));
	assert_false(s.had_device);
	assert_int_equal(s.n_uses, 0);
	memset(&s, 0xff, sizeof(s));
	assert_ok(lock_alice(NULL, &lock));
	assert_ok(csign_state_read(lock, &s, NULL));
	assert_false(s.had_device);
	assert_int_equal(s.n_uses, 0);
	csign_state_unlock(&lock);
}

static void
the_text_is_as_documented(void **state)
{
	const struct csign_state s = example();
	struct stat st;
	char *text = NULL;

	(void)state;
	assert_ok(save(&s, NULL));
	text = scratch_get(FILE_OF_ALICE, NULL);
	/* the checksum: sha256sum of the lines before it */
	assert_string_equal(text,
	    "countersign-state 1 user=alice uid=1001\n"
	    "had_device yes\n"
	    "use " ID_1 " counter=4000000000 last_used=never\n"
	    "use " ID_2 " counter=0 last_used=2025-11-21T10:02:11Z\n"
	    "sha256 "
	    "dce3e84cfa213fce3b5f91fc85a54b6f77a6372127ef878cfa908c60ce1d0de2"
	    "\n");
	free(text);
	assert_int_equal(stat(scratch(FILE_OF_ALICE), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
}

static void
what_is_written_is_read(void **state)
{
	struct csign_state s = example(), again;
	char id[CSIGN_DEVICE_ID_SIZE] = "?bcdefghijklmnop";

	(void)state;
	assert_ok(save(&s, NULL));
	assert_ok(peek(&again, NULL));
	assert_true(same(&again, &s));
	for (unsigned i = 0; s.n_uses < CSIGN_DEVICES_MAX; i++) {
		id[0] = (char)('a' + i);
		csign_state_use(&s, id)->counter = i;
	}
	assert_ok(save(&s, NULL));
	assert_ok(peek(&again, NULL));
	assert_true(same(&again, &s));
	s = (struct csign_state){0};
	assert_ok(save(&s, NULL));
	assert_ok(peek(&again, NULL));
	assert_false(again.had_device);
}

static void
uses_are_kept_for_each_device(void **state)
{
	struct csign_state s = example();
	char id[CSIGN_DEVICE_ID_SIZE] = "?bcdefghijklmnop";

	(void)state;
	assert_int_equal(csign_state_use(&s, ID_1)->counter, 4000000000U);
	assert_int_equal(s.n_uses, 2);
	csign_state_forget(&s, ID_1);
	assert_int_equal(s.n_uses, 1);
	assert_string_equal(s.uses[0].id, ID_2);
	csign_state_forget(&s, "unknown");
	assert_int_equal(s.n_uses, 1);
	/* One that comes back starts from nothing. */
	assert_int_equal(csign_state_use(&s, ID_1)->counter, 0);
	for (unsigned i = 0; s.n_uses < CSIGN_DEVICES_MAX; i++) {
		id[0] = (char)('a' + i);
		assert_non_null(csign_state_use(&s, id));
	}
	assert_null(csign_state_use(&s, "one-device-more"));
	assert_non_null(csign_state_use(&s, ID_1));
	csign_state_forget(&s, ID_1);
	assert_null(csign_state_use(&s, "an-id-that-is-too-long-for-one"));
}

/* --- what is wrong with a file -------------------------------------------- */

/* Writes text with the checksum that it should have. */
static void
put_with_checksum(const char *text)
{
	const struct csign_part part = {text, strlen(text)};
	unsigned char digest[32];
	char file[4096];
	int n = snprintf(file, sizeof(file), "%ssha256 ", text);

	assert_ok(csign_sha256(people_crypto, &part, 1, digest));
	for (size_t i = 0; i < sizeof(digest); i++)
		n += snprintf(file + n, 8, "%02x", digest[i]);
	(void)snprintf(file + n, 8, "\n");
	scratch_put_text(FILE_OF_ALICE, 0600, file);
}

#define HEAD "countersign-state 1 user=alice uid=1001\n"
#define HAD "had_device yes\n"
#define USE "use " ID_1 " counter=1 last_used=never\n"

static const struct {
	const char *text;
	const char *why; /* after the path; NULL: it is right */
} files[] = {
    {HEAD HAD, NULL},
    {HEAD HAD USE, NULL},
    {"countersign-state 2 user=alice uid=1001\nsomething new\n",
	":1: this was written by a newer version of countersign"},
    {"countersign-state 0 user=alice uid=1001\n" HAD,
	":1: the header is malformed"},
    {"countersign-state x user=alice uid=1001\n" HAD,
	":1: this is not a state file"},
    {"# countersign-devices 1 user=alice uid=1001\n" HAD,
	":1: this is not a state file"},
    {"countersign-state 1 user=bob uid=1001\n" HAD,
	":1: the header names another account"},
    {"countersign-state 1 user=alice uid=1002\n" HAD,
	":1: the header names another account"},
    {"countersign-state 1 uid=1001 user=alice\n" HAD,
	":1: the header is malformed"},
    {"countersign-state 1 user=alice uid=1001 x=1\n" HAD,
	":1: the header is malformed"},
    {"countersign-state 1 user=alice\n" HAD, ":1: the header is malformed"},
    {HEAD, ":2: there is no had_device"},
    {HEAD USE, ":2: there is no had_device"},
    {HEAD "had_device maybe\n", ":2: there is no had_device"},
    {HEAD HAD HAD, ":3: this is not the use of a device"},
    {HEAD HAD USE USE, ":4: this is not the use of a device"},
    {HEAD HAD USE "\n", ":4: this is not the use of a device"},
    {HEAD HAD "use short counter=1 last_used=never\n", ":3: this is not"},
    {HEAD HAD "use " ID_1 " counter=-1 last_used=never\n", ":3: this is"},
    {HEAD HAD "use " ID_1 " counter=4294967296 last_used=never\n", ":3: "},
    {HEAD HAD "use " ID_1 " counter=1 last_used=0\n", ":3: this is not"},
    {HEAD HAD "use " ID_1 " counter=1\n", ":3: this is not the use"},
    {HEAD HAD "use " ID_1 " counter=1 last_used=never x\n", ":3: this is"},
    {HEAD HAD "use " ID_1 " last_used=never counter=1\n", ":3: this is"},
};

static void
each_error_has_its_line_and_reason(void **state)
{
	struct csign_state s;

	(void)state;
	for (size_t i = 0; i < N_ROWS(files); i++) {
		struct csign_why why = {""};
		char want[CSIGN_WHY_SIZE];

		put_with_checksum(files[i].text);
		assert_err(files[i].text, peek(&s, &why),
		    files[i].why == NULL ? CSIGN_OK : CSIGN_E_STATE);
		if (files[i].why == NULL)
			continue;
		(void)snprintf(want, sizeof(want), "%s%s",
		    scratch(FILE_OF_ALICE), files[i].why);
		if (strncmp(why.text, want, strlen(want)) != 0)
			fail_msg("\"%s\" instead of \"%s\"", why.text, want);
	}
}

static void
seventeen_uses_are_too_many(void **state)
{
	char text[4096] = HEAD HAD, *end = text + strlen(text);
	struct csign_state s;

	(void)state;
	for (unsigned i = 0; i < CSIGN_DEVICES_MAX + 1; i++) {
		put_with_checksum(text);
		assert_ok(peek(&s, NULL));
		end += snprintf(end, 80,
		    "use abcdefghijklmn%02u counter=1 last_used=never\n", i);
	}
	put_with_checksum(text);
	assert_err("17", peek(&s, NULL), CSIGN_E_STATE);
}

/* Cut anywhere, or with any bit wrong, it is no state at all. */
static void
damage_anywhere_is_seen(void **state)
{
	const struct csign_state s = example();
	struct csign_state got;
	char *text = NULL;
	size_t len = 0;

	(void)state;
	assert_ok(save(&s, NULL));
	text = scratch_get(FILE_OF_ALICE, &len);
	for (size_t at = 0; at < len; at++) {
		scratch_put(FILE_OF_ALICE, 0600, text, at);
		if (peek(&got, NULL) != CSIGN_E_STATE)
			fail_msg("cut after %zu bytes", at);
		text[at] ^= (char)(1 << at % 7);
		scratch_put(FILE_OF_ALICE, 0600, text, len);
		if (peek(&got, NULL) != CSIGN_E_STATE)
			fail_msg("byte %zu", at);
		text[at] ^= (char)(1 << at % 7);
	}
	scratch_put(FILE_OF_ALICE, 0600, text, len);
	assert_ok(peek(&got, NULL));
	free(text);
}

static void
an_unsafe_or_strange_file_is_state_trouble(void **state)
{
	const struct csign_state s = example();
	struct csign_state_lock *lock = NULL;
	struct csign_state got;

	assert_ok(save(&s, NULL));
	assert_int_equal(chmod(scratch(FILE_OF_ALICE), 0644), 0);
	assert_err("mode", peek(&got, NULL), CSIGN_E_STATE);
	assert_int_equal(unlink(scratch(FILE_OF_ALICE)), 0);
	assert_int_equal(symlink("nowhere", scratch(FILE_OF_ALICE)), 0);
	assert_err("link", peek(&got, NULL), CSIGN_E_STATE);
	/* Its directory is not there, not mounted, or open to others. */
	assert_int_equal(unlink(scratch(MARKER)), 0);
	assert_err("marker", peek(&got, NULL), CSIGN_E_STATE);
	assert_err("marker", lock_alice(NULL, &lock), CSIGN_E_STATE);
	fresh(state);
	assert_int_equal(chmod(scratch(STORE "/state"), 0770), 0);
	assert_err("folder", peek(&got, NULL), CSIGN_E_STATE);
	assert_err("folder", lock_alice(NULL, &lock), CSIGN_E_STATE);
	fresh(state);
	assert_int_equal(
	    rename(scratch(STORE "/state"), scratch(STORE "/old")), 0);
	assert_err("none", peek(&got, NULL), CSIGN_E_STATE);
	assert_null(lock);
}

/* --- locks and failures --------------------------------------------------- */

static void
a_held_lock_is_waited_for_two_seconds(void **state)
{
	struct csign_state_lock *first = NULL, *second = NULL;
	struct csign_why why;
	uint64_t begun = 0;

	(void)state;
	assert_ok(lock_alice(NULL, &first));
	world.clock_step = 100;
	begun = world.now;
	assert_err("held", lock_alice(&why, &second), CSIGN_E_STATE);
	assert_in_range(world.now - begun, CSIGN_LOCK_TIMEOUT_MS,
	    CSIGN_LOCK_TIMEOUT_MS + 200);
	assert_non_null(strstr(why.text, "1001.lock: is locked"));
	assert_null(second);
	/* Another account's is not held. */
	assert_ok(csign_state_lock(
	    people_crypto, scratch(STORE), &bob, NULL, &second));
	csign_state_unlock(&second);
	csign_state_unlock(&first);
	assert_ok(lock_alice(NULL, &first));
	csign_state_unlock(&first);
}

/* B4: whatever fails, the state is the old or the new one. */
static void
after_any_failure_the_state_is_whole(void **state)
{
	static const int errors[] = {ENOSPC, EROFS, EIO};
	struct csign_state old = example(), new = example(), got;

	csign_state_use(&new, ID_1)->counter++;
	for (size_t e = 0; e < N_ROWS(errors); e++) {
		for (long n = 0;; n++) {
			enum csign_err r = CSIGN_E_INTERNAL;

			fresh(state);
			assert_ok(save(&old, NULL));
			world.error = errors[e];
			world.fail_at = n;
			r = save(&new, NULL);
			world.error = 0;
			assert_ok(peek(&got, NULL));
			if (!world.failed) {
				assert_ok(r);
				assert_true(same(&got, &new));
				break;
			}
			assert_err("failure", r, CSIGN_E_STATE);
			/* write, fsync, rename; then it is the new one */
			assert_true(same(&got, n < 3 ? &old : &new));
		}
	}
}

static int
use_once(int times)
{
	struct csign_state_lock *lock = NULL;
	struct csign_state s;
	int failed = 0;

	for (int i = 0; i < times; i++) {
		for (int tries = 0; lock == NULL; tries++) {
			if (lock_alice(NULL, &lock) != CSIGN_OK && tries == 20)
				return 1;
		}
		if (csign_state_read(lock, &s, NULL) != CSIGN_OK)
			failed = 1;
		csign_state_use(&s, ID_1)->counter++;
		if (csign_state_write(lock, &s, NULL) != CSIGN_OK)
			failed = 1;
		csign_state_unlock(&lock);
	}
	return failed;
}

static void
concurrent_logins_lose_no_use(void **state)
{
	struct csign_state s = {0};
	int status = 0;

	(void)state;
	assert_ok(save(&s, NULL));
	for (int child = 0; child < 6; child++) {
		if (fork() == 0)
			_exit(use_once(20));
	}
	/* One that only looks never sees a half of it. */
	for (int i = 0; i < 100; i++) {
		struct csign_why why = {""};

		if (peek(&s, &why) != CSIGN_OK &&
		    strstr(why.text, "changed while it was read") == NULL)
			fail_msg("%s", why.text);
	}
	for (int child = 0; child < 6; child++) {
		assert_true(wait(&status) > 0);
		assert_int_equal(status, 0);
	}
	assert_ok(peek(&s, NULL));
	assert_int_equal(csign_state_use(&s, ID_1)->counter, 120);
}

static void
too_many_uses_are_not_written(void **state)
{
	struct csign_state s = example(), got;
	struct csign_why why;

	(void)state;
	assert_ok(save(&s, NULL));
	s.n_uses = CSIGN_DEVICES_MAX + 1;
	assert_err("17", save(&s, &why), CSIGN_E_STATE);
	assert_ok(peek(&got, NULL));
	assert_int_equal(got.n_uses, 2);
}

#define TEST(f) cmocka_unit_test_setup(f, fresh)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(nothing_is_an_empty_state),
	    TEST(the_text_is_as_documented),
	    TEST(what_is_written_is_read),
	    TEST(uses_are_kept_for_each_device),
	    TEST(each_error_has_its_line_and_reason),
	    TEST(seventeen_uses_are_too_many),
	    TEST(damage_anywhere_is_seen),
	    TEST(an_unsafe_or_strange_file_is_state_trouble),
	    TEST(a_held_lock_is_waited_for_two_seconds),
	    TEST(after_any_failure_the_state_is_whole),
	    TEST(concurrent_logins_lose_no_use),
	    TEST(too_many_uses_are_not_written),
	};

	return cmocka_run_group_tests(tests, people_setup, people_teardown);
}
