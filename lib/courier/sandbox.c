/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <errno.h>
#include <linux/capability.h>
#include <malloc.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "sandbox_impl.h"

/* Of Linux 6.3: no memory becomes executable that could be written. */
#ifndef PR_SET_MDWE
#define PR_SET_MDWE 65
#define PR_MDWE_REFUSE_EXEC_GAIN 1
#endif

static int
drop_capabilities(void)
{
	struct __user_cap_header_struct header = {
	    .version = _LINUX_CAPABILITY_VERSION_3};
	const struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {
	    {0}};

	/* It has none, unless somebody else than the leash started it. */
	(void)prctl(PR_CAP_AMBIENT, (long)PR_CAP_AMBIENT_CLEAR_ALL, 0L, 0L, 0L);
	return syscall(SYS_capset, &header, none) == 0 ? 0 : -1;
}

static int
set_limits(void)
{
	const struct rlimit none = {0, 0};

	if (prctl(PR_SET_NO_NEW_PRIVS, 1L, 0L, 0L, 0L) != 0 ||
	    setrlimit(RLIMIT_CORE, &none) != 0 ||
	    setrlimit(RLIMIT_FSIZE, &none) != 0)
		return -1;
#ifndef CSIGN_SANITIZED
	/* The leak checker has to trace its own process. */
	if (prctl(PR_SET_DUMPABLE, 0L, 0L, 0L, 0L) != 0)
		return -1;
	(void)prctl(PR_SET_MDWE, (long)PR_MDWE_REFUSE_EXEC_GAIN, 0L, 0L, 0L);
#endif
	return 0;
}

/*
 * The leash's alarm is a signal, and whoever takes this process over could
 * ignore it.  SIGKILL a moment later is for them: once the filter is there,
 * nothing in here can touch a timer any more.
 */
static int
set_end(void)
{
	struct sigevent event = {
	    .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGKILL};
	struct itimerspec end = {{0, 0}, {0, 0}};
	struct itimerval alarm;
	timer_t timer;

	if (getitimer(ITIMER_REAL, &alarm) != 0)
		return -1;
	/* None is set where somebody else than the leash started it. */
	if (alarm.it_value.tv_sec == 0 && alarm.it_value.tv_usec == 0)
		return 0;
	end.it_value.tv_sec = alarm.it_value.tv_sec + 2;
	if (timer_create(CLOCK_MONOTONIC, &event, &timer) != 0)
		return -1;
	return timer_settime(timer, 0, &end, NULL);
}

enum csign_err
csign_sandbox_enter(struct csign_why *why)
{
	/* The network is no place for root. */
	if (geteuid() == 0 || getuid() == 0) {
		csign_why_set(why, "the courier does not run as root");
		return CSIGN_E_SYSTEM;
	}
	if (clearenv() != 0 || drop_capabilities() != 0 || set_limits() != 0 ||
	    set_end() != 0) {
		csign_why_errno(why, errno, "the courier's privileges");
		return CSIGN_E_SYSTEM;
	}
	/* Executed by descriptor, it would be called by a number. */
	(void)prctl(PR_SET_NAME, "courier", 0L, 0L, 0L);
	/* The resolver's thread needs no 64 MiB of its own. */
	(void)mallopt(M_ARENA_MAX, 1);
	if (csign_sandbox_reach() != 0) {
		csign_why_errno(why, errno, "the courier's Landlock rules");
		return CSIGN_E_SYSTEM;
	}
	if (csign_sandbox_calls() != 0) {
		csign_why_errno(why, errno, "the courier's seccomp filter");
		return CSIGN_E_SYSTEM;
	}
	return CSIGN_OK;
}

enum csign_err
csign_sandbox_narrow(
    const struct csign_sandbox_needs *needs, struct csign_why *why)
{
	if (csign_sandbox_reach_narrow(needs) != 0) {
		csign_why_errno(why, errno, "the courier's Landlock rules");
		return CSIGN_E_SYSTEM;
	}
	if (csign_sandbox_calls_narrow(needs) != 0) {
		csign_why_errno(why, errno, "the courier's seccomp filter");
		return CSIGN_E_SYSTEM;
	}
	return CSIGN_OK;
}
