/* SPDX-License-Identifier: BSD-2-Clause */
/* SYS-4, ST-1: files are replaced whole or not at all, under locks that hold.
 */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "buf.h"
#include "file.h"
#include "scratch.h"

#define NAME "file"
#define OLD "the old text\n"
#define NEW "the new text, which is longer\n"

/* --- the system, played --------------------------------------------------- */

/*
 * Every call below counts; the one with the number fail_at fails.  In between,
 * write(2) is interrupted and writes a part only.
 */
static struct {
	long calls, fail_at; /* -1: none */
	int error;
	bool failed;
	const char *failed_call;
	size_t write_max; /* 0: all */
	bool interrupt, interrupted;
	unsigned dir_syncs, file_syncs, chmods;
	size_t len_at_chmod;
	unsigned lock_removals; /* so often a lock's file vanishes */
} world;

int __real_fchmod(int fd, mode_t mode);
int __wrap_fchmod(int fd, mode_t mode);
int __real_fsync(int fd);
int __wrap_fsync(int fd);
int __real_fdatasync(int fd);
int __wrap_fdatasync(int fd);
ssize_t __real_write(int fd, const void *bytes, size_t len);
ssize_t __wrap_write(int fd, const void *bytes, size_t len);
int __real_renameat2(
    int from_dir, const char *from, int to_dir, const char *to, unsigned flags);
int __wrap_renameat2(
    int from_dir, const char *from, int to_dir, const char *to, unsigned flags);
int __real_close(int fd);
int __wrap_close(int fd);
int __real_openat(int fd, const char *name, int flags, ...);
int __wrap_openat(int fd, const char *name, int flags, ...);
int __real_flock(int fd, int operation);
int __wrap_flock(int fd, int operation);
enum csign_err __real_csign_random(void *bytes, size_t len);
enum csign_err __wrap_csign_random(void *bytes, size_t len);

static bool
fails(const char *call)
{
	if (world.calls++ != world.fail_at)
		return false;
	world.failed = true;
	world.failed_call = call;
	errno = world.error;
	return true;
}

int
__wrap_fchmod(int fd, mode_t mode)
{
	struct stat st;

	world.chmods++;
	assert_int_equal(fstat(fd, &st), 0);
	world.len_at_chmod = (size_t)st.st_size;
	return fails("fchmod") ? -1 : __real_fchmod(fd, mode);
}

int
__wrap_fsync(int fd)
{
	struct stat st;

	assert_int_equal(fstat(fd, &st), 0);
	if (S_ISDIR(st.st_mode))
		world.dir_syncs++;
	else
		world.file_syncs++;
	return fails(S_ISDIR(st.st_mode) ? "fsync of the folder" : "fsync")
		   ? -1
		   : __real_fsync(fd);
}

int
__wrap_fdatasync(int fd)
{
	world.file_syncs++;
	return fails("fdatasync") ? -1 : __real_fdatasync(fd);
}

ssize_t
__wrap_write(int fd, const void *bytes, size_t len)
{
	if (world.interrupt) {
		world.interrupted = !world.interrupted;
		if (world.interrupted) {
			errno = EINTR;
			return -1;
		}
	}
	if (fails("write"))
		return world.error == 0 ? 0 : -1;
	if (world.write_max > 0 && len > world.write_max)
		len = world.write_max;
	return __real_write(fd, bytes, len);
}

int
__wrap_renameat2(
    int from_dir, const char *from, int to_dir, const char *to, unsigned flags)
{
	return fails("renameat2")
		   ? -1
		   : __real_renameat2(from_dir, from, to_dir, to, flags);
}

int
__wrap_close(int fd)
{
	int r = __real_close(fd);

	return fails("close") ? -1 : r;
}

int
__wrap_openat(int fd, const char *name, int flags, ...)
{
	mode_t mode = 0;
	va_list args;

	va_start(args, flags);
	if ((flags & O_CREAT) != 0)
		mode = va_arg(args, mode_t);
	va_end(args);
	return fails("openat") ? -1 : __real_openat(fd, name, flags, mode);
}

int
__wrap_flock(int fd, int operation)
{
	int r = fails("flock") ? -1 : __real_flock(fd, operation);

	if (r == 0 && world.lock_removals > 0) {
		world.lock_removals--;
		assert_int_equal(unlink(scratch("lock")), 0);
	}
	return r;
}

enum csign_err
__wrap_csign_random(void *bytes, size_t len)
{
	return fails("csign_random") ? CSIGN_E_RANDOM
				     : __real_csign_random(bytes, len);
}

static int
reset(void **state)
{
	memset(&world, 0, sizeof(world));
	world.fail_at = -1;
	return scratch_empty(state);
}

/* --- replacing ------------------------------------------------------------ */

static int
replace(struct csign_why *why)
{
	int fd = scratch_open();
	enum csign_err r = CSIGN_E_INTERNAL;

	world.calls = 0;
	r = csign_file_replace_at(fd, NAME, 0640, NEW, strlen(NEW), why);
	world.fail_at = -1;
	assert_int_equal(__real_close(fd), 0);
	return (int)r;
}

static void
a_file_is_replaced(void **state)
{
	mode_t before = umask(0777);
	struct stat st;

	(void)state;
	assert_ok((enum csign_err)replace(NULL));
	(void)umask(before);
	scratch_assert_text(NAME, NEW);
	assert_int_equal(stat(scratch(NAME), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0640);
	scratch_put_text(NAME, 0600, OLD);
	before = umask(0);
	assert_ok((enum csign_err)replace(NULL));
	(void)umask(before);
	scratch_assert_text(NAME, NEW);
	assert_int_equal(stat(scratch(NAME), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0640);
	assert_int_equal(scratch_count(""), 1);
}

static void
it_is_durable_and_has_its_mode_first(void **state)
{
	(void)state;
	assert_ok((enum csign_err)replace(NULL));
	assert_int_equal(world.file_syncs, 1);
	assert_int_equal(world.dir_syncs, 1);
	assert_int_equal(world.chmods, 1);
	assert_int_equal(world.len_at_chmod, 0);
}

static void
short_and_interrupted_writes_go_on(void **state)
{
	(void)state;
	world.write_max = 1;
	world.interrupt = true;
	assert_ok((enum csign_err)replace(NULL));
	scratch_assert_text(NAME, NEW);
}

/* B4: each step fails once; the file is the old or the new one, whole. */
static void
after_any_failure_the_file_is_whole(void **state)
{
	static const int errors[] = {ENOSPC, EIO, EROFS, 0};
	struct csign_why why;
	unsigned runs = 0;
	int r = 0;

	(void)state;
	for (size_t e = 0; e < N_ROWS(errors); e++) {
		for (long n = 0;; n++) {
			const char *now = OLD;

			reset(state);
			scratch_put_text(NAME, 0600, OLD);
			memset(&world, 0, sizeof(world));
			world.fail_at = n;
			world.error = errors[e];
			world.write_max = 7;
			memset(&why, 0, sizeof(why));
			r = replace(&why);
			if (!world.failed)
				break;
			runs++;
			assert_true(r != CSIGN_OK);
			if (strcmp(world.failed_call, "fsync of the folder") ==
			    0)
				now = NEW;
			scratch_assert_text(NAME, now);
			/* and nothing of the other is left */
			assert_int_equal(scratch_count(""), 1);
			if (strcmp(world.failed_call, "csign_random") != 0)
				assert_non_null(strstr(why.text, NAME));
		}
		assert_int_equal(r, CSIGN_OK);
		scratch_assert_text(NAME, NEW);
	}
	/* random, open, fchmod, 5 writes, fsync, close, rename, fsync */
	assert_int_equal(runs, N_ROWS(errors) * 12);
}

static void
names_stay_in_their_directory(void **state)
{
	static const char *const names[] = {
	    "", ".", "..", "a/b", "/etc/passwd", "../x"};
	char longest[300];
	int fd = scratch_open(), lock = -1;

	(void)state;
	memset(longest, 'a', sizeof(longest));
	longest[sizeof(longest) - 1] = '\0';
	for (size_t i = 0; i <= N_ROWS(names); i++) {
		const char *name = i < N_ROWS(names) ? names[i] : longest;

		assert_err(name,
		    csign_file_replace_at(fd, name, 0600, "x", 1, NULL),
		    CSIGN_E_INVALID);
		assert_err(name,
		    csign_file_create_at(fd, name, 0600, "x", 1, NULL),
		    CSIGN_E_INVALID);
		assert_err(name, csign_file_remove_at(fd, name, NULL),
		    CSIGN_E_INVALID);
		assert_err(name, csign_file_lock_at(fd, name, 0, NULL, &lock),
		    CSIGN_E_INVALID);
	}
	assert_int_equal(scratch_count(""), 0);
	assert_int_equal(close(fd), 0);
}

static void
a_link_is_replaced_and_not_followed(void **state)
{
	struct stat st;

	(void)state;
	scratch_put_text("other", 0600, OLD);
	assert_int_equal(symlink("other", scratch(NAME)), 0);
	assert_ok((enum csign_err)replace(NULL));
	assert_int_equal(lstat(scratch(NAME), &st), 0);
	assert_true(S_ISREG(st.st_mode));
	scratch_assert_text("other", OLD);
}

static void
nothing_is_created_twice(void **state)
{
	int fd = scratch_open();

	(void)state;
	assert_ok(csign_file_create_at(fd, NAME, 0600, OLD, 13, NULL));
	assert_err("again", csign_file_create_at(fd, NAME, 0600, NEW, 5, NULL),
	    CSIGN_E_EXISTS);
	scratch_assert_text(NAME, OLD);
	assert_int_equal(scratch_count(""), 1);
	assert_int_equal(symlink("nowhere", scratch("link")), 0);
	assert_err("link", csign_file_create_at(fd, "link", 0600, NEW, 5, NULL),
	    CSIGN_E_EXISTS);
	assert_int_equal(close(fd), 0);
}

static void
a_file_is_removed_durably(void **state)
{
	int fd = scratch_open();

	(void)state;
	scratch_put_text(NAME, 0600, OLD);
	assert_ok(csign_file_remove_at(fd, NAME, NULL));
	assert_int_equal(world.dir_syncs, 1);
	assert_int_equal(scratch_count(""), 0);
	assert_err(
	    "again", csign_file_remove_at(fd, NAME, NULL), CSIGN_E_NOT_FOUND);
	assert_int_equal(mkdir(scratch("dir"), 0700), 0);
	assert_err("dir", csign_file_remove_at(fd, "dir", NULL), CSIGN_E_FILE);
	assert_int_equal(close(fd), 0);
}

/* --- appending ------------------------------------------------------------ */

static enum csign_err
append(const char *name, const char *line, struct csign_why *why)
{
	return csign_file_append(
	    scratch(name), CSIGN_FILE_PUBLIC, line, strlen(line), why);
}

static void
lines_are_appended(void **state)
{
	mode_t before = umask(0);
	struct stat st;

	(void)state;
	assert_ok(append(NAME, "one", NULL));
	(void)umask(before);
	assert_int_equal(stat(scratch(NAME), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_ok(append(NAME, "two", NULL));
	scratch_assert_text(NAME, "one\ntwo\n");
	assert_int_equal(world.file_syncs, 2);
	/* The last writer had no room for all of his. */
	scratch_put_text(NAME, 0640, "one\nha");
	assert_ok(append(NAME, "two", NULL));
	scratch_assert_text(NAME, "one\nha\ntwo\n");
	/* Nor does the user of a set-id program choose a mode. */
	before = umask(0777);
	assert_ok(append("other", "one", NULL));
	(void)umask(before);
	assert_int_equal(stat(scratch("other"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
}

static void
a_line_that_is_not_all_there_is_an_error(void **state)
{
	struct csign_why why;

	(void)state;
	world.write_max = 2;
	assert_err("short", append(NAME, "one", &why), CSIGN_E_FILE);
	assert_non_null(strstr(why.text, "no room"));
	world.write_max = 0;
	world.interrupt = true;
	assert_ok(append(NAME, "two", NULL));
	scratch_assert_text(NAME, "on\ntwo\n");
}

static void
each_failure_of_an_append_is_told(void **state)
{
	long n = 0;

	for (;; n++) {
		enum csign_err r = CSIGN_E_INTERNAL;

		reset(state);
		world.fail_at = n;
		world.error = ENOSPC;
		r = append(NAME, "one", NULL);
		world.fail_at = -1;
		if (!world.failed)
			break;
		if (strcmp(world.failed_call, "close") != 0)
			assert_err(world.failed_call, r, CSIGN_E_FILE);
	}
	/* each folder, the file, write, sync, and closing */
	assert_true(n >= 5);
	scratch_assert_text(NAME, "one\n");
}

static void
only_a_safe_file_is_appended_to(void **state)
{
	(void)state;
	scratch_put_text("real", 0600, OLD);
	assert_int_equal(symlink("real", scratch("link")), 0);
	assert_err("link", append("link", "x", NULL), CSIGN_E_FILE);
	assert_int_equal(link(scratch("real"), scratch("hard")), 0);
	assert_err("hard link", append("hard", "x", NULL), CSIGN_E_FILE);
	assert_int_equal(unlink(scratch("hard")), 0);
	assert_int_equal(chmod(scratch("real"), 0620), 0);
	assert_err("mode", append("real", "x", NULL), CSIGN_E_FILE);
	assert_int_equal(mkfifo(scratch("fifo"), 0600), 0);
	assert_err("fifo", append("fifo", "x", NULL), CSIGN_E_FILE);
	scratch_assert_text("real", OLD);
}

static void
the_group_of_the_log_daemon_may_write_beside(void **state)
{
	(void)state;
	assert_int_equal(mkdir(scratch("log"), 0700), 0);
	assert_int_equal(mkdir(scratch("log/own"), 0700), 0);
	assert_int_equal(chmod(scratch("log"), 0775), 0);
	assert_ok(append("log/own/" NAME, "x", NULL));
	assert_err(
	    "in that folder", append("log/" NAME, "x", NULL), CSIGN_E_FILE);
	assert_int_equal(chmod(scratch("log"), 0777), 0);
	assert_err(
	    "open to all", append("log/own/" NAME, "x", NULL), CSIGN_E_FILE);
}

static void
lines_of_many_writers_do_not_mix(void **state)
{
	char line[201], *text = NULL;
	size_t len = 0;
	int status = 0;

	(void)state;
	for (int child = 0; child < 4; child++) {
		if (fork() != 0)
			continue;
		memset(line, 'a' + child, 200);
		line[200] = '\0';
		for (int i = 0; i < 50; i++) {
			if (append(NAME, line, NULL) != CSIGN_OK)
				_exit(1);
		}
		_exit(0);
	}
	for (int child = 0; child < 4; child++) {
		assert_true(wait(&status) > 0);
		assert_int_equal(status, 0);
	}
	text = scratch_get(NAME, &len);
	assert_int_equal(len, 4 * 50 * 201);
	for (size_t i = 0; i < len; i++)
		assert_int_equal(
		    text[i], i % 201 == 200 ? '\n' : text[i - i % 201]);
	free(text);
}

/* --- locking -------------------------------------------------------------- */

static void
a_lock_keeps_others_out(void **state)
{
	int dir = scratch_open(), first = -1, second = -1;
	struct csign_why why;
	struct stat st;

	(void)state;
	assert_ok(csign_file_lock_at(dir, "lock", 0, NULL, &first));
	assert_int_equal(fcntl(first, F_GETFD), FD_CLOEXEC);
	assert_int_equal(stat(scratch("lock"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_err("held", csign_file_lock_at(dir, "lock", 30, &why, &second),
	    CSIGN_E_FILE);
	assert_int_equal(second, -1);
	assert_non_null(strstr(why.text, "locked by another process"));
	assert_int_equal(close(first), 0);
	assert_ok(csign_file_lock_at(dir, "lock", 0, NULL, &second));
	assert_int_equal(close(second), 0);
	assert_int_equal(close(dir), 0);
}

/* Reads a number, writes it back plus one; without a lock some get lost. */
static int
count_up(int dir, int times)
{
	struct csign_buf *text = NULL;
	char number[32];
	int lock = -1;

	for (int i = 0; i < times; i++) {
		if (csign_file_lock_at(dir, "lock", 20000, NULL, &lock) !=
			CSIGN_OK ||
		    csign_file_read_at(dir, NAME, NAME, CSIGN_FILE_SECRET, 16,
			NULL, &text) != CSIGN_OK)
			return 1;
		(void)snprintf(number, sizeof(number), "%ld",
		    strtol(csign_buf_str(text), NULL, 10) + 1);
		csign_buf_free(&text);
		if (csign_file_replace_at(dir, NAME, 0600, number,
			strlen(number), NULL) != CSIGN_OK)
			return 1;
		(void)close(lock);
	}
	return 0;
}

static void
concurrent_lockers_take_turns(void **state)
{
	int dir = scratch_open(), status = 0;

	(void)state;
	scratch_put_text(NAME, 0600, "0");
	for (int child = 0; child < 8; child++) {
		if (fork() == 0)
			_exit(count_up(dir, 20));
	}
	for (int child = 0; child < 8; child++) {
		assert_true(wait(&status) > 0);
		assert_int_equal(status, 0);
	}
	scratch_assert_text(NAME, "160");
	assert_int_equal(close(dir), 0);
}

/* Whoever locks a file that has lost its name keeps nobody out. */
static void
a_removed_lock_file_is_made_again(void **state)
{
	int dir = scratch_open(), lock = -1;
	struct stat named, locked;

	(void)state;
	world.lock_removals = 1;
	assert_ok(csign_file_lock_at(dir, "lock", 0, NULL, &lock));
	assert_int_equal(stat(scratch("lock"), &named), 0);
	assert_int_equal(fstat(lock, &locked), 0);
	assert_true(named.st_ino == locked.st_ino);
	assert_int_equal(close(lock), 0);
	lock = -1;
	world.lock_removals = 1000;
	assert_err("always", csign_file_lock_at(dir, "lock", 0, NULL, &lock),
	    CSIGN_E_FILE);
	assert_int_equal(lock, -1);
	assert_int_equal(close(dir), 0);
}

static void
only_a_safe_file_is_locked(void **state)
{
	int dir = scratch_open(), lock = -1;

	(void)state;
	scratch_put_text("real", 0600, "");
	assert_int_equal(symlink("real", scratch("link")), 0);
	assert_err("link", csign_file_lock_at(dir, "link", 0, NULL, &lock),
	    CSIGN_E_FILE);
	assert_int_equal(chmod(scratch("real"), 0644), 0);
	assert_err("mode", csign_file_lock_at(dir, "real", 0, NULL, &lock),
	    CSIGN_E_FILE);
	assert_int_equal(mkfifo(scratch("fifo"), 0600), 0);
	assert_err("fifo", csign_file_lock_at(dir, "fifo", 0, NULL, &lock),
	    CSIGN_E_FILE);
	assert_int_equal(lock, -1);
	assert_int_equal(close(dir), 0);
}

static void
each_failure_of_a_lock_is_told(void **state)
{
	int dir = scratch_open(), lock = -1;

	for (long n = 0;; n++) {
		enum csign_err r = CSIGN_E_INTERNAL;

		reset(state);
		world.fail_at = n;
		world.error = ENOLCK;
		r = csign_file_lock_at(dir, "lock", 0, NULL, &lock);
		world.fail_at = -1;
		if (!world.failed)
			break;
		assert_err(world.failed_call, r, CSIGN_E_FILE);
		assert_int_equal(lock, -1);
	}
	assert_int_equal(close(lock), 0);
	assert_int_equal(close(dir), 0);
}

#define TEST(f) cmocka_unit_test_setup(f, reset)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_file_is_replaced),
	    TEST(it_is_durable_and_has_its_mode_first),
	    TEST(short_and_interrupted_writes_go_on),
	    TEST(after_any_failure_the_file_is_whole),
	    TEST(names_stay_in_their_directory),
	    TEST(a_link_is_replaced_and_not_followed),
	    TEST(nothing_is_created_twice),
	    TEST(a_file_is_removed_durably),
	    TEST(lines_are_appended),
	    TEST(a_line_that_is_not_all_there_is_an_error),
	    TEST(each_failure_of_an_append_is_told),
	    TEST(only_a_safe_file_is_appended_to),
	    TEST(the_group_of_the_log_daemon_may_write_beside),
	    TEST(lines_of_many_writers_do_not_mix),
	    TEST(a_lock_keeps_others_out),
	    TEST(concurrent_lockers_take_turns),
	    TEST(a_removed_lock_file_is_made_again),
	    TEST(only_a_safe_file_is_locked),
	    TEST(each_failure_of_a_lock_is_told),
	};

	return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
