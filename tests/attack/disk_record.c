/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Recording: each call by which the product changes files is made, and is a
 * step more.  Those that it does not make need no wrapper.
 */
#include "config.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "disk_impl.h"

static void *
copy_of(const void *bytes, size_t len)
{
	void *copy = malloc(len + 1);

	if (copy == NULL)
		disk_broken("memory");
	memcpy(copy, bytes, len);
	return copy;
}

/* The newest with this inode: numbers are used again. */
static size_t
node_of(int fd)
{
	struct stat st;

	if (!disk.on || fstat(fd, &st) != 0)
		return DISK_NO_NODE;
	for (size_t i = disk.n_nodes; i-- > 0;)
		if (disk.nodes[i].ino == st.st_ino)
			return i;
	return DISK_NO_NODE;
}

static struct disk_step *
add_step(enum disk_what what, size_t node)
{
	struct disk_step *step = &disk.steps[disk.n_steps++];

	if (disk.n_steps == DISK_STEPS)
		disk_broken("too many operations");
	*step = (struct disk_step){.what = what, .node = node};
	return step;
}

static bool
is_there(int dir, const char *name)
{
	struct stat st;

	return fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

static void
created(int dir, const char *name, int fd)
{
	size_t in = node_of(dir);
	struct disk_step *step;
	struct stat st;

	if (in == DISK_NO_NODE)
		return;
	if (fstat(fd, &st) != 0)
		disk_broken(name);
	step = add_step(CREATED, disk_add_node(&st));
	step->in = in;
	disk_set_name(step->name, name);
}

int __real_openat(int dir, const char *name, int flags, ...);
int __wrap_openat(int dir, const char *name, int flags, ...);
int __real_mkdirat(int dir, const char *name, mode_t mode);
int __wrap_mkdirat(int dir, const char *name, mode_t mode);
ssize_t __wrap_write(int fd, const void *bytes, size_t len);
int __wrap_fchmod(int fd, mode_t mode);
int __real_fchmodat(int dir, const char *name, mode_t mode, int flags);
int __wrap_fchmodat(int dir, const char *name, mode_t mode, int flags);
int __real_fsync(int fd);
int __wrap_fsync(int fd);
int __real_fdatasync(int fd);
int __wrap_fdatasync(int fd);
int __real_renameat2(
    int from_dir, const char *from, int to_dir, const char *to, unsigned flags);
int __wrap_renameat2(
    int from_dir, const char *from, int to_dir, const char *to, unsigned flags);
int __real_unlinkat(int dir, const char *name, int flags);
int __wrap_unlinkat(int dir, const char *name, int flags);

int
__wrap_openat(int dir, const char *name, int flags, ...)
{
	bool fresh = disk.on && (flags & O_CREAT) != 0 && !is_there(dir, name);
	mode_t mode = 0;
	va_list ap;
	int fd;

	if ((flags & O_CREAT) != 0) {
		va_start(ap, flags);
		mode = va_arg(ap, mode_t);
		va_end(ap);
	}
	fd = __real_openat(dir, name, flags, mode);
	if (fd >= 0 && fresh)
		created(dir, name, fd);
	return fd;
}

int
__wrap_mkdirat(int dir, const char *name, mode_t mode)
{
	int r = __real_mkdirat(dir, name, mode), fd;

	if (r != 0 || !disk.on)
		return r;
	fd = __real_openat(dir, name, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		disk_broken(name);
	created(dir, name, fd);
	(void)close(fd);
	return r;
}

/* The mode comes with the name: no less is lost by that. */
static void
set_mode(size_t node, mode_t mode)
{
	if (node != DISK_NO_NODE)
		disk.nodes[node].mode = mode;
}

int
__wrap_fchmod(int fd, mode_t mode)
{
	set_mode(node_of(fd), mode);
	return __real_fchmod(fd, mode);
}

int
__wrap_fchmodat(int dir, const char *name, mode_t mode, int flags)
{
	int fd = __real_openat(dir, name, O_RDONLY | O_CLOEXEC);

	if (fd >= 0) {
		set_mode(node_of(fd), mode);
		(void)close(fd);
	}
	return __real_fchmodat(dir, name, mode, flags);
}

ssize_t
__wrap_write(int fd, const void *bytes, size_t len)
{
	ssize_t n = __real_write(fd, bytes, len);
	size_t node = node_of(fd);
	struct disk_step *step;

	if (n <= 0 || node == DISK_NO_NODE)
		return n;
	step = add_step(WROTE, node);
	step->len = (size_t)n;
	step->at = (size_t)lseek(fd, 0, SEEK_CUR) - step->len;
	step->bytes = copy_of(bytes, step->len);
	return n;
}

static void
synced(int fd)
{
	size_t node = node_of(fd);

	if (node != DISK_NO_NODE)
		(void)add_step(SYNCED, node);
}

int
__wrap_fsync(int fd)
{
	int r = __real_fsync(fd);

	if (r == 0)
		synced(fd);
	return r;
}

int
__wrap_fdatasync(int fd)
{
	int r = __real_fdatasync(fd);

	if (r == 0)
		synced(fd);
	return r;
}

int
__wrap_renameat2(
    int from_dir, const char *from, int to_dir, const char *to, unsigned flags)
{
	int r = __real_renameat2(from_dir, from, to_dir, to, flags);
	size_t in = node_of(from_dir);
	struct disk_step *step;

	if (r != 0 || in == DISK_NO_NODE)
		return r;
	if (node_of(to_dir) != in)
		disk_broken("a file was moved to another folder");
	step = add_step(RENAMED, DISK_NO_NODE);
	step->in = in;
	disk_set_name(step->name, from);
	disk_set_name(step->to, to);
	return r;
}

int
__wrap_unlinkat(int dir, const char *name, int flags)
{
	int r = __real_unlinkat(dir, name, flags);
	size_t in = node_of(dir);
	struct disk_step *step;

	if (r != 0 || in == DISK_NO_NODE)
		return r;
	step = add_step(REMOVED, DISK_NO_NODE);
	step->in = in;
	disk_set_name(step->name, name);
	return r;
}
