/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "save.h"

#define READ_STEP 65536

/* --- writing ---------------------------------------------------------------
 */

bool
save_write(int fd, const char *text, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, text, len);

		if (n == -1 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		text += n;
		len -= (size_t)n;
	}
	return true;
}

/* May the file get this name?  A device must never be replaced by a file. */
static enum out_status
check_target(const char *path, bool replace)
{
	struct stat st;

	if (lstat(path, &st) != 0) {
		if (errno == ENOENT)
			return STATUS_YES;
		out_error("%s: %m", path);
		return STATUS_TROUBLE;
	}
	if (!replace) {
		out_error("%s: there already; --force replaces it", path);
		return STATUS_NO;
	}
	if (!S_ISREG(st.st_mode)) {
		out_error("%s: not a regular file", path);
		return STATUS_NO;
	}
	return STATUS_YES;
}

/* The name is taken only if it is free, also by a race. */
static bool
move_to_free_name(const char *from, const char *to)
{
	if (renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) == 0)
		return true;
	if (errno != EINVAL && errno != ENOSYS)
		return false;
	/* a file system that cannot: a second name, then without the first */
	return link(from, to) == 0 && unlink(from) == 0;
}

static bool
sync_folder_of(const char *path)
{
	char *folder = strdup(path), *slash;
	bool ok = false;
	int fd;

	if (folder == NULL)
		return false;
	if ((slash = strrchr(folder, '/')) != NULL)
		slash[slash == folder] = '\0';
	fd = open(
	    slash != NULL ? folder : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd != -1) {
		ok = fsync(fd) == 0;
		(void)close(fd);
	}
	free(folder);
	return ok;
}

/* Everything that can fail; the temporary file is the caller's to remove. */
static bool
write_and_name(int fd, const char *temp, const char *path, const char *text,
    size_t len, bool replace)
{
	if (!save_write(fd, text, len) || fsync(fd) != 0)
		return false;
	if (!(replace ? rename(temp, path) == 0
		      : move_to_free_name(temp, path)))
		return false;
	return sync_folder_of(path);
}

enum out_status
save_file(const char *path, const char *text, size_t len, bool replace)
{
	enum out_status status;
	char *temp = NULL;
	int fd;

	if (strcmp(path, "-") == 0) {
		if (fwrite(text, 1, len, stdout) == len)
			return STATUS_YES;
		out_error("standard output: %m");
		return STATUS_TROUBLE;
	}
	if ((status = check_target(path, replace)) != STATUS_YES)
		return status;
	if (asprintf(&temp, "%s.XXXXXX", path) == -1)
		return STATUS_TROUBLE;
	status = STATUS_TROUBLE;
	if ((fd = mkostemp(temp, O_CLOEXEC)) == -1) {
		out_error("%s: %m", path);
	} else if (write_and_name(fd, temp, path, text, len, replace)) {
		status = STATUS_YES;
	} else {
		status = errno == EEXIST ? STATUS_NO : STATUS_TROUBLE;
		out_error("%s: %m", path);
		(void)unlink(temp);
	}
	if (fd != -1)
		(void)close(fd);
	free(temp);
	return status;
}

/* --- reading ---------------------------------------------------------------
 */

/* Only root's or the caller's word?  A message if not. */
static bool
is_safe(int fd, const char *path)
{
	struct stat st;

	if (fstat(fd, &st) != 0)
		out_error("%s: %m", path);
	else if (!S_ISREG(st.st_mode))
		out_error("%s: not a regular file", path);
	else if ((st.st_uid != 0 && st.st_uid != geteuid()) ||
		 (st.st_mode & 022) != 0)
		out_error("%s: others can write to it, so it could say "
			  "anything",
		    path);
	else
		return true;
	return false;
}

enum out_status
save_open(const char *path, int *ret_fd)
{
	/* not blocked by a pipe that somebody put there */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	if (fd == -1) {
		if (errno == ENOENT)
			return STATUS_NO;
		out_error("%s: %m", path);
		return STATUS_TROUBLE;
	}
	if (!is_safe(fd, path)) {
		(void)close(fd);
		return STATUS_TROUBLE;
	}
	*ret_fd = fd;
	return STATUS_YES;
}

static enum out_status
read_all(int fd, const char *path, size_t max, char **ret_text, size_t *ret_len)
{
	char *text = NULL, *more;
	size_t len = 0, size = 0;
	ssize_t n;

	do {
		if (size - len < READ_STEP) {
			size += size / 2 + 2 * READ_STEP;
			if ((more = realloc(text, size)) == NULL)
				goto fail;
			text = more;
		}
		do
			n = read(fd, text + len, READ_STEP);
		while (n == -1 && errno == EINTR);
		if (n == -1)
			goto fail;
		len += (size_t)n;
		if (len > max) {
			errno = EFBIG;
			goto fail;
		}
	} while (n > 0);
	*ret_text = text;
	*ret_len = len;
	return STATUS_YES;
fail:
	out_error("%s: %m", path);
	free(text);
	return STATUS_TROUBLE;
}

enum out_status
save_load(const char *path, size_t max, char **ret_text, size_t *ret_len)
{
	enum out_status status;
	int fd = -1;

	if (strcmp(path, "-") == 0)
		return read_all(
		    STDIN_FILENO, "standard input", max, ret_text, ret_len);
	status = save_open(path, &fd);
	if (status == STATUS_NO)
		out_error("%s: there is no such file", path);
	if (status != STATUS_YES)
		return status;
	status = read_all(fd, path, max, ret_text, ret_len);
	(void)close(fd);
	return status;
}
