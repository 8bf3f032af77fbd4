/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "process.h"

/* The write end of the stop pipe: all that the signal handler touches. */
static volatile sig_atomic_t stop_write_fd = -1;

/* A descriptor 0, 1 or 2 that is closed would be taken by the next file. */
static bool
std_fds_open(void)
{
	int fd;

	do {
		if ((fd = open("/dev/null", O_RDWR | O_CLOEXEC)) == -1)
			return false;
	} while (fd <= STDERR_FILENO);
	return close(fd) == 0;
}

bool
process_harden(const char *program)
{
	const struct rlimit none = {0, 0};

	if (!std_fds_open())
		return false;
	if (getauxval(AT_SECURE) != 0) {
		(void)fprintf(stderr,
		    "%s: refusing to run with raised privileges\n", program);
		return false;
	}
	(void)umask(077);
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0 ||
	    setrlimit(RLIMIT_CORE, &none) != 0 ||
	    signal(SIGPIPE, SIG_IGN) == SIG_ERR) {
		(void)fprintf(stderr,
		    "%s: cannot keep secrets out of core dumps\n", program);
		return false;
	}
	return true;
}

static void
on_stop(int signo)
{
	int saved = errno;

	(void)signo;
	(void)!write(stop_write_fd, "", 1);
	errno = saved;
}

bool
process_stop_fd(int *ret_fd)
{
	const int signals[] = {SIGINT, SIGTERM, SIGHUP};
	struct sigaction action = {.sa_handler = on_stop};
	int fds[2];

	if (pipe2(fds, O_CLOEXEC | O_NONBLOCK) != 0)
		return false;
	stop_write_fd = fds[1];
	(void)sigemptyset(&action.sa_mask);
	for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++)
		if (sigaction(signals[i], &action, NULL) != 0)
			return false;
	*ret_fd = fds[0];
	return true;
}

enum process_wait
process_wait(int fd, int stop_fd, int timeout_ms)
{
	struct pollfd fds[2] = {
	    {.fd = stop_fd, .events = POLLIN}, {.fd = fd, .events = POLLIN}};
	int n;

	n = poll(fds, 2, timeout_ms);
	if (fds[0].revents != 0)
		return WAIT_STOPPED;
	if (n == -1 && errno == EINTR)
		return process_wait(-1, stop_fd, 0);
	return n > 0 ? WAIT_READABLE : WAIT_TIMEOUT;
}
