/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The courier inside of courier-drive, so that a coverage build can count its
 * lines: started by fork(2) alone, and with a sandbox of which the kernel hears
 * nothing, for it would not let a process write down what it ran.  Everything
 * else is the courier's.
 */
#include "config.h"

#include <err.h>
#include <seccomp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/pidfd.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "spawn.h"

#define NOBODY 65534

static int courier_main(void);
#define main courier_main
#include "lib/courier/main.c" /* NOLINT(bugprone-suspicious-include) */
#undef main

enum csign_err __wrap_csign_spawn(
    const struct csign_spawn *spawn, struct csign_why *why, int *ret_pidfd);
uid_t __wrap_geteuid(void);
uid_t __wrap_getuid(void);
int __wrap_prctl(int option, ...);
int __wrap_seccomp_load(const scmp_filter_ctx ctx);
int __wrap_setrlimit(int resource, const struct rlimit *limit);
long __real_syscall(long number, ...);
long __wrap_syscall(long number, ...);

uid_t
__wrap_geteuid(void)
{
	return NOBODY;
}

uid_t
__wrap_getuid(void)
{
	return NOBODY;
}

int
__wrap_prctl(int option, ...)
{
	(void)option;
	return 0;
}

int
__wrap_seccomp_load(const scmp_filter_ctx ctx)
{
	(void)ctx;
	return 0;
}

int
__wrap_setrlimit(int resource, const struct rlimit *limit)
{
	(void)resource;
	(void)limit;
	return 0;
}

long
__wrap_syscall(long number, ...)
{
	long a, b, c, d;
	va_list ap;

	if (number == SYS_landlock_restrict_self || number == SYS_capset)
		return 0;
	va_start(ap, number);
	a = va_arg(ap, long);
	b = va_arg(ap, long);
	c = va_arg(ap, long);
	d = va_arg(ap, long);
	va_end(ap);
	return __real_syscall(number, a, b, c, d);
}

enum csign_err
__wrap_csign_spawn(
    const struct csign_spawn *spawn, struct csign_why *why, int *ret_pidfd)
{
	pid_t pid;

	(void)why;
	if ((pid = fork()) < 0)
		err(2, "fork");
	if (pid == 0) {
		if (dup2(spawn->socket, CSIGN_CHANNEL_FD) < 0 ||
		    close_range(CSIGN_CHANNEL_FD + 1, ~0U, 0) != 0 ||
		    clearenv() != 0)
			_exit(2);
		(void)alarm(spawn->alarm_s);
		exit(courier_main());
	}
	if ((*ret_pidfd = pidfd_open(pid, 0)) < 0)
		err(2, "pidfd_open");
	return CSIGN_OK;
}
