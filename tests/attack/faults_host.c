/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Time, waiting and accounts that fail: what login.h plays itself, and asks
 * faults_error() about.  Here are they for a test with the real ones.
 */
#include "config.h"

#include <sys/pidfd.h>

#include <errno.h>
#include <poll.h>
#include <pwd.h>
#include <time.h>

#include "faults_impl.h"

SYS(int, clock_gettime, (clockid_t id, struct timespec *ts), (id, ts),
    E(-1, EINVAL), E(-1, EPERM))
SYS(int, nanosleep, (const struct timespec *ts, struct timespec *left),
    (ts, left), E(-1, EINTR))

SYS(int, getpwnam_r,
    (const char *name, struct passwd *pwd, char *buf, size_t size,
	struct passwd **ret),
    (name, pwd, buf, size, ret), SAYS(EIO), SAYS(EMFILE), SAYS(ENOMEM),
    SAYS(ERANGE), SAYS(EINTR))

SYS(int, getpwuid_r,
    (uid_t uid, struct passwd *pwd, char *buf, size_t size,
	struct passwd **ret),
    (uid, pwd, buf, size, ret), SAYS(EIO), SAYS(EMFILE), SAYS(ENOMEM),
    SAYS(ERANGE), SAYS(EINTR))

SYS(int, poll, (struct pollfd * fds, nfds_t n, int ms), (fds, n, ms),
    E(-1, EINTR), E(-1, ENOMEM), E(-1, EINVAL))

SYS(int, pidfd_send_signal, (int fd, int sig, siginfo_t *info, unsigned flags),
    (fd, sig, info, flags), E(-1, ESRCH), E(-1, EPERM))
