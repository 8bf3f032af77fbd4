/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "out.h"
#include "root.h"

bool
root_option(const char *option, char **ret_root)
{
	const char *path = option != NULL ? option : "/";
	struct stat st;
	char *root = realpath(path, NULL);

	if (root == NULL || stat(root, &st) != 0) {
		out_error("--root: %s: %m", path);
	} else if (!S_ISDIR(st.st_mode)) {
		out_error("--root: %s is not a folder", root);
	} else {
		*ret_root = root;
		return true;
	}
	free(root);
	return false;
}

int
root_open(const char *root, const char *path, int flags)
{
	struct open_how how = {
	    .flags = (uint64_t)(unsigned int)flags | O_CLOEXEC | O_NOCTTY,
	    .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
	};
	int saved, dir, fd;

	dir = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (dir == -1)
		return -1;
	fd = (int)syscall(SYS_openat2, dir, path, &how, sizeof how);
	saved = errno;
	(void)close(dir);
	errno = saved;
	/* a kernel, or a sandbox, of before 5.6: good enough for this host */
	if (fd == -1 && errno == ENOSYS && strcmp(root, "/") == 0)
		return open(path, flags | O_CLOEXEC | O_NOCTTY);
	return fd;
}

ssize_t
root_fill(int fd, char *text, size_t size)
{
	size_t len = 0;

	while (len < size) {
		ssize_t n = read(fd, text + len, size - len);

		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return -1;
		if (n == 0)
			break;
		len += (size_t)n;
	}
	text[len] = '\0';
	return (ssize_t)len;
}

char *
root_read(const char *root, const char *path, size_t max, size_t *ret_len)
{
	struct stat st;
	char *text = NULL;
	ssize_t len = -1;
	int saved, fd;

	if ((fd = root_open(root, path, O_RDONLY | O_NONBLOCK)) == -1)
		return NULL;
	if (fstat(fd, &st) != 0)
		goto out;
	if (!S_ISREG(st.st_mode)) {
		errno = S_ISDIR(st.st_mode) ? EISDIR : EINVAL;
		goto out;
	}
	if (st.st_size < 0 || (uintmax_t)st.st_size > max) {
		errno = EFBIG;
		goto out;
	}
	if ((text = malloc((size_t)st.st_size + 1)) == NULL)
		goto out;
	len = root_fill(fd, text, (size_t)st.st_size);
out:
	saved = errno;
	(void)close(fd);
	errno = saved;
	if (len == -1) {
		free(text);
		return NULL;
	}
	if (ret_len != NULL)
		*ret_len = (size_t)len;
	return text;
}
