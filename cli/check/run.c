/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../process.h"
#include "run.h"

#define OUTPUT_MAX 262144

static int
milliseconds_since(const struct timespec *began)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int)((now.tv_sec - began->tv_sec) * 1000 +
		     (now.tv_nsec - began->tv_nsec) / 1000000);
}

/* Until the end of what it prints; false: too much, or not in time. */
static bool
collect(int fd, char *text)
{
	struct timespec began;
	size_t len = 0;
	bool ended = false;

	(void)clock_gettime(CLOCK_MONOTONIC, &began);
	while (!ended && len < OUTPUT_MAX) {
		int left =
		    CHECK_RUN_SECONDS * 1000 - milliseconds_since(&began);
		ssize_t n;

		if (left <= 0 || process_wait(fd, -1, left) != WAIT_READABLE)
			break;
		n = read(fd, text + len, OUTPUT_MAX - len);
		if (n > 0)
			len += (size_t)n;
		else if (n == 0 || errno != EINTR)
			ended = true;
	}
	/* a NUL would hide what follows */
	for (size_t i = 0; i < len; i++)
		if (text[i] == '\0')
			text[i] = '?';
	text[len] = '\0';
	return ended;
}

/* In the child: the pipe as both outputs, nothing else from us. */
static void
become(int fd)
{
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);

	if (null == -1 || dup2(null, STDIN_FILENO) == -1 ||
	    dup2(fd, STDOUT_FILENO) == -1 || dup2(fd, STDERR_FILENO) == -1)
		_exit(127);
	(void)signal(SIGPIPE, SIG_DFL);
}

/* pid's output and end. */
static bool
finish(pid_t pid, int fd, char **ret_text)
{
	char *text = malloc(OUTPUT_MAX + 1);
	bool ended = false;
	int status = -1;

	if (text != NULL)
		ended = collect(fd, text);
	if (!ended)
		(void)kill(pid, SIGKILL);
	while (waitpid(pid, &status, 0) == -1 && errno == EINTR)
		continue;
	*ret_text = text;
	return ended && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* One of argv and function is there. */
static bool
run(const char *const argv[], void (*function)(int fd, const void *arg),
    const void *arg, char **ret_text)
{
	char *const empty[] = {NULL};
	bool ok = false;
	int fds[2];
	pid_t pid;

	*ret_text = NULL;
	if (pipe2(fds, O_CLOEXEC) != 0)
		return false;
	if ((pid = fork()) == 0) {
		become(fds[1]);
		if (function != NULL) {
			function(STDOUT_FILENO, arg);
			_exit(0);
		}
		/* execve(2) does not write to them */
		if (argv != NULL)
			(void)execve(
			    argv[0], (char *const *)(uintptr_t)argv, empty);
		_exit(127);
	}
	(void)close(fds[1]);
	if (pid > 0)
		ok = finish(pid, fds[0], ret_text);
	(void)close(fds[0]);
	return ok;
}

bool
check_run(const char *const argv[], char **ret_text)
{
	return run(argv, NULL, NULL, ret_text);
}

bool
check_run_function(
    void (*function)(int fd, const void *arg), const void *arg, char **ret_text)
{
	return run(NULL, function, arg, ret_text);
}
