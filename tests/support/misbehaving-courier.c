/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Couriers that go wrong, for the tests of the leash.  The subject of the job
 * says which one to be.
 */
#include "config.h"

#include <dirent.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include "bounds.h"
#include "frame.h"

extern char **environ;

static void
send_bytes(const void *bytes, size_t len)
{
	(void)send(3, bytes, len, MSG_NOSIGNAL);
}

static void
send_trouble(const char *text)
{
	unsigned char packet[1024];
	const size_t len = strlen(text);

	memcpy(packet, "csf1\x15\x0a", 6);
	packet[6] = (unsigned char)(len >> 8);
	packet[7] = (unsigned char)(len & 0xff);
	memcpy(packet + 8, text, len);
	send_bytes(packet, len + 8);
}

static void
send_large(void)
{
	static unsigned char big[100000];

	memcpy(big, "csf1\x12\x20\x00", 7);
	send_bytes(big, sizeof(big));
}

static void
send_random(void)
{
	unsigned char bytes[300];
	FILE *in = fopen("/dev/urandom", "re");

	if (in == NULL || fread(bytes, sizeof(bytes), 1, in) != 1)
		abort();
	send_bytes(bytes, sizeof(bytes));
}

static void
wait_for_end(void)
{
	char byte;

	while (recv(3, &byte, 1, 0) > 0)
		continue;
}

static _Noreturn void
never_end(void)
{
	for (;;)
		(void)pause();
}

/* --- what it was given --- */

static char facts[CSIGN_WHY_SIZE];

static void __attribute__((format(printf, 1, 2))) fact(const char *fmt, ...)
{
	const size_t at = strlen(facts);
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(facts + at, sizeof(facts) - at, fmt, ap);
	va_end(ap);
}

static void
fact_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	struct dirent *entry;
	struct stat st;
	int highest = 0;

	while (dir != NULL && (entry = readdir(dir)) != NULL) {
		const int fd = (int)strtol(entry->d_name, NULL, 10);

		if (fd > highest && fd != dirfd(dir))
			highest = fd;
	}
	fact("fds=%d", highest);
	for (int fd = 0; fd < 3; fd++)
		fact(" %s", fstat(fd, &st) == 0 && S_ISCHR(st.st_mode)
				? "null"
				: "other");
}

static void
fact_signals(void)
{
	struct sigaction action;
	sigset_t mask;
	int odd = 0, blocked = 0;

	(void)sigprocmask(SIG_SETMASK, NULL, &mask);
	for (int sig = 1; sig < NSIG; sig++) {
		if (sigaction(sig, NULL, &action) == 0 &&
		    action.sa_handler != SIG_DFL)
			odd++;
		blocked += sigismember(&mask, sig) == 1;
	}
	fact(" signals=%d,%d", odd, blocked);
}

static void
fact_limit(const char *name, __rlimit_resource_t resource)
{
	struct rlimit limit = {0, 0};

	(void)getrlimit(resource, &limit);
	fact(" %s=%ld,%ld", name, (long)limit.rlim_cur, (long)limit.rlim_max);
}

static void
tell_facts(char **argv)
{
	struct itimerval timer;
	char dir[256] = "";
	const mode_t mask = umask(0);
	uid_t ruid, euid, suid;
	int vars = 0, args = 0;

	while (environ[vars] != NULL)
		vars++;
	while (argv[args] != NULL)
		args++;
	(void)getitimer(ITIMER_REAL, &timer);
	(void)getresuid(&ruid, &euid, &suid);
	fact_fds();
	fact_signals();
	fact(" env=%d args=%d umask=%03o dir=%s", vars, args, mask,
	    getcwd(dir, sizeof(dir)));
	fact(" uid=%u,%u,%u gid=%u groups=%d", ruid, euid, suid, getgid(),
	    getgroups(0, NULL));
	fact(" nnp=%d leader=%d session=%d alarm=%ld",
	    prctl(PR_GET_NO_NEW_PRIVS, 0L, 0L, 0L, 0L), getsid(0) == getpid(),
	    getsid(0), (long)timer.it_value.tv_sec);
	fact_limit("files", RLIMIT_NOFILE);
	fact_limit("cpu", RLIMIT_CPU);
	fact_limit("core", RLIMIT_CORE);
	fact_limit("size", RLIMIT_FSIZE);
	fact_limit("memory", RLIMIT_AS);
	fact_limit("processes", RLIMIT_NPROC);
	fact(" bounding=%d", prctl(PR_CAPBSET_READ, 0L, 0L, 0L, 0L));
	send_trouble(facts);
}

static void
tell_outcome(void)
{
	unsigned char packet[256];
	struct csign_frame frame;
	char text[256];
	const ssize_t n = recv(3, packet, sizeof(packet), 0);

	if (n <= 0 || csign_frame_read(packet, (size_t)n, &frame) != CSIGN_OK ||
	    frame.len > 100)
		return;
	(void)snprintf(text, sizeof(text), "%u %.*s %u", frame.code,
	    (int)(frame.len & 127), (const char *)frame.bytes,
	    frame.tries_left);
	send_trouble(text);
	wait_for_end();
}

static void
be_stubborn(void)
{
	for (int sig = 1; sig < NSIG; sig++)
		(void)signal(sig, SIG_IGN);
	send_bytes("csf1\x10\0", 6);
	never_end();
}

static void
be(const char *mode, char **argv)
{
	if (strcmp(mode, "exit") == 0)
		return;
	if (strcmp(mode, "fail") == 0)
		exit(1);
	if (strcmp(mode, "segv") == 0)
		(void)raise(SIGSEGV);
	if (strcmp(mode, "silent") == 0)
		never_end();
	if (strcmp(mode, "stubborn") == 0)
		be_stubborn();
	if (strcmp(mode, "short") == 0)
		send_bytes("csf", 3);
	if (strcmp(mode, "longer") == 0)
		send_bytes("csf1\x10\0!", 7);
	if (strcmp(mode, "many") == 0) /* phones ring: more than there can be */
		send_bytes("csf1\x10\x11", 6);
	if (strcmp(mode, "empty") == 0)
		send_bytes("", 0);
	if (strcmp(mode, "large") == 0)
		send_large();
	if (strcmp(mode, "random") == 0)
		send_random();
	if (strcmp(mode, "outcome") == 0)
		send_bytes("csf1\x02\1\0\0\0\0\0", 11);
	if (strcmp(mode, "job") == 0)
		send_bytes("csf1\x01", 5);
	if (strcmp(mode, "success") == 0)
		send_bytes("csf1\x17", 5);
	if (strcmp(mode, "created") == 0)
		send_bytes("csf1\x10\0", 6);
	if (strcmp(mode, "twice") == 0) {
		send_bytes("csf1\x10\0", 6);
		send_bytes("csf1\x10\0", 6);
	}
	if (strcmp(mode, "facts") == 0)
		tell_facts(argv);
	if (strcmp(mode, "tell") == 0)
		tell_outcome();
	/* Those that sent something wrong stay: they have to be killed. */
	if (strcmp(mode, "created") != 0 && strcmp(mode, "twice") != 0)
		wait_for_end();
}

int
main(int argc, char **argv)
{
	static unsigned char packet[CSIGN_FRAME_MAX];
	struct csign_buf *store = NULL;
	struct csign_job job;
	const ssize_t n = recv(3, packet, sizeof(packet), 0);

	(void)argc;
	if (n <= 0 ||
	    csign_frame_read_job(packet, (size_t)n, &store, &job) != CSIGN_OK)
		return 1;
	be(job.subject, argv);
	csign_buf_free(&store);
	return 0;
}
