/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "write.h"

#define SIZE_MAX_READ 262144
#define NEW_SUFFIX ".countersign-new"
#define LOCK_NAME ".countersign-lock" /* of no service: pam_service_ok() */

int
pam_write_lock(int dir)
{
	struct stat st;
	int fd = openat(dir, LOCK_NAME,
	    O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);

	if (fd == -1)
		return -1;
	/* without a name: removed by who had it */
	if (flock(fd, LOCK_EX | LOCK_NB) == 0 && fstat(fd, &st) == 0 &&
	    st.st_nlink > 0)
		return fd;
	(void)close(fd);
	errno = EWOULDBLOCK;
	return -1;
}

void
pam_write_unlock(int dir, int lock)
{
	(void)unlinkat(dir, LOCK_NAME, 0);
	(void)close(lock);
}

int
pam_write_open(int dir, const char *name)
{
	return openat(dir, name,
	    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
}

bool
pam_write_safe(int fd, char *ret_why, size_t size)
{
	const char *why = NULL;
	struct stat st;

	if (fstat(fd, &st) != 0)
		why = "it cannot be looked at";
	else if (!S_ISREG(st.st_mode))
		why = "it is no regular file";
	else if (st.st_nlink != 1)
		why = "it has other names (hard links)";
	else if (st.st_uid != 0 && st.st_uid != geteuid())
		why = "it does not belong to root";
	else if ((st.st_mode & (S_IWGRP | S_IWOTH)) != 0)
		why = "others than its owner may write it";
	else if (st.st_size > SIZE_MAX_READ)
		why = "it is too large";
	if (why != NULL)
		(void)snprintf(ret_why, size, "%s", why);
	return why == NULL;
}

char *
pam_write_read(int fd, size_t *ret_len)
{
	char *text = malloc(SIZE_MAX_READ + 1);
	size_t len = 0;
	ssize_t n = 1;

	while (text != NULL && n != 0 && len < SIZE_MAX_READ) {
		n = pread(fd, text + len, SIZE_MAX_READ - len, (off_t)len);
		if (n == -1 && errno != EINTR) {
			free(text);
			return NULL;
		}
		len += n > 0 ? (size_t)n : 0;
	}
	if (text != NULL) {
		text[len] = '\0';
		*ret_len = len;
	}
	return text;
}

static bool
write_all(int fd, const char *bytes, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, bytes, len);

		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return false;
		bytes += n;
		len -= (size_t)n;
	}
	return true;
}

/* One attribute, such as security.selinux or system.posix_acl_access. */
static bool
copy_attribute(int from, int to, const char *name)
{
	char value[4096];
	ssize_t len = fgetxattr(from, name, value, sizeof value);

	return len >= 0 && fsetxattr(to, name, value, (size_t)len, 0) == 0;
}

static bool
copy_attributes(int from, int to)
{
	char names[2048];
	ssize_t len = flistxattr(from, names, sizeof names);

	if (len == -1)
		return errno == ENOTSUP;
	for (const char *name = names; name < names + len;
	     name += strlen(name) + 1)
		if (!copy_attribute(from, to, name))
			return false;
	return true;
}

static bool
fill(int fd, int like, const char *bytes, size_t len)
{
	struct stat st;

	/* The mode last: a change of owner may take bits of it away. */
	return write_all(fd, bytes, len) && fstat(like, &st) == 0 &&
	       fchown(fd, st.st_uid, st.st_gid) == 0 &&
	       copy_attributes(like, fd) &&
	       fchmod(fd, st.st_mode & 07777) == 0 && fsync(fd) == 0;
}

bool
pam_write_replace(
    int dir, const char *name, int like, const char *bytes, size_t len)
{
	char new[128];
	int fd, saved;
	bool ok;

	(void)snprintf(new, sizeof new, "%.96s" NEW_SUFFIX, name);
	/* left over from a run that was killed; the folder is locked */
	if (unlinkat(dir, new, 0) != 0 && errno != ENOENT)
		return false;
	fd = openat(dir, new,
	    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd == -1)
		return false;
	ok = fill(fd, like, bytes, len);
	saved = errno;
	(void)close(fd);
	if (ok && renameat(dir, new, dir, name) == 0)
		return fsync(dir) == 0;
	if (ok)
		saved = errno;
	(void)unlinkat(dir, new, 0);
	errno = saved;
	return false;
}
