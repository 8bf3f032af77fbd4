/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "dir.h"

void
csign_close(int *fd)
{
	if (*fd >= 0)
		(void)close(*fd);
	*fd = -1;
}

/* In a set-id program the effective user is root, and root alone counts. */
static bool
trusted_owner(uid_t uid)
{
	return uid == 0 || uid == geteuid();
}

enum csign_err
csign_check_owner(const struct stat *st, mode_t forbidden, const char *path,
    int path_len, struct csign_why *why)
{
	if (!trusted_owner(st->st_uid)) {
		csign_why_set(why, "%.*s: its owner is uid %ju and not root",
		    path_len, path, (uintmax_t)st->st_uid);
		return CSIGN_E_FILE;
	}
	if ((st->st_mode & forbidden) != 0) {
		csign_why_set(why,
		    "%.*s: mode %04o lets others %s it (chmod %s)", path_len,
		    path, (unsigned)(st->st_mode & 07777),
		    (st->st_mode & forbidden & 022) != 0 ? "write" : "read",
		    (forbidden & 044) != 0 ? "go-rwx" : "go-w");
		return CSIGN_E_FILE;
	}
	return CSIGN_OK;
}

enum csign_err
csign_check_name(const char *name, struct csign_why *why)
{
	size_t len = strnlen(name, NAME_MAX + 1);

	if (len == 0 || len > NAME_MAX || strchr(name, '/') != NULL ||
	    strcmp(name, ".") == 0 || strcmp(name, "..") == 0) {
		csign_why_set(why, "\"%s\" is not a file name", name);
		return CSIGN_E_INVALID;
	}
	return CSIGN_OK;
}

/* Opens and checks one directory; path and path_len are for the message. */
static enum csign_err
open_step(int at, const char *name, mode_t forbidden, const char *path,
    size_t path_len, struct csign_why *why, int *ret_fd)
{
	enum csign_err r = CSIGN_E_FILE;
	struct stat st;
	int len = (int)path_len;
	int fd = -1;

	fd = openat(at, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0) {
		r = errno == ENOENT ? CSIGN_E_NOT_FOUND : CSIGN_E_FILE;
		csign_why_errno(why, errno,
		    "%.*s: cannot be opened as a directory%s", len, path,
		    errno == ENOTDIR ? ", links are not followed" : "");
		goto out;
	}
	if (fstat(fd, &st) != 0) {
		csign_why_errno(why, errno, "%.*s", len, path);
		goto out;
	}
	if ((r = csign_check_owner(&st, forbidden, path, len, why)) != CSIGN_OK)
		goto out;
	*ret_fd = fd;
	fd = -1;
	r = CSIGN_OK;
out:
	csign_close(&fd);
	return r;
}

/* The component of path that begins at *pos; *pos is moved behind it. */
static bool
next_component(const char *path, size_t end, size_t *pos,
    char out[NAME_MAX + 1], size_t *ret_len)
{
	size_t len = 0;

	while (*pos < end && path[*pos] == '/')
		(*pos)++;
	while (*pos + len < end && path[*pos + len] != '/')
		len++;
	if (len > NAME_MAX)
		return false;
	memcpy(out, path + *pos, len);
	out[len] = '\0';
	*pos += len;
	*ret_len = len;
	return true;
}

/*
 * Walks from "/" along the first path_len bytes of path.  forbidden is for the
 * directories on the way, 022 always for the last one.
 */
static enum csign_err
walk(const char *path, size_t path_len, mode_t forbidden, struct csign_why *why,
    int *ret_fd)
{
	enum csign_err r = CSIGN_E_FILE;
	char name[NAME_MAX + 1];
	size_t pos = 0, len = 0, last = path_len;
	int fd = -1, next = -1;

	if (path[0] != '/') {
		csign_why_set(why, "%s: is not an absolute path", path);
		return CSIGN_E_FILE;
	}
	while (last > 0 && path[last - 1] == '/')
		last--;
	r = open_step(
	    AT_FDCWD, "/", last == 0 ? 022 : forbidden, "/", 1, why, &fd);
	while (r == CSIGN_OK && pos < last) {
		if (!next_component(path, last, &pos, name, &len) ||
		    csign_check_name(name, NULL) != CSIGN_OK) {
			csign_why_set(why, "%s: is not a plain path", path);
			r = CSIGN_E_FILE;
			goto out;
		}
		r = open_step(fd, name, pos == last ? 022 : forbidden, path,
		    pos, why, &next);
		/* NOT_FOUND speaks of the last component only. */
		if (r == CSIGN_E_NOT_FOUND && pos < last)
			r = CSIGN_E_FILE;
		csign_close(&fd);
		fd = next;
		next = -1;
	}
	if (r != CSIGN_OK)
		goto out;
	*ret_fd = fd;
	fd = -1;
out:
	csign_close(&fd);
	return r;
}

enum csign_err
csign_dir_parent(const char *path, mode_t forbidden, struct csign_why *why,
    int *ret_fd, const char **ret_name)
{
	const char *slash = strrchr(path, '/');
	enum csign_err r = CSIGN_E_FILE;

	if (slash == NULL || csign_check_name(slash + 1, NULL) != CSIGN_OK) {
		csign_why_set(
		    why, "%s: is not the absolute path of a file", path);
		return CSIGN_E_FILE;
	}
	r = walk(path, (size_t)(slash - path) + 1, forbidden, why, ret_fd);
	if (r == CSIGN_E_NOT_FOUND)
		r = CSIGN_E_FILE;
	if (r == CSIGN_OK)
		*ret_name = slash + 1;
	return r;
}

/* A descriptor that can be read and synced instead of one for walking. */
static enum csign_err
reopen_dir(int *fd, const char *path, struct csign_why *why, int *ret_fd)
{
	int real = openat(*fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (real < 0)
		csign_why_errno(why, errno, "%s: cannot be read", path);
	csign_close(fd);
	if (real < 0)
		return CSIGN_E_FILE;
	*ret_fd = real;
	return CSIGN_OK;
}

enum csign_err
csign_dir_open(const char *path, struct csign_why *why, int *ret_fd)
{
	enum csign_err r = CSIGN_E_INTERNAL;
	int fd = -1;

	r = walk(path, strlen(path), 022, why, &fd);
	if (r != CSIGN_OK)
		return r;
	return reopen_dir(&fd, path, why, ret_fd);
}

int
csign_sync(int fd)
{
	int r;

	do
		r = fsync(fd);
	while (r != 0 && errno == EINTR);
	return r;
}

enum csign_err
csign_dir_sync(int dirfd, const char *path, struct csign_why *why)
{
	enum csign_err r = CSIGN_OK;
	int fd = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	/* EINVAL: this file system has nothing of the kind. */
	if (fd < 0 || (csign_sync(fd) != 0 && errno != EINVAL)) {
		csign_why_errno(
		    why, errno, "%s: its directory cannot be synced", path);
		r = CSIGN_E_FILE;
	}
	csign_close(&fd);
	return r;
}

enum csign_err
csign_dir_create_at(int dirfd, const char *name, const char *path, mode_t mode,
    struct csign_why *why, int *ret_fd)
{
	enum csign_err r = CSIGN_E_INTERNAL;
	bool made = false;
	int fd = -1;

	if ((r = csign_check_name(name, why)) != CSIGN_OK)
		return r;
	made = mkdirat(dirfd, name, mode) == 0;
	/* The mode once more by its own call, whatever the umask says. */
	if ((!made && errno != EEXIST) ||
	    (made && fchmodat(dirfd, name, mode, 0) != 0)) {
		csign_why_errno(why, errno, "%s: cannot be made", path);
		return CSIGN_E_FILE;
	}
	/* One that is there may be so new that it is not on the disk yet. */
	if ((r = csign_dir_sync(dirfd, path, why)) != CSIGN_OK)
		return r;
	r = open_step(dirfd, name, 022, path, strlen(path), why, &fd);
	if (r != CSIGN_OK)
		return r == CSIGN_E_NOT_FOUND ? CSIGN_E_FILE : r;
	return reopen_dir(&fd, path, why, ret_fd);
}

enum csign_err
csign_dir_create(
    const char *path, mode_t mode, struct csign_why *why, int *ret_fd)
{
	enum csign_err r = CSIGN_E_INTERNAL;
	const char *name = NULL;
	int parent = -1;

	r = csign_dir_parent(path, 022, why, &parent, &name);
	if (r != CSIGN_OK)
		return r;
	r = csign_dir_create_at(parent, name, path, mode, why, ret_fd);
	csign_close(&parent);
	return r;
}
