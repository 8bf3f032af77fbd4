/* SPDX-License-Identifier: BSD-2-Clause */
/* SYS-1 to SYS-4: which files and directories are believed. */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "buf.h"
#include "file.h"
#include "scratch.h"

#define NAME "file"
#define TEXT "twelve bytes"

/* --- the system, played --------------------------------------------------- */

static struct {
	/* one inode belongs to somebody; all others then to root */
	ino_t foreign;
	uid_t foreign_uid;
	uid_t euid; /* 0: the real one */
	/* what happens to NAME behind the reader's back, and how often */
	void (*change)(void);
	unsigned changes;
	bool at_open;
	/* read(2) gives at most so many bytes and is interrupted before */
	size_t read_max;
	bool interrupted;
} world;

int __real_fstat(int fd, struct stat *st);
int __wrap_fstat(int fd, struct stat *st);
uid_t __real_geteuid(void);
uid_t __wrap_geteuid(void);
int __real_openat(int fd, const char *name, int flags, ...);
int __wrap_openat(int fd, const char *name, int flags, ...);
ssize_t __real_read(int fd, void *bytes, size_t len);
ssize_t __wrap_read(int fd, void *bytes, size_t len);

int
__wrap_fstat(int fd, struct stat *st)
{
	int r = __real_fstat(fd, st);

	if (r == 0 && world.foreign != 0)
		st->st_uid =
		    st->st_ino == world.foreign ? world.foreign_uid : 0;
	return r;
}

uid_t
__wrap_geteuid(void)
{
	return world.euid == 0 ? __real_geteuid() : world.euid;
}

static void
let_change(void)
{
	if (world.changes > 0) {
		world.changes--;
		world.change();
	}
}

int
__wrap_openat(int fd, const char *name, int flags, ...)
{
	int opened = -1;
	mode_t mode = 0;
	va_list args;

	va_start(args, flags);
	if ((flags & O_CREAT) != 0)
		mode = va_arg(args, mode_t);
	va_end(args);
	opened = __real_openat(fd, name, flags, mode);
	if (opened >= 0 && world.at_open && strcmp(name, NAME) == 0)
		let_change();
	return opened;
}

ssize_t
__wrap_read(int fd, void *bytes, size_t len)
{
	if (!world.at_open)
		let_change();
	if (world.read_max == 0)
		return __real_read(fd, bytes, len);
	world.interrupted = !world.interrupted;
	if (world.interrupted) {
		errno = EINTR;
		return -1;
	}
	return __real_read(
	    fd, bytes, len < world.read_max ? len : world.read_max);
}

static int
reset(void **state)
{
	memset(&world, 0, sizeof(world));
	return scratch_empty(state);
}

/* --- reading -------------------------------------------------------------- */

static enum csign_err
read_class(const char *name, enum csign_file_class class, size_t max,
    struct csign_why *why)
{
	struct csign_buf *buf = NULL;
	enum csign_err r =
	    csign_file_read(scratch(name), class, max, why, &buf);

	if (r == CSIGN_OK)
		assert_true(csign_buf_len(buf) > 0);
	else
		assert_null(buf);
	csign_buf_free(&buf);
	return r;
}

static enum csign_err
read_public(const char *name, struct csign_why *why)
{
	return read_class(name, CSIGN_FILE_PUBLIC, 64, why);
}

static void
a_good_file_is_read_whole(void **state)
{
	struct csign_buf *buf = NULL;
	int fd = -1;

	(void)state;
	scratch_put_text(NAME, 0644, TEXT);
	assert_ok(
	    csign_file_read(scratch(NAME), CSIGN_FILE_PUBLIC, 64, NULL, &buf));
	assert_bytes("read", csign_buf_str(buf), csign_buf_len(buf), TEXT, 12);
	csign_buf_free(&buf);
	fd = scratch_open();
	assert_ok(csign_file_read_at(
	    fd, NAME, "path", CSIGN_FILE_PUBLIC, 64, NULL, &buf));
	assert_string_equal(csign_buf_str(buf), TEXT);
	csign_buf_free(&buf);
	assert_int_equal(close(fd), 0);
}

static void
short_and_interrupted_reads_are_put_together(void **state)
{
	struct csign_buf *buf = NULL;

	(void)state;
	scratch_put_text(NAME, 0600, TEXT);
	world.read_max = 1;
	assert_ok(
	    csign_file_read(scratch(NAME), CSIGN_FILE_SECRET, 64, NULL, &buf));
	assert_string_equal(csign_buf_str(buf), TEXT);
	csign_buf_free(&buf);
}

static void
sizes_have_bounds(void **state)
{
	static const struct {
		size_t len, max;
		enum csign_err want;
	} rows[] = {
	    {0, 64, CSIGN_E_FILE},
	    {1, 64, CSIGN_OK},
	    {64, 64, CSIGN_OK},
	    {65, 64, CSIGN_E_FILE},
	    {65536, 65536, CSIGN_OK},
	    {65537, 65536, CSIGN_E_FILE},
	};
	char *bytes = calloc(1, 65537);

	(void)state;
	assert_non_null(bytes);
	for (size_t i = 0; i < N_ROWS(rows); i++) {
		char name[64];

		(void)snprintf(
		    name, sizeof(name), "%zu of %zu", rows[i].len, rows[i].max);
		scratch_put(NAME, 0644, bytes, rows[i].len);
		assert_err(name,
		    read_class(NAME, CSIGN_FILE_PUBLIC, rows[i].max, NULL),
		    rows[i].want);
	}
	free(bytes);
}

static void
each_mode_bit_counts(void **state)
{
	(void)state;
	scratch_put_text(NAME, 0600, TEXT);
	for (mode_t bit = 1; bit <= 0100; bit <<= 1) {
		char name[32];

		(void)snprintf(name, sizeof(name), "%04o", 0600 | bit);
		assert_int_equal(chmod(scratch(NAME), 0600 | bit), 0);
		assert_err(name, read_public(NAME, NULL),
		    (bit & 022) != 0 ? CSIGN_E_FILE : CSIGN_OK);
		assert_err(name, read_class(NAME, CSIGN_FILE_SECRET, 64, NULL),
		    (bit & 077) != 0 ? CSIGN_E_FILE : CSIGN_OK);
	}
}

static void
the_message_names_path_and_reason(void **state)
{
	struct csign_why why;

	(void)state;
	scratch_put_text(NAME, 0664, TEXT);
	assert_int_equal(read_public(NAME, &why), CSIGN_E_FILE);
	assert_non_null(strstr(why.text, scratch(NAME)));
	assert_non_null(strstr(why.text, "mode 0664 lets others write it"));
	assert_int_equal(chmod(scratch(NAME), 0604), 0);
	assert_int_equal(
	    read_class(NAME, CSIGN_FILE_SECRET, 64, &why), CSIGN_E_FILE);
	assert_non_null(strstr(why.text, "lets others read it"));
}

static void
other_things_than_files_are_refused(void **state)
{
	struct csign_why why;

	(void)state;
	assert_int_equal(mkdir(scratch(NAME), 0700), 0);
	assert_err("directory", read_public(NAME, &why), CSIGN_E_FILE);
	assert_non_null(strstr(why.text, "not a regular file"));
	assert_int_equal(rmdir(scratch(NAME)), 0);
	/* Nobody writes into it: an open that waits would wait for ever. */
	assert_int_equal(mkfifo(scratch(NAME), 0600), 0);
	assert_err("fifo", read_public(NAME, &why), CSIGN_E_FILE);
	assert_non_null(strstr(why.text, "not a regular file"));
	assert_int_equal(unlink(scratch(NAME)), 0);
	scratch_put_text("real", 0600, TEXT);
	assert_int_equal(symlink("real", scratch(NAME)), 0);
	assert_err("symlink", read_public(NAME, &why), CSIGN_E_FILE);
	assert_non_null(strstr(why.text, "symbolic link"));
	assert_int_equal(unlink(scratch(NAME)), 0);
	assert_int_equal(link(scratch("real"), scratch(NAME)), 0);
	assert_err("hard link", read_public(NAME, &why), CSIGN_E_FILE);
	assert_non_null(strstr(why.text, "2 links"));
	assert_err("missing", read_public("none", NULL), CSIGN_E_NOT_FOUND);
	assert_err("device",
	    csign_file_read("/dev/null", CSIGN_FILE_PUBLIC, 64, &why,
		&(struct csign_buf *){NULL}),
	    CSIGN_E_FILE);
}

/* One inode of the folder belongs to uid, as seen by euid. */
static enum csign_err
read_owned(const char *name, uid_t uid, uid_t euid)
{
	struct stat st;
	enum csign_err r = CSIGN_E_INTERNAL;

	assert_int_equal(stat(scratch(name), &st), 0);
	world.foreign = st.st_ino;
	world.foreign_uid = uid;
	world.euid = euid;
	r = read_public("dir/" NAME, NULL);
	world.foreign = 0;
	world.euid = 0;
	return r;
}

static void
the_owner_is_root_or_oneself(void **state)
{
	static const char *const names[] = {"dir/" NAME, "dir", ""};

	(void)state;
	assert_int_equal(mkdir(scratch("dir"), 0700), 0);
	scratch_put_text("dir/" NAME, 0600, TEXT);
	for (size_t i = 0; i < N_ROWS(names); i++) {
		assert_err(names[i], read_owned(names[i], 0, 0), CSIGN_OK);
		assert_err(names[i], read_owned(names[i], 0, 4242), CSIGN_OK);
		assert_err(
		    names[i], read_owned(names[i], 4242, 4242), CSIGN_OK);
		assert_err(
		    names[i], read_owned(names[i], 4243, 4242), CSIGN_E_FILE);
		if (__real_geteuid() == 0)
			assert_err(names[i], read_owned(names[i], 4242, 0),
			    CSIGN_E_FILE);
	}
}

/* --- changes meanwhile ---------------------------------------------------- */

static void
grow(void)
{
	int fd = open(scratch(NAME), O_WRONLY | O_APPEND | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, "!", 1), 1);
	assert_int_equal(close(fd), 0);
}

static void
shrink(void)
{
	assert_int_equal(truncate(scratch(NAME), 1), 0);
}

static void
touch(void)
{
	const struct timespec times[2] = {{1, 0}, {world.changes + 1, 0}};

	assert_int_equal(utimensat(AT_FDCWD, scratch(NAME), times, 0), 0);
}

static void
replace(void)
{
	scratch_put_text("other", 0600, "the new text");
	assert_int_equal(rename(scratch("other"), scratch(NAME)), 0);
}

static void
a_change_means_once_more_and_then_no(void **state)
{
	static const struct {
		const char *name;
		void (*change)(void);
		bool at_open;
		size_t len; /* afterwards */
	} rows[] = {
	    {"grows", grow, false, 13},
	    {"shrinks", shrink, false, 1},
	    {"is touched", touch, false, 12},
	    {"is replaced", replace, true, 12},
	};
	struct csign_buf *buf = NULL;
	struct csign_why why;

	(void)state;
	for (size_t i = 0; i < N_ROWS(rows); i++) {
		scratch_put_text(NAME, 0600, TEXT);
		world.change = rows[i].change;
		world.at_open = rows[i].at_open;
		world.changes = 1;
		assert_err(rows[i].name,
		    csign_file_read(
			scratch(NAME), CSIGN_FILE_SECRET, 64, NULL, &buf),
		    CSIGN_OK);
		assert_int_equal(csign_buf_len(buf), rows[i].len);
		if (rows[i].change == replace)
			assert_string_equal(csign_buf_str(buf), "the new text");
		csign_buf_free(&buf);
		scratch_put_text(NAME, 0600, TEXT);
		/* Each look reads twice: once for the end. */
		world.changes = 100;
		if (rows[i].change == shrink)
			continue;
		assert_err(rows[i].name, read_public(NAME, &why), CSIGN_E_FILE);
		assert_non_null(strstr(why.text, "changed while it was read"));
		world.changes = 0;
	}
}

/* --- directories ---------------------------------------------------------- */

static void
each_directory_on_the_way_counts(void **state)
{
	static const char *const dirs[] = {"a", "a/b", "a/b/c"};
	struct csign_why why;

	(void)state;
	for (size_t i = 0; i < N_ROWS(dirs); i++)
		assert_int_equal(mkdir(scratch(dirs[i]), 0700), 0);
	scratch_put_text("a/b/c/" NAME, 0600, TEXT);
	assert_ok(read_public("a/b/c/" NAME, NULL));
	for (size_t i = 0; i < N_ROWS(dirs); i++) {
		for (mode_t bit = 1; bit <= 0040; bit <<= 1) {
			assert_int_equal(
			    chmod(scratch(dirs[i]), 0700 | bit), 0);
			assert_err(dirs[i], read_public("a/b/c/" NAME, &why),
			    (bit & 022) != 0 ? CSIGN_E_FILE : CSIGN_OK);
			if ((bit & 022) == 0)
				continue;
			assert_non_null(strstr(why.text, scratch(dirs[i])));
			assert_null(strstr(why.text, NAME));
		}
		assert_int_equal(chmod(scratch(dirs[i]), 01777), 0);
		assert_err(
		    "sticky", read_public("a/b/c/" NAME, NULL), CSIGN_E_FILE);
		assert_int_equal(chmod(scratch(dirs[i]), 0700), 0);
	}
}

static void
links_on_the_way_are_not_followed(void **state)
{
	struct csign_why why;

	(void)state;
	assert_int_equal(mkdir(scratch("real"), 0700), 0);
	scratch_put_text("real/" NAME, 0600, TEXT);
	assert_int_equal(symlink("real", scratch("link")), 0);
	assert_err("link", read_public("link/" NAME, &why), CSIGN_E_FILE);
	assert_non_null(strstr(why.text, "links are not followed"));
	assert_err(
	    "dots", read_public("real/../real/" NAME, NULL), CSIGN_E_FILE);
	assert_err("dot", read_public("./real/" NAME, NULL), CSIGN_E_FILE);
	assert_err("slashes", read_public("real//" NAME, NULL), CSIGN_OK);
}

static void
only_the_last_component_may_be_missing(void **state)
{
	struct csign_buf *buf = NULL;
	int fd = -1;

	(void)state;
	assert_err("file", read_public("none", NULL), CSIGN_E_NOT_FOUND);
	assert_err("its folder", read_public("none/file", NULL), CSIGN_E_FILE);
	assert_err("folder", csign_dir_open(scratch("none"), NULL, &fd),
	    CSIGN_E_NOT_FOUND);
	assert_err("above", csign_dir_open(scratch("none/sub"), NULL, &fd),
	    CSIGN_E_FILE);
	assert_err("relative", csign_dir_open("lib", NULL, &fd), CSIGN_E_FILE);
	assert_err("empty", csign_dir_open("", NULL, &fd), CSIGN_E_FILE);
	assert_err("relative file",
	    csign_file_read(NAME, CSIGN_FILE_PUBLIC, 64, NULL, &buf),
	    CSIGN_E_FILE);
	assert_err("a folder's name", read_public("none/", NULL), CSIGN_E_FILE);
	assert_int_equal(fd, -1);
}

static void
a_directory_is_opened_for_use(void **state)
{
	int fd = -1;

	(void)state;
	assert_ok(csign_dir_open("/", NULL, &fd));
	assert_int_equal(close(fd), 0);
	assert_ok(csign_dir_open(scratch(""), NULL, &fd));
	assert_int_equal(fsync(fd), 0);
	assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
	assert_int_equal(close(fd), 0);
	scratch_put_text(NAME, 0600, TEXT);
	fd = -1;
	assert_err(
	    "file", csign_dir_open(scratch(NAME), NULL, &fd), CSIGN_E_FILE);
	assert_int_equal(fd, -1);
}

static void
a_directory_is_made_where_missing(void **state)
{
	mode_t before = umask(0777);
	struct stat st;
	int fd = -1;

	(void)state;
	assert_ok(csign_dir_create(scratch("new"), 0750, NULL, &fd));
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0750);
	assert_int_equal(close(fd), 0);
	(void)umask(before);
	/* It was there: it is checked, and keeps its mode. */
	assert_ok(csign_dir_create(scratch("new"), 0700, NULL, &fd));
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0750);
	assert_int_equal(close(fd), 0);
	assert_int_equal(chmod(scratch("new"), 0770), 0);
	assert_err("open to the group",
	    csign_dir_create(scratch("new"), 0700, NULL, &fd), CSIGN_E_FILE);
	scratch_put_text(NAME, 0600, TEXT);
	assert_err("file", csign_dir_create(scratch(NAME), 0700, NULL, &fd),
	    CSIGN_E_FILE);
	assert_err("above", csign_dir_create(scratch("a/b"), 0700, NULL, &fd),
	    CSIGN_E_FILE);
}

/*
 * 10,000 looks while another process swaps file and link a hundred thousand
 * times: H3.  More of them until enough have met the file and enough have not;
 * both are common.
 */
#define SWAPS 100000
#define LOOKS 10000
#define LOOKS_MAX 10000000
#define ENOUGH 100
static void
a_race_never_shows_a_foreign_file(void **state)
{
	struct csign_buf *buf = NULL;
	unsigned good = 0, refused = 0;
	struct {
		_Atomic unsigned n;
	} * swaps;
	pid_t child = -1;
	int status = 0;

	(void)state;
	swaps = mmap(NULL, sizeof(*swaps), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_true(swaps != MAP_FAILED);
	scratch_put_text("secret", 0600, "not for you");
	scratch_put_text("good", 0600, TEXT);
	assert_int_equal(symlink("secret", scratch("bad")), 0);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		int fd = open(scratch(""), O_RDONLY | O_DIRECTORY);

		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;)
			if (renameat2(fd, "good", fd, "bad", RENAME_EXCHANGE) ==
			    0)
				swaps->n++;
	}
	for (unsigned i = 0; i < LOOKS_MAX; i++) {
		if (i >= LOOKS && good >= ENOUGH && refused >= ENOUGH &&
		    swaps->n >= SWAPS)
			break;
		if (csign_file_read(scratch("good"), CSIGN_FILE_SECRET, 64,
			NULL, &buf) != CSIGN_OK) {
			refused++;
			continue;
		}
		good++;
		assert_string_equal(csign_buf_str(buf), TEXT);
		csign_buf_free(&buf);
	}
	assert_int_equal(kill(child, SIGKILL), 0);
	assert_int_equal(waitpid(child, &status, 0), child);
	print_message("# %u swaps: %u met the file, %u did not\n", swaps->n,
	    good, refused);
	assert_true(good >= ENOUGH);
	assert_true(refused >= ENOUGH);
	assert_true(swaps->n >= SWAPS);
	assert_int_equal(munmap(swaps, sizeof(*swaps)), 0);
}

#define TEST(f) cmocka_unit_test_setup(f, reset)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_good_file_is_read_whole),
	    TEST(short_and_interrupted_reads_are_put_together),
	    TEST(sizes_have_bounds),
	    TEST(each_mode_bit_counts),
	    TEST(the_message_names_path_and_reason),
	    TEST(other_things_than_files_are_refused),
	    TEST(the_owner_is_root_or_oneself),
	    TEST(a_change_means_once_more_and_then_no),
	    TEST(each_directory_on_the_way_counts),
	    TEST(links_on_the_way_are_not_followed),
	    TEST(only_the_last_component_may_be_missing),
	    TEST(a_directory_is_opened_for_use),
	    TEST(a_directory_is_made_where_missing),
	    TEST(a_race_never_shows_a_foreign_file),
	};

	return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
