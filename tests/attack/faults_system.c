/* SPDX-License-Identifier: BSD-2-Clause */
/* Files, time, random, accounts, processes and sockets that fail. */
#include "config.h"

#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "faults_impl.h"

/* mappings of secrets */
SYS(void *, mmap,
    (void *at, size_t len, int prot, int flags, int fd, off_t offset),
    (at, len, prot, flags, fd, offset), E(-1, ENOMEM), E(-1, EAGAIN))
SYS(int, mlock, (const void *at, size_t len), (at, len), E(-1, ENOMEM),
    E(-1, EPERM))
SYS(int, madvise, (void *at, size_t len, int advice), (at, len, advice),
    E(-1, EINVAL))

/* random and time */

ssize_t __real_getrandom(void *bytes, size_t len, unsigned flags);
ssize_t __wrap_getrandom(void *bytes, size_t len, unsigned flags);

ssize_t
__wrap_getrandom(void *bytes, size_t len, unsigned flags)
{
	static const struct way ways[] = {E(-1, ENOSYS), E(-1, EAGAIN),
	    E(-1, EINTR), {1, 0, "one byte"}, SAYS(0)};
	const struct way *way =
	    faults_way("getrandom", FAULTS_SYSTEM, ways, N_WAYS(ways));

	if (way == NULL)
		return __real_getrandom(bytes, len, flags);
	if (way->result == 1)
		return __real_getrandom(bytes, 1, flags);
	if (way->error != 0)
		errno = way->error;
	return way->result;
}

/* files */

#define OPEN_WAYS                                                              \
	E(-1, ENOENT), E(-1, EACCES), E(-1, EMFILE), E(-1, ENFILE),            \
	    E(-1, EIO), E(-1, ENOSPC), E(-1, EROFS), E(-1, ELOOP),             \
	    E(-1, ENOMEM)

int __real_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...);
int __real_openat(int dir, const char *path, int flags, ...);
int __wrap_openat(int dir, const char *path, int flags, ...);

int
__wrap_open(const char *path, int flags, ...)
{
	static const struct way ways[] = {OPEN_WAYS};
	const struct way *way =
	    faults_way("open", FAULTS_SYSTEM, ways, N_WAYS(ways));
	mode_t mode;
	va_list ap;

	if (way != NULL) {
		errno = way->error;
		return -1;
	}
	va_start(ap, flags);
	mode = va_arg(ap, mode_t);
	va_end(ap);
	return __real_open(path, flags, mode);
}

int
__wrap_openat(int dir, const char *path, int flags, ...)
{
	static const struct way ways[] = {OPEN_WAYS};
	const struct way *way =
	    faults_way("openat", FAULTS_SYSTEM, ways, N_WAYS(ways));
	mode_t mode;
	va_list ap;

	if (way != NULL) {
		errno = way->error;
		return -1;
	}
	va_start(ap, flags);
	mode = va_arg(ap, mode_t);
	va_end(ap);
	return __real_openat(dir, path, flags, mode);
}

/* What read(2) gives when it does not give all: fewer bytes, or none. */
#define READ_WAYS                                                              \
	E(-1, EIO), E(-1, EINTR), E(-1, EISDIR), {1, 0, "one byte"},           \
	{                                                                      \
		0, 0, "the end"                                                \
	}

#define READ(name, params, args, short_args)                                   \
	ssize_t __real_##name params;                                          \
	ssize_t __wrap_##name params;                                          \
	ssize_t __wrap_##name params                                           \
	{                                                                      \
		static const struct way ways[] = {READ_WAYS};                  \
		const struct way *way =                                        \
		    faults_way(#name, FAULTS_SYSTEM, ways, N_WAYS(ways));      \
                                                                               \
		if (way == NULL)                                               \
			return __real_##name args;                             \
		if (way->result == 1)                                          \
			return __real_##name short_args;                       \
		if (way->error != 0)                                           \
			errno = way->error;                                    \
		return way->result;                                            \
	}

READ(read, (int fd, void *bytes, size_t len), (fd, bytes, len),
    (fd, bytes, len > 0))
READ(pread, (int fd, void *bytes, size_t len, off_t at), (fd, bytes, len, at),
    (fd, bytes, len > 0, at))

ssize_t __real_write(int fd, const void *bytes, size_t len);
ssize_t __wrap_write(int fd, const void *bytes, size_t len);

ssize_t
__wrap_write(int fd, const void *bytes, size_t len)
{
	static const struct way ways[] = {E(-1, ENOSPC), E(-1, EIO),
	    E(-1, EINTR), E(-1, EDQUOT), {1, 0, "one byte"}, {2, 0, "the half"},
	    {0, 0, "nothing"}};
	const struct way *way =
	    faults_way("write", FAULTS_SYSTEM, ways, N_WAYS(ways));

	if (way == NULL)
		return __real_write(fd, bytes, len);
	if (way->result > 0)
		return __real_write(fd, bytes, way->result == 1 ? 1 : len / 2);
	if (way->error != 0)
		errno = way->error;
	return way->result;
}

/* It is closed all the same. */
int __real_close(int fd);
int __wrap_close(int fd);

int
__wrap_close(int fd)
{
	static const struct way ways[] = {
	    E(-1, EIO), E(-1, EINTR), E(-1, ENOSPC)};
	const struct way *way =
	    faults_way("close", FAULTS_SYSTEM, ways, N_WAYS(ways));
	int r = __real_close(fd);

	if (way == NULL)
		return r;
	errno = way->error;
	return -1;
}

SYS(int, fstat, (int fd, struct stat *st), (fd, st), E(-1, EIO),
    E(-1, EOVERFLOW))
SYS(int, fstatat, (int dir, const char *name, struct stat *st, int flags),
    (dir, name, st, flags), E(-1, EIO), E(-1, ENOENT))
SYS(int, fchmod, (int fd, mode_t mode), (fd, mode), E(-1, EPERM), E(-1, EROFS))
SYS(int, fchmodat, (int dir, const char *name, mode_t mode, int flags),
    (dir, name, mode, flags), E(-1, EPERM), E(-1, EROFS))
SYS(int, fsync, (int fd), (fd), E(-1, EIO), E(-1, ENOSPC), E(-1, EROFS),
    E(-1, EINTR))
SYS(int, fdatasync, (int fd), (fd), E(-1, EIO), E(-1, ENOSPC), E(-1, EROFS),
    E(-1, EINTR))
SYS(int, flock, (int fd, int how), (fd, how), E(-1, EWOULDBLOCK), E(-1, EINTR),
    E(-1, ENOLCK))
SYS(int, renameat2,
    (int from_dir, const char *from, int to_dir, const char *to, unsigned how),
    (from_dir, from, to_dir, to, how), E(-1, EIO), E(-1, ENOSPC), E(-1, EROFS),
    E(-1, EACCES))
SYS(int, unlinkat, (int dir, const char *name, int flags), (dir, name, flags),
    E(-1, EIO), E(-1, EROFS))
SYS(int, mkdirat, (int dir, const char *name, mode_t mode), (dir, name, mode),
    E(-1, ENOSPC), E(-1, EROFS))
SYS(int, faccessat, (int dir, const char *name, int mode, int flags),
    (dir, name, mode, flags), E(-1, EACCES), E(-1, EIO))
SYS(DIR *, fdopendir, (int fd), (fd), E(0, ENOMEM), E(0, EMFILE))
SYS(struct dirent *, readdir, (DIR * dir), (dir), E(0, EIO), E(0, EBADF))
SYS(char *, getcwd, (char *buf, size_t size), (buf, size), E(0, ENOENT),
    E(0, ERANGE))

/* accounts: these give an error number as their result */
SYS(int, getgrnam_r,
    (const char *name, struct group *grp, char *buf, size_t size,
	struct group **ret),
    (name, grp, buf, size, ret), SAYS(EIO), SAYS(ENOMEM), SAYS(ERANGE))
SYS(int, getgrouplist, (const char *user, gid_t group, gid_t *groups, int *n),
    (user, group, groups, n), SAYS(-1))
SYS(int, uname, (struct utsname * name), (name), E(-1, EFAULT))

/* processes, sockets, waiting */

SYS(int, socketpair, (int domain, int type, int protocol, int pair[2]),
    (domain, type, protocol, pair), E(-1, EMFILE), E(-1, ENFILE),
    E(-1, ENOBUFS))
SYS(ssize_t, send, (int fd, const void *bytes, size_t len, int flags),
    (fd, bytes, len, flags), E(-1, EPIPE), E(-1, EAGAIN), E(-1, EINTR),
    E(-1, ENOBUFS), E(-1, EMSGSIZE))
SYS(int, socket, (int domain, int type, int protocol), (domain, type, protocol),
    E(-1, EMFILE), E(-1, ENOBUFS), E(-1, EACCES))
SYS(int, setsockopt,
    (int fd, int level, int name, const void *value, socklen_t len),
    (fd, level, name, value, len), E(-1, ENOMEM), E(-1, EINVAL))
SYS(ssize_t, sendmsg, (int fd, const struct msghdr *msg, int flags),
    (fd, msg, flags), E(-1, EPIPE), E(-1, ECONNREFUSED), E(-1, EINTR),
    E(-1, EAGAIN), E(-1, ENOBUFS), E(-1, EMSGSIZE), E(-1, ETOOMANYREFS))
SYS(ssize_t, recv, (int fd, void *bytes, size_t len, int flags),
    (fd, bytes, len, flags), E(-1, ECONNRESET), E(-1, EINTR), E(-1, EAGAIN),
    E(-1, ENOMEM), {0, 0, "the end"})
SYS(ssize_t, recvmsg, (int fd, struct msghdr *msg, int flags), (fd, msg, flags),
    E(-1, ECONNRESET), E(-1, EINTR), E(-1, EAGAIN), E(-1, ENOMEM),
    {0, 0, "the end"})
SYS(int, signalfd, (int fd, const sigset_t *set, int flags), (fd, set, flags),
    E(-1, EMFILE), E(-1, ENODEV))
SYS(int, kill, (pid_t pid, int sig), (pid, sig), E(-1, ESRCH), E(-1, EPERM))
SYS(pid_t, waitpid, (pid_t pid, int *status, int how), (pid, status, how),
    E(-1, EINTR))
SYS(pid_t, setsid, (void), (), E(-1, EPERM))
SYS(int, chdir, (const char *path), (path), E(-1, EACCES))
SYS(int, dup2, (int from, int to), (from, to), E(-1, EBADF), E(-1, EMFILE))
SYS(int, dup3, (int from, int to, int flags), (from, to, flags), E(-1, EBADF),
    E(-1, EMFILE))
SYS(int, close_range, (unsigned first, unsigned last, int flags),
    (first, last, flags), E(-1, EMFILE), E(-1, ENOSYS))
SYS(int, execveat,
    (int dir, const char *path, char *const argv[], char *const envp[],
	int flags),
    (dir, path, argv, envp, flags), E(-1, ENOEXEC), E(-1, EACCES),
    E(-1, ETXTBSY), E(-1, ENOMEM))
SYS(int, getresuid, (uid_t * r, uid_t *e, uid_t *s), (r, e, s), E(-1, EFAULT))
SYS(int, getresgid, (gid_t * r, gid_t *e, gid_t *s), (r, e, s), E(-1, EFAULT))
SYS(int, getgroups, (int n, gid_t list[]), (n, list), E(-1, EINVAL), SAYS(1))
SYS(int, getrlimit, (__rlimit_resource_t which, struct rlimit *limit),
    (which, limit), E(-1, EINVAL))
SYS(int, setrlimit, (__rlimit_resource_t which, const struct rlimit *limit),
    (which, limit), E(-1, EPERM))
SYS(int, pthread_sigmask, (int how, const sigset_t *set, sigset_t *old),
    (how, set, old), SAYS(EINVAL))

int __real_fcntl(int fd, int what, ...);
int __wrap_fcntl(int fd, int what, ...);
int __real_ioctl(int fd, unsigned long what, ...);
int __wrap_ioctl(int fd, unsigned long what, ...);
int __real_prctl(int what, ...);
int __wrap_prctl(int what, ...);
long __real_syscall(long number, ...);
long __wrap_syscall(long number, ...);

int
__wrap_fcntl(int fd, int what, ...)
{
	static const struct way ways[] = {E(-1, EMFILE), E(-1, EBADF)};
	const struct way *way =
	    faults_way("fcntl", FAULTS_SYSTEM, ways, N_WAYS(ways));
	va_list ap;
	long arg;

	if (way != NULL) {
		errno = way->error;
		return -1;
	}
	va_start(ap, what);
	arg = va_arg(ap, long);
	va_end(ap);
	return __real_fcntl(fd, what, arg);
}

int
__wrap_ioctl(int fd, unsigned long what, ...)
{
	static const struct way ways[] = {E(-1, ENOTTY), E(-1, EIO)};
	const struct way *way =
	    faults_way("ioctl", FAULTS_SYSTEM, ways, N_WAYS(ways));
	va_list ap;
	void *arg;

	if (way != NULL) {
		errno = way->error;
		return -1;
	}
	va_start(ap, what);
	arg = va_arg(ap, void *);
	va_end(ap);
	return __real_ioctl(fd, what, arg);
}

int
__wrap_prctl(int what, ...)
{
	static const struct way ways[] = {E(-1, EPERM), E(-1, EINVAL)};
	const struct way *way =
	    faults_way("prctl", FAULTS_SYSTEM, ways, N_WAYS(ways));
	unsigned long arg[4];
	va_list ap;

	if (way != NULL) {
		errno = way->error;
		return -1;
	}
	va_start(ap, what);
	for (int i = 0; i < 4; i++)
		arg[i] = va_arg(ap, unsigned long);
	va_end(ap);
	return __real_prctl(what, arg[0], arg[1], arg[2], arg[3]);
}

/* clone(2), setresuid(2) and their kin, made directly */
long
__wrap_syscall(long number, ...)
{
	static const struct way ways[] = {
	    E(-1, EAGAIN), E(-1, ENOMEM), E(-1, EPERM)};
	const struct way *way =
	    faults_way("syscall", FAULTS_SYSTEM, ways, N_WAYS(ways));
	long arg[6];
	va_list ap;

	if (way != NULL) {
		errno = way->error;
		return -1;
	}
	va_start(ap, number);
	for (int i = 0; i < 6; i++)
		arg[i] = va_arg(ap, long);
	va_end(ap);
	return __real_syscall(
	    number, arg[0], arg[1], arg[2], arg[3], arg[4], arg[5]);
}
