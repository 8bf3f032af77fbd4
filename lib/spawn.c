/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A double fork.  The intermediate process is made with exit signal 0: its
 * parent, a sshd or sudo that may ignore, catch or wait for any child, gets no
 * SIGCHLD and cannot collect it by accident; only the __WALL wait below sees
 * it.  The program itself is orphaned before it runs.
 *
 * That is why there is no PR_SET_PDEATHSIG: the program has to outlive the host
 * application by the time it takes to report an outcome, and notices the end
 * of the application by the end of its socket.  The alarm ends it if it hangs.
 *
 * Between clone and exec only system calls are made.  Where glibc would do
 * more than the call (setresuid(2) and its kin signal all threads, which a
 * cloned process does not have), they are made directly.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "dir.h"
#include "spawn.h"

#define SPAWN_TIMEOUT_MS 2000
#define SPAWN_FILES 32
#define SPAWN_MEMORY (256UL << 20)
#define SPAWN_CPU_S 10
/* Of its account, so of all couriers: one for each login that waits. */
#define SPAWN_PROCESSES 4096

/* 16-bit ids on some 32-bit machines, unless one asks for more. */
#ifdef SYS_setresuid32
#define SPAWN_SETRESUID SYS_setresuid32
#define SPAWN_SETRESGID SYS_setresgid32
#define SPAWN_SETGROUPS SYS_setgroups32
#else
#define SPAWN_SETRESUID SYS_setresuid
#define SPAWN_SETRESGID SYS_setresgid
#define SPAWN_SETGROUPS SYS_setgroups
#endif

/* The descriptors between clone and exec. */
enum { FD_SOCKET = 3, FD_REPORT, FD_PROGRAM, FD_FIRST_CLOSED };

/* clang-format off */
#define STAGE_LIST(X)                                                          \
	X(STARTED, "started")                                                  \
	X(FORK, "a process could not be made")                                 \
	X(FDS, "its descriptors could not be set up")                          \
	X(SESSION, "it could not leave session and directory")                 \
	X(USER, "it could not become its user")                                \
	X(LIMITS, "its limits could not be set")                               \
	X(EXEC, "it could not be executed")
/* clang-format on */

enum stage {
#define STAGE_ENUM(name, text) STAGE_##name,
	STAGE_LIST(STAGE_ENUM)
#undef STAGE_ENUM
	    N_STAGES
};

static const char *const stage_texts[] = {
#define STAGE_TEXT(name, text) text,
    STAGE_LIST(STAGE_TEXT)
#undef STAGE_TEXT
};

/* What the two processes tell; STARTED carries the pidfd. */
struct report {
	int stage; /* enum stage */
	int errnum;
};

/* All that the two processes work with, made before the first clone. */
struct plan {
	const struct csign_spawn *spawn;
	int program; /* O_PATH */
	int report;
	uid_t uid;
	gid_t gid;
};

int
csign_fd_above_stdio(int fd)
{
	int copy, saved;

	if (fd < 0 || fd > STDERR_FILENO)
		return fd;
	copy = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	saved = errno;
	(void)close(fd);
	errno = saved;
	return copy;
}

/* --- in the new processes: system calls only --- */

static long
raw_clone(unsigned long flags, int *ret_pidfd)
{
#ifdef __s390__
	return syscall(SYS_clone, NULL, flags, ret_pidfd, NULL, 0L);
#else
	return syscall(SYS_clone, flags, NULL, ret_pidfd, NULL, 0L);
#endif
}

static _Noreturn void
give_up(int report, enum stage stage)
{
	const struct report message = {(int)stage, errno};

	(void)send(report, &message, sizeof(message), MSG_NOSIGNAL);
	_exit(EXIT_FAILURE);
}

/* Sends STARTED together with the pidfd. */
static int
send_pidfd(int report, int pidfd)
{
	struct report message = {STAGE_STARTED, 0};
	struct iovec iov = {&message, sizeof(message)};
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = {.bytes = {0}};
	struct msghdr msg = {
	    .msg_iov = &iov,
	    .msg_iovlen = 1,
	    .msg_control = control.bytes,
	    .msg_controllen = sizeof(control.bytes),
	};
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);

	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SCM_RIGHTS;
	cmsg->cmsg_len = CMSG_LEN(sizeof(int));
	*(int *)(void *)CMSG_DATA(cmsg) = pidfd;
	return sendmsg(report, &msg, MSG_NOSIGNAL) < 0 ? -1 : 0;
}

/*
 * Puts the three descriptors in their places, wherever they were before, and
 * closes everything else.  *report stays usable all the time.
 */
static int
place_fds(const struct plan *plan, int *report)
{
	const int clear_of = FD_FIRST_CLOSED;
	int socket, program, null;

	if ((*report = fcntl(plan->report, F_DUPFD_CLOEXEC, clear_of)) < 0) {
		*report = plan->report;
		return -1;
	}
	if ((socket = fcntl(plan->spawn->socket, F_DUPFD, clear_of)) < 0 ||
	    (program = fcntl(plan->program, F_DUPFD, clear_of)) < 0 ||
	    (null = open("/dev/null", O_RDWR | O_NOCTTY)) < 0 ||
	    (null = fcntl(null, F_DUPFD, clear_of)) < 0)
		return -1;
	if (dup2(null, STDIN_FILENO) < 0 || dup2(null, STDOUT_FILENO) < 0 ||
	    dup2(null, STDERR_FILENO) < 0 || dup2(socket, FD_SOCKET) < 0 ||
	    dup3(program, FD_PROGRAM, O_CLOEXEC) < 0 ||
	    dup3(*report, FD_REPORT, O_CLOEXEC) < 0)
		return -1;
	*report = FD_REPORT;
	return close_range(FD_FIRST_CLOSED, ~0U, 0);
}

static void
default_signals(void)
{
	const struct sigaction action = {.sa_handler = SIG_DFL};

	/* Fails for those that cannot be changed. */
	for (int sig = 1; sig < NSIG; sig++)
		(void)sigaction(sig, &action, NULL);
}

/*
 * So that nothing it could execute would have any.  no_new_privs says the same,
 * so a container's root, who may not do this, is no reason to fail.
 */
static void
drop_capabilities(void)
{
	long cap = 0;

	while (prctl(PR_CAPBSET_DROP, cap, 0L, 0L, 0L) == 0)
		cap++;
}

static int
become_user(const struct plan *plan)
{
	const uid_t uid = plan->uid;
	const gid_t gid = plan->gid;
	uid_t uids[3];
	gid_t gids[3];

	if (plan->spawn->change_user) {
		drop_capabilities();
		if (syscall(SPAWN_SETGROUPS, 0L, NULL) != 0)
			return -1;
	}
	if (syscall(SPAWN_SETRESGID, gid, gid, gid) != 0 ||
	    syscall(SPAWN_SETRESUID, uid, uid, uid) != 0)
		return -1;
	if (getresuid(&uids[0], &uids[1], &uids[2]) != 0 ||
	    getresgid(&gids[0], &gids[1], &gids[2]) != 0)
		return -1;
	for (int i = 0; i < 3; i++) {
		if (uids[i] != uid || gids[i] != gid) {
			errno = EPERM;
			return -1;
		}
	}
	/* There must be no way back. */
	if (plan->spawn->change_user &&
	    (getgroups(0, NULL) != 0 ||
		syscall(SPAWN_SETRESUID, -1L, 0L, -1L) == 0)) {
		errno = EPERM;
		return -1;
	}
	return 0;
}

static int
lower_limit(__rlimit_resource_t resource, rlim_t value)
{
	struct rlimit limit;

	if (getrlimit(resource, &limit) != 0)
		return -1;
	if (limit.rlim_max > value)
		limit.rlim_max = value;
	limit.rlim_cur = limit.rlim_max;
	return setrlimit(resource, &limit);
}

static int
set_limits(const struct csign_spawn *spawn)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1L, 0L, 0L, 0L) != 0 ||
	    prctl(PR_SET_DUMPABLE, 0L, 0L, 0L, 0L) != 0)
		return -1;
	/* Kernels without ambient capabilities have none to give up. */
	(void)prctl(PR_CAP_AMBIENT, (long)PR_CAP_AMBIENT_CLEAR_ALL, 0L, 0L, 0L);
#ifndef CSIGN_SANITIZED
	if (lower_limit(RLIMIT_AS, SPAWN_MEMORY) != 0)
		return -1;
#endif
	if (lower_limit(RLIMIT_NOFILE, SPAWN_FILES) != 0 ||
	    lower_limit(RLIMIT_CPU, SPAWN_CPU_S) != 0 ||
	    lower_limit(RLIMIT_FSIZE, 0) != 0 ||
	    lower_limit(RLIMIT_CORE, 0) != 0)
		return -1;
	/* Somebody's own account has more than couriers. */
	if (spawn->change_user &&
	    lower_limit(RLIMIT_NPROC, SPAWN_PROCESSES) != 0)
		return -1;
	(void)alarm(spawn->alarm_s);
	return 0;
}

static _Noreturn void
run_program(const struct plan *plan)
{
	char name[] = "courier";
	char *const argv[] = {name, NULL};
	char *const envp[] = {NULL};
	sigset_t none;
	int report = plan->report;

	if (place_fds(plan, &report) != 0)
		give_up(report, STAGE_FDS);
	(void)umask(077);
	if (chdir("/") != 0)
		give_up(report, STAGE_SESSION);
	if (become_user(plan) != 0)
		give_up(report, STAGE_USER);
	if (set_limits(plan->spawn) != 0)
		give_up(report, STAGE_LIMITS);
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	/* Close-on-exec also says: no script, whatever its first line. */
	(void)execveat(FD_PROGRAM, "", argv, envp, AT_EMPTY_PATH);
	give_up(report, STAGE_EXEC);
}

static _Noreturn void
run_intermediate(const struct plan *plan)
{
	int pidfd = -1;
	long pid;

	default_signals();
	if (setsid() < 0)
		give_up(plan->report, STAGE_SESSION);
	pid = raw_clone(CLONE_PIDFD, &pidfd);
	if (pid < 0)
		give_up(plan->report, STAGE_FORK);
	if (pid == 0)
		run_program(plan);
	if (send_pidfd(plan->report, pidfd) != 0)
		give_up(plan->report, STAGE_FORK);
	_exit(EXIT_SUCCESS);
}

/* --- in this process --- */

static pid_t
start_intermediate(const struct plan *plan)
{
	sigset_t all, before;
	long pid;
	int saved;

	/* So that no handler of this process runs in the new ones. */
	(void)sigfillset(&all);
	if (pthread_sigmask(SIG_SETMASK, &all, &before) != 0)
		return -1;
	pid = raw_clone(0, NULL);
	if (pid == 0)
		run_intermediate(plan);
	saved = errno;
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	errno = saved;
	return (pid_t)pid;
}

static void
collect_intermediate(pid_t pid)
{
	/* It may only be gone already if this process waits for everything. */
	while (waitpid(pid, NULL, __WALL) < 0 && errno == EINTR)
		continue;
}

static void
take_pidfd(struct msghdr *msg, int *pidfd)
{
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(msg);

	if (cmsg == NULL || cmsg->cmsg_level != SOL_SOCKET ||
	    cmsg->cmsg_type != SCM_RIGHTS ||
	    cmsg->cmsg_len != CMSG_LEN(sizeof(int)) || *pidfd >= 0)
		return;
	*pidfd = *(int *)(void *)CMSG_DATA(cmsg);
}

/* One report; 0 at the end of all, -1 with errno. */
static ssize_t
receive_report(int fd, struct report *ret_report, int *pidfd)
{
	struct iovec iov = {ret_report, sizeof(*ret_report)};
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = {.bytes = {0}};
	struct msghdr msg = {
	    .msg_iov = &iov,
	    .msg_iovlen = 1,
	    .msg_control = control.bytes,
	    .msg_controllen = sizeof(control.bytes),
	};
	ssize_t n;

	n = recvmsg(fd, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	if (n > 0)
		take_pidfd(&msg, pidfd);
	return n;
}

/* Readable, or an error, within what is left of the time. */
static int
wait_readable(int fd, uint64_t until_ms)
{
	struct pollfd pfd = {.fd = fd, .events = POLLIN};
	uint64_t now;
	int n;

	do {
		if (csign_clock_boot(&now) != CSIGN_OK || now >= until_ms) {
			errno = ETIMEDOUT;
			return -1;
		}
		n = poll(&pfd, 1, (int)(until_ms - now));
	} while (n == 0 || (n < 0 && errno == EINTR));
	return n < 0 ? -1 : 0;
}

/*
 * Reads reports to the end, which comes when the program was executed (its
 * copy of the socket is close-on-exec) or when all processes are gone.
 */
static enum csign_err
hear_reports(int fd, const char *program, struct csign_why *why, int *pidfd)
{
	struct report report;
	uint64_t now;
	ssize_t n;

	if (csign_clock_boot(&now) != CSIGN_OK)
		return CSIGN_E_CLOCK;
	for (;;) {
		if (wait_readable(fd, now + SPAWN_TIMEOUT_MS) != 0)
			break;
		n = receive_report(fd, &report, pidfd);
		if (n < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (n < 0)
			break;
		if (n == 0 && *pidfd >= 0)
			return CSIGN_OK;
		if (n != (ssize_t)sizeof(report) || report.stage < 0 ||
		    report.stage >= N_STAGES) {
			errno = EPROTO;
			break;
		}
		if (report.stage != STAGE_STARTED) {
			csign_why_errno(why, report.errnum,
			    "the courier %s was not started: %s", program,
			    stage_texts[report.stage]);
			return CSIGN_E_COURIER;
		}
	}
	csign_why_errno(why, errno, "the courier %s was not started", program);
	return CSIGN_E_COURIER;
}

static enum csign_err
start(struct plan *plan, struct csign_why *why, int *ret_pidfd)
{
	enum csign_err r = CSIGN_E_COURIER;
	const char *program = plan->spawn->program;
	int pair[2], pidfd = -1;
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0) {
		csign_why_errno(
		    why, errno, "the courier %s was not started", program);
		return CSIGN_E_COURIER;
	}
	plan->report = pair[1];
	pid = start_intermediate(plan);
	(void)close(pair[1]);
	if (pid < 0) {
		csign_why_errno(why, errno,
		    "the courier %s was not started: %s", program,
		    stage_texts[STAGE_FORK]);
		goto out;
	}
	r = hear_reports(pair[0], program, why, &pidfd);
	if (r != CSIGN_OK) {
		(void)kill(pid, SIGKILL);
		if (pidfd >= 0)
			(void)pidfd_send_signal(pidfd, SIGKILL, NULL, 0);
	}
	collect_intermediate(pid);
	if (r != CSIGN_OK)
		goto out;
	if ((pidfd = csign_fd_above_stdio(pidfd)) < 0) {
		csign_why_errno(why, errno, "descriptors");
		r = CSIGN_E_SYSTEM;
		goto out;
	}
	*ret_pidfd = pidfd;
	pidfd = -1;
out:
	if (pidfd >= 0)
		(void)close(pidfd);
	(void)close(pair[0]);
	return r;
}

/* Checks the file that will be executed, by a descriptor that stays on it. */
static enum csign_err
open_program(const char *program, struct csign_why *why, int *ret_fd)
{
	const mode_t forbidden = S_IWGRP | S_IWOTH | S_ISUID | S_ISGID;
	enum csign_err r = CSIGN_E_FILE;
	int dirfd = -1, fd = -1;
	const char *name;
	struct stat st;

	if ((r = csign_dir_parent(
		 program, S_IWGRP | S_IWOTH, why, &dirfd, &name)) != CSIGN_OK)
		return r;
	r = CSIGN_E_FILE;
	fd = openat(dirfd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) != 0) {
		csign_why_errno(why, errno, "%s", program);
		goto out;
	}
	/* More links than one are usual where systems share equal files. */
	if (!S_ISREG(st.st_mode)) {
		csign_why_set(why, "%s: not a regular file", program);
		goto out;
	}
	if ((r = csign_check_owner(&st, forbidden, program,
		 (int)strlen(program), why)) != CSIGN_OK)
		goto out;
	*ret_fd = fd;
	fd = -1;
	r = CSIGN_OK;
out:
	csign_close(&fd);
	csign_close(&dirfd);
	return r;
}

enum csign_err
csign_spawn(
    const struct csign_spawn *spawn, struct csign_why *why, int *ret_pidfd)
{
	struct plan plan = {
	    .spawn = spawn,
	    .program = -1,
	    .report = -1,
	    .uid = spawn->change_user ? spawn->uid : geteuid(),
	    .gid = spawn->change_user ? spawn->gid : getegid(),
	};
	enum csign_err r;

	if ((r = open_program(spawn->program, why, &plan.program)) != CSIGN_OK)
		return r;
	r = start(&plan, why, ret_pidfd);
	(void)close(plan.program);
	return r;
}
