/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Real starts of a real courier in which a call fails, in this process or in
 * one of the two that come between (countersign-security(7) SYS-6, SYS-7): a
 * plain error within two seconds, and no process, descriptor or block is left.
 * Nobody is asked, so there is no grant to be counted.  A crash of this process
 * ends the test without figures; those of the others are seen when they are
 * waited for, and are crashes if the library has not done that itself.
 */
#include "config.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "faults.h"
#include "figures.h"
#include "leash.h"

/* More calls than the processes in between can make. */
#define THEIR_CALLS 160
#define THEIR_WAYS 2 /* of a call that fails where it is not seen */
#define TIME_MS 2500
#define LIFE_MS 5000
#define FDS 64

static char folder[] = "/run/csign-starts.XXXXXX", program[64];
static struct figures figures;
static unsigned long refused;

static double
now_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static int
count_fds(void)
{
	struct pollfd fds[FDS];
	int n = 0;

	for (int i = 0; i < FDS; i++)
		fds[i] = (struct pollfd){.fd = i};
	(void)poll(fds, FDS, 0);
	for (int i = 0; i < FDS; i++)
		n += (fds[i].revents & POLLNVAL) == 0;
	return n;
}

/* A signal that nobody sends; what is no longer needed is killed. */
static bool
is_crash(int status)
{
	return WIFSIGNALED(status) && WTERMSIG(status) != SIGKILL &&
	       WTERMSIG(status) != SIGTERM;
}

/* All that was started ends by itself: the orphans are ours, too. */
static bool
all_gone(void)
{
	const double deadline = now_ms() + LIFE_MS + 5000;
	const struct timespec pause = {0, 1000000};
	int status = 0;
	pid_t pid;

	while (now_ms() < deadline) {
		pid = waitpid(-1, &status, WNOHANG | __WALL);
		if (pid < 0 && errno == ECHILD)
			return true;
		if (pid == 0)
			(void)nanosleep(&pause, NULL);
		else if (pid > 0 && is_crash(status))
			figures.crashes++;
	}
	return false;
}

static enum csign_err
start(void)
{
	const struct csign_job job = {
	    .op = CSIGN_OP_APPROVE, .subject = "created"};
	struct csign_leash *leash = NULL;
	struct csign_why why = {""};
	struct csign_frame frame;
	enum csign_err r;

	r = csign_leash_start(program, "nobody", LIFE_MS, &job, &why, &leash);
	if (r == CSIGN_OK)
		r = csign_leash_next(leash, 2000, &why, &frame);
	if (r == CSIGN_OK && frame.type != CSIGN_FRAME_CREATED)
		r = CSIGN_E_INTERNAL;
	csign_leash_free(&leash);
	return r;
}

static void
complain(unsigned long *count, unsigned long at, const char *what)
{
	(*count)++;
	printf("# call %lu (%s: %s): %s\n", at,
	    faults.function == NULL ? "elsewhere" : faults.function,
	    faults.how == NULL ? "?" : faults.how, what);
}

/* What becomes D/INFO or D/BUF; and time that is over without a word. */
static bool
is_trouble(enum csign_err r)
{
	return r == CSIGN_E_COURIER || r == CSIGN_E_SYSTEM ||
	       r == CSIGN_E_NOMEM || r == CSIGN_E_CLOCK || r == CSIGN_E_FILE ||
	       r == CSIGN_E_CONFIG || r == CSIGN_E_AGAIN;
}

static void
one(unsigned long at, unsigned int way)
{
	const struct faults_plan plan = {
	    .mode = FAULTS_NTH, .at = at, .way = way};
	const int fds = count_fds();
	double began = now_ms();
	enum csign_err r;

	faults_begin(&plan);
	r = start();
	faults_end();
	figures.cases++;
	refused += r != CSIGN_OK;
	if (now_ms() - began > TIME_MS)
		complain(&figures.wrong, at, "it took too long");
	if (r != CSIGN_OK && !is_trouble(r))
		complain(&figures.wrong, at, csign_err_name(r));
	if (faults.live != 0)
		complain(&figures.leaks, at, "memory is left");
	if (!all_gone())
		complain(&figures.leaks, at, "a process is left");
	if (count_fds() != fds)
		complain(&figures.leaks, at, "descriptors are left");
}

static bool
set_up(void)
{
	const char *top = getenv("top_builddir");
	char command[512];

	if (geteuid() != 0 || top == NULL || mkdtemp(folder) == NULL ||
	    chmod(folder, 0755) != 0 ||
	    prctl(PR_SET_CHILD_SUBREAPER, 1L, 0L, 0L, 0L) != 0)
		return false;
	(void)snprintf(program, sizeof(program), "%s/courier", folder);
	(void)snprintf(command, sizeof(command),
	    "install -m 0755 '%s/tests/support/misbehaving-courier' '%s'", top,
	    program);
	return system(command) == 0; /* a test, and the names are ours */
}

int
main(void)
{
	const struct faults_plan count = {.mode = FAULTS_COUNT};
	unsigned long calls;
	unsigned int way;
	bool good;

	if (!set_up()) {
		puts("1..0 # SKIP only root starts a courier as another user");
		return getenv("CI") == NULL || *getenv("CI") == '\0' ? 0 : 1;
	}
	faults_begin(&count);
	if (start() != CSIGN_OK) {
		puts("Bail out! the courier cannot be started at all");
		return 1;
	}
	faults_end();
	calls = faults.calls;
	for (unsigned long at = 0; at < calls + THEIR_CALLS; at++) {
		way = 0;
		do
			one(at, way);
		while (++way < (faults.hits > 0 ? faults.ways : THEIR_WAYS));
	}
	/* Most calls are needed. */
	if (refused <= calls / 2)
		complain(&figures.wrong, calls, "too few were refused");
	if (start() != CSIGN_OK)
		complain(&figures.wrong, calls, "the next start fails");
	if (!all_gone())
		complain(&figures.leaks, calls, "a process is left");
	good = figures.crashes == 0 && figures.leaks == 0 && figures.wrong == 0;
	printf("%s 1 - each call of a start fails: %lu starts, %lu refused\n"
	       "1..1\n",
	    good ? "ok" : "not ok", figures.cases, refused);
	(void)unlink(program);
	(void)rmdir(folder);
	figures_write("starts", "real starts of a courier in which calls fail",
	    &figures, NULL);
	return good ? 0 : 1;
}
