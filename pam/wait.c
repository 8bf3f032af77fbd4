/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "wait.h"

/* The library ends a wait by itself; this is for the day it does not. */
#define GRACE_MS 2000
/* The end need not make the descriptor readable. */
#define LATE_MS 100

enum { FD_PHONE, FD_STOP, FD_LEAVE, N_FDS };

/* Milliseconds on a clock that counts while the host sleeps; 0 on failure. */
static int64_t
now_ms(void)
{
	struct timespec ts;

	if (clock_gettime(CLOCK_BOOTTIME, &ts) != 0)
		return 0;
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

bool
csign_wait_can_be_left(void)
{
	sigset_t blocked;

	return pthread_sigmask(SIG_SETMASK, NULL, &blocked) == 0 &&
	       sigismember(&blocked, SIGQUIT) == 1;
}

/*
 * Readable while one of the signals that stop a program is blocked and
 * pending.  It is never read: the program shall find the signal as if we had
 * not looked.
 */
static int
open_stop(bool quit_too)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	if (quit_too)
		sigaddset(&set, SIGQUIT);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* Of its own, so that reading it takes SIGQUIT and nothing else. */
static int
open_leave(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGQUIT);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* Takes the signal away from the program; false if there is none. */
static bool
take_leave(int fd)
{
	struct signalfd_siginfo info;

	return read(fd, &info, sizeof(info)) == (ssize_t)sizeof(info);
}

static enum csign_err
wait_once(const struct csign_wait *wait, struct pollfd *fds, int64_t end)
{
	int64_t now = now_ms();
	int64_t left = end - now;

	if (now <= 0)
		return CSIGN_E_CLOCK;
	if (left + GRACE_MS <= 0)
		return CSIGN_E_EXPIRED;
	if (poll(fds, N_FDS, (int)(left > 0 ? left : 0) + LATE_MS) < 0) {
		if (errno != EINTR)
			return CSIGN_E_SYSTEM;
		for (int i = 0; i < N_FDS; i++)
			fds[i].revents = 0;
	}
	if (fds[FD_STOP].revents != 0 || fds[FD_LEAVE].revents != 0)
		return CSIGN_E_INTERRUPTED;
	return wait->look(wait->arg);
}

enum csign_err
csign_wait(const struct csign_wait *wait, bool *ret_left)
{
	bool leave = wait->may_be_left && csign_wait_can_be_left();
	struct pollfd fds[N_FDS] = {
	    [FD_PHONE] = {.fd = wait->fd, .events = POLLIN},
	    [FD_STOP] = {.fd = open_stop(!leave), .events = POLLIN},
	    [FD_LEAVE] = {.fd = leave ? open_leave() : -1, .events = POLLIN},
	};
	int64_t now = now_ms();
	enum csign_err r = CSIGN_E_SYSTEM;

	if (fds[FD_STOP].fd < 0 || (leave && fds[FD_LEAVE].fd < 0))
		goto out;
	if (now <= 0)
		r = CSIGN_E_CLOCK;
	else
		do
			r = wait_once(
			    wait, fds, now + 1000 * (int64_t)wait->seconds);
		while (r == CSIGN_E_AGAIN);
	if (r == CSIGN_E_INTERRUPTED && fds[FD_STOP].revents == 0)
		*ret_left = take_leave(fds[FD_LEAVE].fd);
out:
	if (fds[FD_STOP].fd >= 0)
		close(fds[FD_STOP].fd);
	if (fds[FD_LEAVE].fd >= 0)
		close(fds[FD_LEAVE].fd);
	return r;
}
