/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "codec.h"
#include "file.h"
#include "secret.h"

#define READ_FLAGS (O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)
#define LOCK_TRIES 8
#define CUT_TRIES 4
#define LOCK_PAUSE_MIN_MS 1L
#define LOCK_PAUSE_MAX_MS 20
#define TEMPORARY_RANDOM 8
#define TEMPORARY_SIZE (sizeof(".new-") + 2 * (size_t)TEMPORARY_RANDOM)

static enum csign_err
check_regular(const struct stat *st, enum csign_file_class class,
    const char *path, struct csign_why *why)
{
	int len = (int)strnlen(path, PATH_MAX);

	if (!S_ISREG(st->st_mode)) {
		csign_why_set(why, "%s: is not a regular file", path);
		return CSIGN_E_FILE;
	}
	if (st->st_nlink > 1) {
		csign_why_set(why, "%s: has %ju links instead of one", path,
		    (uintmax_t)st->st_nlink);
		return CSIGN_E_FILE;
	}
	return csign_check_owner(
	    st, class == CSIGN_FILE_SECRET ? 077 : 022, path, len, why);
}

/* --- reading -------------------------------------------------------------- */

static enum csign_err
open_checked(int dirfd, const char *name, const char *path,
    enum csign_file_class class, struct csign_why *why, struct stat *ret_st,
    int *ret_fd)
{
	enum csign_err r = CSIGN_E_FILE;
	struct stat st;
	int fd = -1;

	if (csign_check_name(name, why) != CSIGN_OK)
		return CSIGN_E_FILE;
	fd = openat(dirfd, name, READ_FLAGS);
	if (fd < 0) {
		r = errno == ENOENT ? CSIGN_E_NOT_FOUND : CSIGN_E_FILE;
		if (errno == ELOOP)
			csign_why_set(why, "%s: is a symbolic link", path);
		else
			csign_why_errno(
			    why, errno, "%s: cannot be opened", path);
		goto out;
	}
	if (fstat(fd, &st) != 0) {
		csign_why_errno(why, errno, "%s", path);
		goto out;
	}
	if ((r = check_regular(&st, class, path, why)) != CSIGN_OK)
		goto out;
	*ret_st = st;
	*ret_fd = fd;
	fd = -1;
	r = CSIGN_OK;
out:
	csign_close(&fd);
	return r;
}

/* Everything up to the end of the file; one byte too many is CSIGN_E_AGAIN. */
static enum csign_err
slurp(int fd, size_t expect, struct csign_buf *buf, const char *path,
    struct csign_why *why)
{
	enum csign_err r = CSIGN_OK;
	unsigned char chunk[4096];
	ssize_t n = 0;

	for (;;) {
		n = read(fd, chunk, sizeof(chunk));
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		if ((size_t)n > expect - csign_buf_len(buf)) {
			r = CSIGN_E_AGAIN;
			break;
		}
		if ((r = csign_buf_put(buf, chunk, (size_t)n)) != CSIGN_OK)
			break;
	}
	if (n < 0) {
		csign_why_errno(why, errno, "%s: cannot be read", path);
		r = CSIGN_E_FILE;
	} else if (r == CSIGN_OK && csign_buf_len(buf) != expect) {
		r = CSIGN_E_AGAIN;
	}
	csign_wipe(chunk, sizeof(chunk));
	return r;
}

static bool
same_file(const struct stat *a, const struct stat *b)
{
	return a->st_size == b->st_size && a->st_nlink == b->st_nlink &&
	       a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
	       a->st_mtim.tv_nsec == b->st_mtim.tv_nsec &&
	       a->st_ctim.tv_sec == b->st_ctim.tv_sec &&
	       a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

/* CSIGN_E_AGAIN: somebody changed or replaced it meanwhile. */
static enum csign_err
read_once(int dirfd, const char *name, const char *path,
    enum csign_file_class class, size_t max, struct csign_why *why,
    struct csign_buf **ret_buf)
{
	enum csign_err r = CSIGN_E_FILE;
	struct csign_buf *buf = NULL;
	struct stat before, after;
	int fd = -1;

	r = open_checked(dirfd, name, path, class, why, &before, &fd);
	if (r != CSIGN_OK)
		goto out;
	if (before.st_nlink == 0) { /* replaced since it was opened */
		r = CSIGN_E_AGAIN;
		goto out;
	}
	if (before.st_size < 1 || (uintmax_t)before.st_size > max) {
		csign_why_set(why, "%s: has %jd bytes instead of 1 to %zu",
		    path, (intmax_t)before.st_size, max);
		r = CSIGN_E_FILE;
		goto out;
	}
	if ((r = csign_buf_new(max, &buf)) != CSIGN_OK)
		goto out;
	r = slurp(fd, (size_t)before.st_size, buf, path, why);
	if (r != CSIGN_OK)
		goto out;
	if (fstat(fd, &after) != 0) {
		csign_why_errno(why, errno, "%s", path);
		r = CSIGN_E_FILE;
		goto out;
	}
	if (!same_file(&before, &after)) {
		r = CSIGN_E_AGAIN;
		goto out;
	}
	*ret_buf = buf;
	buf = NULL;
	r = CSIGN_OK;
out:
	csign_close(&fd);
	csign_buf_free(&buf);
	return r;
}

enum csign_err
csign_file_read_at(int dirfd, const char *name, const char *path,
    enum csign_file_class class, size_t max, struct csign_why *why,
    struct csign_buf **ret_buf)
{
	enum csign_err r = CSIGN_E_INTERNAL;

	r = read_once(dirfd, name, path, class, max, why, ret_buf);
	if (r == CSIGN_E_AGAIN)
		r = read_once(dirfd, name, path, class, max, why, ret_buf);
	if (r == CSIGN_E_AGAIN) {
		csign_why_set(
		    why, "%s: changed while it was read, twice", path);
		r = CSIGN_E_FILE;
	}
	return r;
}

enum csign_err
csign_file_read(const char *path, enum csign_file_class class, size_t max,
    struct csign_why *why, struct csign_buf **ret_buf)
{
	enum csign_err r = CSIGN_E_INTERNAL;
	const char *name = NULL;
	int dir = -1;

	if ((r = csign_dir_parent(path, 022, why, &dir, &name)) != CSIGN_OK)
		return r;
	r = csign_file_read_at(dir, name, path, class, max, why, ret_buf);
	csign_close(&dir);
	return r;
}

/* --- writing -------------------------------------------------------------- */

static bool
write_all(int fd, const unsigned char *bytes, size_t len)
{
	ssize_t n = 0;

	while (len > 0) {
		n = write(fd, bytes, len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			if (n == 0)
				errno = EIO;
			return false;
		}
		bytes += n;
		len -= (size_t)n;
	}
	return true;
}

/*
 * A new file beside the one that it will replace.  Only this process knows its
 * name, and it has its mode before it has its content.
 */
static enum csign_err
write_temporary(int dirfd, const char *name, mode_t mode, const void *bytes,
    size_t len, char temporary[TEMPORARY_SIZE], struct csign_why *why)
{
	unsigned char random[TEMPORARY_RANDOM];
	char hex[2 * TEMPORARY_RANDOM + 1];
	enum csign_err r = CSIGN_E_FILE;
	int fd = -1;

	if ((r = csign_random(random, sizeof(random))) != CSIGN_OK)
		return r;
	r = csign_hex_encode(random, sizeof(random), hex, sizeof(hex));
	if (r != CSIGN_OK)
		return r;
	(void)snprintf(temporary, TEMPORARY_SIZE, ".new-%s", hex);
	fd = openat(dirfd, temporary,
	    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode & 0600);
	if (fd < 0) {
		csign_why_errno(why, errno, "%s: cannot be written", name);
		return CSIGN_E_FILE;
	}
	if (fchmod(fd, mode) == 0 && write_all(fd, bytes, len) &&
	    csign_sync(fd) == 0) {
		r = CSIGN_OK;
	} else {
		csign_why_errno(why, errno, "%s: cannot be written", name);
		r = CSIGN_E_FILE;
	}
	/* Interrupted, it is closed all the same, and was synced before. */
	if (close(fd) != 0 && errno != EINTR && r == CSIGN_OK) {
		csign_why_errno(why, errno, "%s: cannot be written", name);
		r = CSIGN_E_FILE;
	}
	if (r != CSIGN_OK)
		(void)unlinkat(dirfd, temporary, 0);
	return r;
}

static enum csign_err
sync_dir(int dirfd, const char *name, struct csign_why *why)
{
	if (csign_sync(dirfd) != 0) {
		csign_why_errno(
		    why, errno, "%s: its directory cannot be synced", name);
		return CSIGN_E_FILE;
	}
	return CSIGN_OK;
}

/* flags: those of renameat2(2). */
static enum csign_err
put_at(int dirfd, const char *name, mode_t mode, const void *bytes, size_t len,
    unsigned flags, struct csign_why *why)
{
	enum csign_err r = CSIGN_E_INTERNAL;
	char temporary[TEMPORARY_SIZE];

	if ((r = csign_check_name(name, why)) != CSIGN_OK)
		return r;
	r = write_temporary(dirfd, name, mode, bytes, len, temporary, why);
	if (r != CSIGN_OK)
		return r;
	if (renameat2(dirfd, temporary, dirfd, name, flags) != 0) {
		r = errno == EEXIST ? CSIGN_E_EXISTS : CSIGN_E_FILE;
		csign_why_errno(why, errno, "%s: cannot be put in place", name);
		(void)unlinkat(dirfd, temporary, 0);
		return r;
	}
	return sync_dir(dirfd, name, why);
}

enum csign_err
csign_file_replace_at(int dirfd, const char *name, mode_t mode,
    const void *bytes, size_t len, struct csign_why *why)
{
	return put_at(dirfd, name, mode, bytes, len, 0, why);
}

enum csign_err
csign_file_create_at(int dirfd, const char *name, mode_t mode,
    const void *bytes, size_t len, struct csign_why *why)
{
	/* Not link(2) and unlink(2): a reader may never see two links. */
	return put_at(dirfd, name, mode, bytes, len, RENAME_NOREPLACE, why);
}

enum csign_err
csign_file_remove_at(int dirfd, const char *name, struct csign_why *why)
{
	enum csign_err r = CSIGN_E_INTERNAL;

	if ((r = csign_check_name(name, why)) != CSIGN_OK)
		return r;
	if (unlinkat(dirfd, name, 0) != 0) {
		r = errno == ENOENT ? CSIGN_E_NOT_FOUND : CSIGN_E_FILE;
		csign_why_errno(why, errno, "%s: cannot be removed", name);
		return r;
	}
	return sync_dir(dirfd, name, why);
}

/* Opens a file for writing, and makes it with mode 0600 if it is missing. */
static enum csign_err
open_or_make(int dirfd, const char *name, const char *path, int flags,
    enum csign_file_class class, struct csign_why *why, int *ret_fd)
{
	enum csign_err r = CSIGN_E_FILE;
	struct stat st;
	int fd = -1;

	fd = openat(dirfd, name,
	    flags | O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY |
		O_CLOEXEC,
	    0600);
	if (fd < 0 || fstat(fd, &st) != 0) {
		csign_why_errno(why, errno, "%s: cannot be opened", path);
		goto out;
	}
	if ((r = check_regular(&st, class, path, why)) != CSIGN_OK)
		goto out;
	/* The umask of a set-id program's user took what is the owner's. */
	if ((st.st_mode & 0600) != 0600 && fchmod(fd, 0600) != 0) {
		csign_why_errno(why, errno, "%s: its mode", path);
		r = CSIGN_E_FILE;
		goto out;
	}
	*ret_fd = fd;
	fd = -1;
out:
	csign_close(&fd);
	return r;
}

/* --- appending ------------------------------------------------------------ */

/* The last byte of a file, if it has any. */
static bool
read_last(int fd, const struct stat *st, char *last)
{
	ssize_t n = 1;

	if (st->st_size > 0)
		do
			n = pread(fd, last, 1, st->st_size - 1);
		while (n < 0 && errno == EINTR);
	return n == 1;
}

/*
 * Has the last line no end?  Then its writer was cut off; or it is being
 * written this moment, which is over soon.
 */
static enum csign_err
check_last_line(int fd, const char *path, struct csign_why *why, bool *ret_cut)
{
	const struct timespec pause = {0, LOCK_PAUSE_MIN_MS * 1000000L};
	struct stat st;
	char last = '\n';

	for (int tries = 0; tries < CUT_TRIES; tries++) {
		if (fstat(fd, &st) != 0 || !read_last(fd, &st, &last)) {
			csign_why_errno(why, errno, "%s: cannot be read", path);
			return CSIGN_E_FILE;
		}
		*ret_cut = last != '\n';
		if (!*ret_cut)
			break;
		(void)nanosleep(&pause, NULL);
	}
	return CSIGN_OK;
}

static int
sync_data(int fd)
{
	int r;

	do
		r = fdatasync(fd);
	while (r != 0 && errno == EINTR);
	return r;
}

enum csign_err
csign_file_append(const char *path, enum csign_file_class class,
    const char *line, size_t len, struct csign_why *why)
{
	enum csign_err r = CSIGN_E_INTERNAL;
	struct csign_buf *buf = NULL;
	const char *name = NULL;
	ssize_t n = 0;
	bool cut = false;
	int dir = -1, fd = -1;

	/*
	 * Some systems let the group of the log daemon write to /var/log, so
	 * only the directory of the file itself has to be closed to groups.
	 */
	r = csign_dir_parent(path, 002, why, &dir, &name);
	if (r == CSIGN_OK)
		r = open_or_make(dir, name, path, O_APPEND, class, why, &fd);
	if (r == CSIGN_OK)
		r = check_last_line(fd, path, why, &cut);
	if (r == CSIGN_OK)
		r = csign_buf_new(len + 2, &buf);
	if (r == CSIGN_OK && cut)
		r = csign_buf_put_str(buf, "\n");
	if (r == CSIGN_OK)
		r = csign_buf_put(buf, line, len);
	if (r == CSIGN_OK)
		r = csign_buf_put_str(buf, "\n");
	if (r != CSIGN_OK)
		goto out;
	do
		n = write(fd, csign_buf_data(buf), csign_buf_len(buf));
	while (n < 0 && errno == EINTR);
	if (n >= 0 && (size_t)n != csign_buf_len(buf)) {
		csign_why_set(why, "%s: has no room for a line", path);
		r = CSIGN_E_FILE;
	} else if (n < 0 || sync_data(fd) != 0) {
		csign_why_errno(why, errno, "%s: cannot be written", path);
		r = CSIGN_E_FILE;
	}
	/* A new file's name has to last, too; an old one's costs nothing. */
	if (r == CSIGN_OK)
		r = csign_dir_sync(dir, path, why);
out:
	csign_close(&fd);
	csign_close(&dir);
	csign_buf_free(&buf);
	return r;
}

/* --- locking -------------------------------------------------------------- */

/* Polls: a lock that waits could only be ended by a signal of our own. */
static enum csign_err
lock_until(int fd, uint64_t deadline, const char *name, struct csign_why *why)
{
	struct timespec pause = {0, 0};
	enum csign_err r = CSIGN_E_INTERNAL;
	uint64_t now = 0;
	long ms = LOCK_PAUSE_MIN_MS;

	while (flock(fd, LOCK_EX | LOCK_NB) != 0) {
		if (errno != EWOULDBLOCK && errno != EINTR) {
			csign_why_errno(
			    why, errno, "%s: cannot be locked", name);
			return CSIGN_E_FILE;
		}
		if ((r = csign_clock_boot(&now)) != CSIGN_OK)
			return r;
		if (now >= deadline) {
			csign_why_set(
			    why, "%s: is locked by another process", name);
			return CSIGN_E_FILE;
		}
		pause.tv_nsec = ms * 1000000;
		(void)nanosleep(&pause, NULL);
		ms = ms * 2 > LOCK_PAUSE_MAX_MS ? LOCK_PAUSE_MAX_MS : ms * 2;
	}
	return CSIGN_OK;
}

/* Is the file that was locked still the one with that name? */
static bool
still_there(int dirfd, const char *name, int fd)
{
	struct stat locked, named;

	return fstat(fd, &locked) == 0 &&
	       fstatat(dirfd, name, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
	       locked.st_dev == named.st_dev && locked.st_ino == named.st_ino;
}

enum csign_err
csign_file_lock(int fd, int timeout_ms, const char *path, struct csign_why *why)
{
	uint64_t now = 0;
	enum csign_err r = csign_clock_boot(&now);

	if (r != CSIGN_OK)
		return r;
	return lock_until(
	    fd, now + (timeout_ms > 0 ? (uint64_t)timeout_ms : 0), path, why);
}

enum csign_err
csign_file_lock_at(int dirfd, const char *name, int timeout_ms,
    struct csign_why *why, int *ret_fd)
{
	enum csign_err r = CSIGN_E_INTERNAL;
	uint64_t deadline = 0;
	int fd = -1;

	if ((r = csign_check_name(name, why)) != CSIGN_OK)
		return r;
	if ((r = csign_clock_boot(&deadline)) != CSIGN_OK)
		return r;
	deadline += timeout_ms > 0 ? (uint64_t)timeout_ms : 0;
	for (int tries = 0; tries < LOCK_TRIES; tries++) {
		if ((r = open_or_make(dirfd, name, name, 0, CSIGN_FILE_SECRET,
			 why, &fd)) != CSIGN_OK)
			return r;
		r = lock_until(fd, deadline, name, why);
		if (r != CSIGN_OK)
			break;
		if (still_there(dirfd, name, fd)) {
			*ret_fd = fd;
			return CSIGN_OK;
		}
		/* Somebody removed it: a lock on it keeps nobody out. */
		csign_close(&fd);
		csign_why_set(why, "%s: is removed all the time", name);
		r = CSIGN_E_FILE;
	}
	csign_close(&fd);
	return r;
}
