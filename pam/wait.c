/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "wait.h"

/* The library ends an approval by itself; this is for the day it does not. */
#define GRACE_SECONDS 2

/* Milliseconds on a clock that counts while the host sleeps; 0 on failure. */
static int64_t
now_ms(void)
{
	struct timespec ts;

	if (clock_gettime(CLOCK_BOOTTIME, &ts) != 0)
		return 0;
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/*
 * Readable while one of these signals is blocked and pending.  It is never
 * read: the program shall find the signal as if we had not looked.
 */
static int
open_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGQUIT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static enum csign_err
wait_once(
    struct csign_approval *ap, int signals, int64_t end, uint32_t *ret_verdict)
{
	struct pollfd fds[2] = {
	    {.fd = csign_approval_fd(ap), .events = POLLIN},
	    {.fd = signals, .events = POLLIN},
	};
	int left_ms = (int)csign_approval_seconds_left(ap) * 1000;
	int64_t now = now_ms();

	if (now <= 0)
		return CSIGN_E_CLOCK;
	if (now >= end)
		return CSIGN_E_EXPIRED;
	/* The approval's end need not make its descriptor readable. */
	if (poll(fds, 2, left_ms + 100) < 0) {
		if (errno != EINTR)
			return CSIGN_E_SYSTEM;
		fds[0].revents = fds[1].revents = 0;
	}
	if (fds[1].revents != 0)
		return CSIGN_E_INTERRUPTED;
	return csign_approval_wait(ap, 0, ret_verdict);
}

enum csign_err
csign_wait(struct csign_approval *ap, uint32_t *ret_verdict)
{
	int64_t now = now_ms();
	int64_t end = now + 1000 * ((int64_t)csign_approval_seconds_left(ap) +
				       GRACE_SECONDS);
	int signals = open_signals();
	enum csign_err r;

	if (signals < 0)
		return CSIGN_E_SYSTEM;
	if (now <= 0)
		r = CSIGN_E_CLOCK;
	else
		do
			r = wait_once(ap, signals, end, ret_verdict);
		while (r == CSIGN_E_AGAIN);
	close(signals);
	return r;
}
