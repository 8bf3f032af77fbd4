/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * SYS-6 and SYS-7: what the courier is given, what the application that starts
 * it does not notice, and couriers that do anything but their work.
 */
#include "unit.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <pwd.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "dir.h"
#include "leash.h"
#include "spawn.h"

#define USER "nobody"
#define LIFE_MS 20000

static char program[PATH_MAX]; /* misbehaving-courier */
static char folder[PATH_MAX];  /* where the test may put files */

static double
now_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static enum csign_err
try_start(const char *path, const char *user, const char *mode,
    struct csign_why *why, struct csign_leash **ret_leash)
{
	const struct csign_job job = {.op = CSIGN_OP_APPROVE, .subject = mode};

	return csign_leash_start(path, user, LIFE_MS, &job, why, ret_leash);
}

static struct csign_leash *
start(const char *mode)
{
	struct csign_leash *leash = NULL;
	struct csign_why why = {""};
	const enum csign_err r = try_start(program, USER, mode, &why, &leash);

	if (r != CSIGN_OK)
		fail_msg("%s: %s: %s", mode, csign_err_name(r), why.text);
	return leash;
}

static void
assert_created(struct csign_leash *leash)
{
	struct csign_frame frame;
	struct csign_why why = {""};

	assert_ok(csign_leash_next(leash, 5000, &why, &frame));
	assert_int_equal(frame.type, CSIGN_FRAME_CREATED);
}

/* The text of a TROUBLE frame. */
static void
hear_text(struct csign_leash *leash, char *out, size_t out_size)
{
	struct csign_frame frame;
	struct csign_why why = {""};

	assert_ok(csign_leash_next(leash, 5000, &why, &frame));
	assert_int_equal(frame.type, CSIGN_FRAME_TROUBLE);
	assert_true(frame.len < out_size);
	memcpy(out, frame.bytes, frame.len);
	out[frame.len] = '\0';
}

/* --- couriers that go wrong
 * --------------------------------------------------- */

static void
test_bad_couriers(void **state)
{
	static const char *const modes[] = {"exit", "fail", "segv", "short",
	    "longer", "many", "empty", "large", "random", "outcome", "job",
	    "success"};
	struct csign_leash *leash;
	struct csign_frame frame;
	struct csign_why why;

	(void)state;
	for (size_t i = 0; i < N_ROWS(modes); i++) {
		const double began = now_ms();

		why.text[0] = '\0';
		leash = start(modes[i]);
		assert_err(modes[i],
		    csign_leash_next(leash, 5000, &why, &frame),
		    CSIGN_E_COURIER);
		assert_true(strncmp(why.text, "the courier", 11) == 0);
		/* It stays that way, and nothing can be said to it. */
		assert_err(modes[i],
		    csign_leash_next(leash, 5000, &why, &frame),
		    CSIGN_E_COURIER);
		assert_err(modes[i],
		    csign_leash_outcome(
			leash, CSIGN_OUTCOME_DENIED, "", 0, NULL),
		    CSIGN_E_COURIER);
		assert_true(now_ms() - began < 2000);
		csign_leash_free(&leash);
		assert_null(leash);
	}
}

static void
test_frames_then_end(void **state)
{
	static const struct {
		const char *mode;
		int frames;
	} rows[] = {{"created", 1}, {"twice", 2}};
	struct csign_leash *leash;
	struct csign_frame frame;

	(void)state;
	for (size_t i = 0; i < N_ROWS(rows); i++) {
		leash = start(rows[i].mode);
		for (int n = 0; n < rows[i].frames; n++)
			assert_created(leash);
		assert_err(rows[i].mode,
		    csign_leash_next(leash, 5000, NULL, &frame),
		    CSIGN_E_COURIER);
		csign_leash_kill(&leash);
		assert_null(leash);
	}
}

static void
test_time(void **state)
{
	struct csign_leash *leash = start("silent");
	struct csign_frame frame;
	double began = now_ms();

	(void)state;
	assert_err(
	    "at once", csign_leash_next(leash, 0, NULL, &frame), CSIGN_E_AGAIN);
	assert_true(now_ms() - began < 50);
	began = now_ms();
	assert_err("100 ms", csign_leash_next(leash, 100, NULL, &frame),
	    CSIGN_E_AGAIN);
	assert_true(now_ms() - began >= 99);
	assert_true(now_ms() - began < 1000);
	csign_leash_kill(&leash);
}

static void
test_outcome(void **state)
{
	struct csign_leash *leash = start("tell");
	struct pollfd pfd = {.events = POLLIN};
	char text[256];
	enum csign_err r;
	double began;
	int sent = 0;

	(void)state;
	assert_ok(
	    csign_leash_outcome(leash, CSIGN_OUTCOME_REJECTED, "WHY", 2, NULL));
	hear_text(leash, text, sizeof(text));
	assert_string_equal(text, "3 WHY 2");
	assert_err("reason",
	    csign_leash_outcome(leash, (enum csign_outcome)7, "", 0, NULL),
	    CSIGN_E_INVALID);
	csign_leash_kill(&leash);

	/* A courier that does not listen cannot make it block. */
	leash = start("silent");
	began = now_ms();
	do
		r = csign_leash_outcome(
		    leash, CSIGN_OUTCOME_DENIED, "reason", 0, NULL);
	while (r == CSIGN_OK && ++sent < 100000);
	assert_err("full", r, CSIGN_E_COURIER);
	assert_true(now_ms() - began < 2000);
	csign_leash_kill(&leash);

	/* One that is gone does not send SIGPIPE. */
	leash = start("exit");
	pfd.fd = csign_leash_fd(leash);
	while ((pfd.revents & POLLHUP) == 0)
		assert_int_equal(poll(&pfd, 1, 5000), 1);
	assert_err("gone",
	    csign_leash_outcome(leash, CSIGN_OUTCOME_DENIED, "", 0, NULL),
	    CSIGN_E_COURIER);
	csign_leash_free(&leash);
}

/*
 * --- what it is given
 * ---------------------------------------------------------
 */

static void
assert_fact(const char *facts, const char *fact)
{
	if (strstr(facts, fact) == NULL)
		fail_msg("no \"%s\" in \"%s\"", fact, facts);
}

static void
test_surroundings(void **state)
{
	struct csign_leash *leash;
	char facts[CSIGN_WHY_SIZE], want[128];
	struct passwd *account = getpwnam(USER);
	static gid_t groups[NGROUPS_MAX];
	unsigned uid, gid;
	int n_groups;
	const char *at;
	long alarm_s;

	(void)state;
	assert_non_null(account);
	uid = geteuid() == 0 ? account->pw_uid : geteuid();
	gid = geteuid() == 0 ? account->pw_gid : getegid();
	n_groups = getgroups(NGROUPS_MAX, groups);
	assert_true(n_groups >= 0);
	if (geteuid() == 0)
		assert_int_equal(setgroups(2, (gid_t[]){1, 2}), 0);
	leash = start("facts");
	hear_text(leash, facts, sizeof(facts));
	csign_leash_free(&leash);
	if (geteuid() == 0)
		assert_int_equal(setgroups((size_t)n_groups, groups), 0);

	assert_fact(facts, "fds=3 null null null ");
#ifndef CSIGN_SANITIZED
	/* The sanitizers have handlers of their own. */
	assert_fact(facts, " signals=0,0 ");
#endif
	assert_fact(facts, " env=0 args=1 umask=077 dir=/ ");
	(void)snprintf(
	    want, sizeof(want), " uid=%u,%u,%u gid=%u ", uid, uid, uid, gid);
	assert_fact(facts, want);
	if (geteuid() == 0) {
		assert_fact(facts, " groups=0 ");
		assert_fact(facts, " processes=4096,4096 bounding=0");
	}
	assert_fact(facts, " nnp=1 leader=0 ");
	assert_non_null(at = strstr(facts, "session="));
	assert_int_not_equal(
	    strtol(at + strlen("session="), NULL, 10), getsid(0));
	assert_fact(facts, " files=32,32 cpu=10,10 core=0,0 size=0,0 ");
#ifndef CSIGN_SANITIZED
	assert_fact(facts, " memory=268435456,268435456");
#endif
	/* The life of the job and the time for the last words. */
	assert_non_null(at = strstr(facts, "alarm="));
	alarm_s = strtol(at + strlen("alarm="), NULL, 10);
	assert_in_range(alarm_s, LIFE_MS / 1000, LIFE_MS / 1000 + 6);
}

/* --- what the application does not notice --- */

struct self {
	char fds[1024];
	struct sigaction actions[NSIG];
	sigset_t mask;
	char dir[PATH_MAX];
	mode_t umask;
	pid_t session;
};

static void
look_at_self(struct self *self)
{
	DIR *dir = opendir("/proc/self/fd");
	struct dirent *entry;
	size_t at = 0;

	memset(self, 0, sizeof(*self));
	assert_non_null(dir);
	while ((entry = readdir(dir)) != NULL)
		at += (size_t)snprintf(self->fds + at, sizeof(self->fds) - at,
		    "%s ", entry->d_name);
	closedir(dir);
	for (int sig = 1; sig < NSIG; sig++)
		(void)sigaction(sig, NULL, &self->actions[sig]);
	(void)sigprocmask(SIG_SETMASK, NULL, &self->mask);
	assert_non_null(getcwd(self->dir, sizeof(self->dir)));
	self->umask = umask(0);
	(void)umask(self->umask);
	self->session = getsid(0);
}

static void
assert_self(const struct self *before)
{
	static struct self after;

	look_at_self(&after);
	assert_string_equal(after.fds, before->fds);
	for (int sig = 1; sig < NSIG; sig++)
		assert_ptr_equal(after.actions[sig].sa_handler,
		    before->actions[sig].sa_handler);
	for (int sig = 1; sig < NSIG; sig++)
		assert_int_equal(sigismember(&after.mask, sig),
		    sigismember(&before->mask, sig));
	assert_string_equal(after.dir, before->dir);
	assert_int_equal(after.umask, before->umask);
	assert_int_equal(after.session, before->session);
}

static volatile sig_atomic_t n_sigchld;

static void
on_sigchld(int sig)
{
	(void)sig;
	n_sigchld++;
}

/* Neither zombie nor child, whatever kind of child one asks for. */
static void
assert_no_child(void)
{
	errno = 0;
	assert_int_equal(waitpid(-1, NULL, WNOHANG | __WALL), -1);
	assert_int_equal(errno, ECHILD);
}

static void
one_round(void)
{
	struct csign_leash *leash = start("created");

	assert_created(leash);
	csign_leash_free(&leash);
	leash = start("silent");
	csign_leash_kill(&leash);
	assert_no_child();
}

static void
test_nothing_changes(void **state)
{
	static void (*const handlers[])(int) = {SIG_DFL, SIG_IGN, on_sigchld};
	struct sigaction action = {.sa_handler = SIG_DFL}, saved;
	static struct self before;
	sigset_t mask, saved_mask;

	(void)state;
	assert_int_equal(sigaction(SIGCHLD, NULL, &saved), 0);
	(void)sigemptyset(&mask);
	(void)sigaddset(&mask, SIGUSR1);
	assert_int_equal(sigprocmask(SIG_BLOCK, &mask, &saved_mask), 0);
	n_sigchld = 0;
	for (size_t i = 0; i < N_ROWS(handlers); i++) {
		action.sa_handler = handlers[i];
		assert_int_equal(sigaction(SIGCHLD, &action, NULL), 0);
		look_at_self(&before);
		one_round();
		assert_self(&before);
	}
	action.sa_handler = SIG_DFL;
	action.sa_flags = SA_NOCLDWAIT;
	assert_int_equal(sigaction(SIGCHLD, &action, NULL), 0);
	one_round();
	assert_int_equal(n_sigchld, 0);
	assert_int_equal(sigprocmask(SIG_SETMASK, &saved_mask, NULL), 0);
	assert_int_equal(sigaction(SIGCHLD, &saved, NULL), 0);
}

/* The application's own child ends while a courier comes and goes. */
static void
test_own_child(void **state)
{
	const struct sigaction action = {.sa_handler = on_sigchld};
	struct csign_leash *leash;
	struct sigaction saved;
	int gate[2], status = 0;
	pid_t child;
	char byte;

	(void)state;
	n_sigchld = 0;
	assert_int_equal(sigaction(SIGCHLD, &action, &saved), 0);
	assert_int_equal(pipe(gate), 0);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		(void)close(gate[1]);
		_exit(read(gate[0], &byte, 1) == 0 ? 7 : 1);
	}
	leash = start("created");
	(void)close(gate[1]); /* now it ends */
	assert_created(leash);
	csign_leash_free(&leash);
	while (n_sigchld == 0)
		(void)poll(NULL, 0, 10);
	assert_int_equal(n_sigchld, 1);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(WEXITSTATUS(status), 7);
	(void)close(gate[0]);
	assert_int_equal(sigaction(SIGCHLD, &saved, NULL), 0);
}

/*
 * A program whose own descriptors 0 to 2 are closed writes into the first
 * that it gets; none of ours may be among them.
 */
static void
test_closed_stdio(void **state)
{
	struct csign_leash *leash = NULL;
	int status = 0;
	pid_t child = fork();

	(void)state;
	assert_true(child >= 0);
	if (child == 0) {
		(void)close(0);
		(void)close(1);
		(void)close(2);
		if (try_start(program, USER, "silent", NULL, &leash) !=
		    CSIGN_OK)
			_exit(1);
		if (csign_leash_fd(leash) <= 2 || fcntl(0, F_GETFD) != -1 ||
		    fcntl(1, F_GETFD) != -1 || fcntl(2, F_GETFD) != -1)
			_exit(2);
		csign_leash_kill(&leash);
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

/* glibc would stop all other threads to change the user, and wait for them. */
static void *
sleep_for_ever(void *arg)
{
	for (;;)
		(void)pause();
	return arg;
}

static void
test_threads(void **state)
{
	struct csign_leash *leash;
	pthread_t thread;

	(void)state;
	assert_int_equal(
	    pthread_create(&thread, NULL, sleep_for_ever, NULL), 0);
	leash = start("created");
	assert_created(leash);
	csign_leash_free(&leash);
	(void)pthread_cancel(thread);
	(void)pthread_join(thread, NULL);
}

static void
on_alarm(int sig)
{
	(void)sig;
}

/* B5: a signal ten times a millisecond changes nothing. */
static void
test_interrupted(void **state)
{
	const struct itimerval often = {{0, 100}, {0, 100}}, off = {0};
	const struct sigaction action = {.sa_handler = on_alarm};
	struct csign_leash *leash;
	struct csign_frame frame;
	struct sigaction saved;
	double began;

	(void)state;
	assert_int_equal(sigaction(SIGALRM, &action, &saved), 0);
	assert_int_equal(setitimer(ITIMER_REAL, &often, NULL), 0);
	for (int i = 0; i < 20; i++) {
		leash = start("created");
		assert_created(leash);
		csign_leash_free(&leash);
		assert_no_child();
	}
	leash = start("silent");
	began = now_ms();
	assert_err(
	    "wait", csign_leash_next(leash, 200, NULL, &frame), CSIGN_E_AGAIN);
	assert_true(now_ms() - began >= 199);
	csign_leash_kill(&leash);
	assert_int_equal(setitimer(ITIMER_REAL, &off, NULL), 0);
	assert_int_equal(sigaction(SIGALRM, &saved, NULL), 0);
}

/*
 * --- how it ends
 * -----------------------------------------------------------------
 */

/* As a subreaper, this process inherits the courier and sees it end. */
static int
wait_for_end(double within_ms)
{
	const double until = now_ms() + within_ms;
	int status = 0;

	while (waitpid(-1, &status, WNOHANG) == 0) {
		if (now_ms() > until)
			fail_msg("the courier is still there");
		(void)poll(NULL, 0, 5);
	}
	return status;
}

static void
test_ends(void **state)
{
	struct csign_leash *leash;

	(void)state;
	assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1L, 0L, 0L, 0L), 0);
	/* Let go: it notices the end of its socket. */
	leash = start("tell");
	csign_leash_free(&leash);
	assert_true(WIFEXITED(wait_for_end(1000)));
	/* Killed, even if it ignores whatever can be ignored. */
	leash = start("stubborn");
	assert_created(leash);
	csign_leash_kill(&leash);
	assert_int_equal(WTERMSIG(wait_for_end(1000)), SIGKILL);
	/* Killed for sending rubbish, without being asked to. */
	leash = start("short");
	assert_err("short",
	    csign_leash_next(leash, 5000, NULL, &(struct csign_frame){0}),
	    CSIGN_E_COURIER);
	(void)wait_for_end(1000);
	csign_leash_free(&leash);
	assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 0L, 0L, 0L, 0L), 0);
}

/* The alarm ends a courier that hangs, without any help. */
static void
test_alarm(void **state)
{
	struct csign_spawn spawn = {.program = program, .alarm_s = 1};
	int pair[2], pidfd = -1;
	struct passwd *account = getpwnam(USER);

	(void)state;
	assert_non_null(account);
	assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1L, 0L, 0L, 0L), 0);
	/* Without a job it waits for one. */
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
	spawn.socket = pair[1];
	spawn.change_user = geteuid() == 0;
	spawn.uid = account->pw_uid;
	spawn.gid = account->pw_gid;
	assert_ok(csign_spawn(&spawn, NULL, &pidfd));
	assert_int_equal(WTERMSIG(wait_for_end(3000)), SIGALRM);
	csign_close(&pidfd);
	csign_close(&pair[0]);
	csign_close(&pair[1]);
	assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 0L, 0L, 0L, 0L), 0);
}

/* --- programs that must not be run --- */

static void
copy_program(const char *to, mode_t mode)
{
	static char buf[65536];
	int in = open(program, O_RDONLY), out;
	ssize_t n;

	(void)unlink(to);
	out = open(to, O_WRONLY | O_CREAT | O_EXCL, 0700);
	assert_true(in >= 0 && out >= 0);
	while ((n = read(in, buf, sizeof(buf))) > 0)
		assert_int_equal(write(out, buf, (size_t)n), n);
	assert_int_equal(fchmod(out, mode), 0);
	(void)close(in);
	(void)close(out);
}

static void
assert_refused(const char *name, const char *path, enum csign_err want)
{
	const char *end = strchr(path + (path[0] == '/'), '/');
	const size_t len = end == NULL ? strlen(path) : (size_t)(end - path);
	struct csign_leash *leash = NULL;
	struct csign_why why = {""};
	const double began = now_ms();

	assert_err(name, try_start(path, USER, "created", &why, &leash), want);
	assert_null(leash);
	/* It says which file, at least from where on, and in time. */
	if (memmem(why.text, strlen(why.text), path, len) == NULL)
		fail_msg("%s: \"%s\" does not name it", name, why.text);
	assert_true(now_ms() - began < 1000);
}

static void
test_unsafe_programs(void **state)
{
	static char path[PATH_MAX + 32], other[PATH_MAX + 32];
	struct csign_leash *leash = NULL;
	FILE *script;

	(void)state;
	(void)snprintf(path, sizeof(path), "%s/copy", folder);
	(void)snprintf(other, sizeof(other), "%s/other", folder);

	(void)unlink(other);
	copy_program(path, 0755);
	assert_ok(try_start(path, USER, "exit", NULL, &leash));
	csign_leash_kill(&leash);
	assert_int_equal(symlink(path, other), 0);
	assert_refused("symlink", other, CSIGN_E_FILE);
	(void)unlink(other);
	assert_int_equal(link(path, other), 0);
	assert_ok(try_start(other, USER, "exit", NULL, &leash));
	csign_leash_kill(&leash);
	(void)unlink(other);
	assert_int_equal(chmod(path, 0775), 0);
	assert_refused("group may write", path, CSIGN_E_FILE);
	assert_int_equal(chmod(path, 0757), 0);
	assert_refused("others may write", path, CSIGN_E_FILE);
	assert_int_equal(chmod(path, 04755), 0);
	assert_refused("set-user-id", path, CSIGN_E_FILE);
	assert_int_equal(chmod(path, 0644), 0);
	assert_refused("not executable", path, CSIGN_E_COURIER);
	if (geteuid() == 0) {
		assert_int_equal(chmod(path, 0755), 0);
		assert_int_equal(chown(path, 65534, 65534), 0);
		assert_refused("a user's", path, CSIGN_E_FILE);
	}
	(void)unlink(path);
	assert_refused("missing", path, CSIGN_E_FILE);
	assert_refused("a directory", folder, CSIGN_E_FILE);
	assert_refused("relative", "lib/courier/courier", CSIGN_E_FILE);
	assert_refused("nothing", "", CSIGN_E_FILE);
	assert_refused("a folder that is missing",
	    "/nonexistent/countersign/courier", CSIGN_E_FILE);

	script = fopen(path, "we");
	assert_non_null(script);
	fputs("#!/bin/sh\nexit 0\n", script);
	assert_int_equal(fclose(script), 0);
	assert_int_equal(chmod(path, 0755), 0);
	assert_refused("a script", path, CSIGN_E_COURIER);
	(void)unlink(path);
}

static void
test_true(void **state)
{
	struct csign_leash *leash = NULL;
	struct csign_frame frame;

	(void)state;
	/* Any program may be named; only a proof can lead to a yes. */
	assert_ok(try_start("/usr/bin/true", USER, "", NULL, &leash));
	assert_err("true", csign_leash_next(leash, 5000, NULL, &frame),
	    CSIGN_E_COURIER);
	csign_leash_free(&leash);
}

static void
test_users(void **state)
{
	static const char *const users[] = {
	    NULL, "", "root", "countersign-no-such-account", "../nobody"};
	struct csign_leash *leash = NULL;
	struct csign_why why;

	(void)state;
	if (geteuid() != 0)
		skip();
	for (size_t i = 0; i < N_ROWS(users); i++) {
		why.text[0] = '\0';
		assert_err(users[i] == NULL ? "NULL" : users[i],
		    try_start(program, users[i], "exit", &why, &leash),
		    CSIGN_E_CONFIG);
		assert_non_null(strstr(why.text, "courier_user"));
	}
}

/* B6: with any number of descriptors missing: an error, and nothing left. */
static int
start_with_files(rlim_t files)
{
	struct csign_leash *leash = NULL;
	struct rlimit limit = {files, files};
	int status = 0, free_fd;
	pid_t child = fork();

	assert_true(child >= 0);
	if (child == 0) {
		free_fd = dup(0);
		(void)close(free_fd);
		limit.rlim_cur += (rlim_t)free_fd;
		limit.rlim_max = limit.rlim_cur;
		(void)setrlimit(RLIMIT_NOFILE, &limit);
		if (try_start(program, USER, "exit", NULL, &leash) ==
		    CSIGN_OK) {
			csign_leash_kill(&leash);
			_exit(0);
		}
		if (leash != NULL || dup(0) != (files == 0 ? -1 : free_fd))
			_exit(2);
		_exit(1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void
test_few_descriptors(void **state)
{
	rlim_t files = 0;
	int status;

	(void)state;
	while ((status = start_with_files(files)) == 1 && files < 32)
		files++;
	assert_int_equal(status, 0);
	assert_in_range(files, 4, 16);
}

static bool
safe(const char *path)
{
	int fd = -1;

	if (csign_dir_open(path, NULL, &fd) != CSIGN_OK)
		return false;
	csign_close(&fd);
	return true;
}

/*
 * A folder that is as safe as a courier needs: in the build tree, or, where
 * that lies below /tmp for example, in /run.  False if there is none.
 */
static bool
find_folder(void)
{
	const char *top = getenv("top_builddir");

	if (top == NULL || snprintf(program, sizeof(program),
			       "%s/tests/support/misbehaving-courier",
			       top) >= (int)sizeof(program))
		return false;
	if (!safe(top))
		top = geteuid() == 0 ? "/run" : "";
	return safe(top) &&
	       snprintf(folder, sizeof(folder), "%s/csign-leash.XXXXXX", top) <
		   (int)sizeof(folder);
}

static int
set_up(void **state)
{
	char copy[sizeof(folder) + 32];

	(void)state;
	if (mkdtemp(folder) == NULL || chmod(folder, 0755) != 0)
		return -1;
	(void)snprintf(copy, sizeof(copy), "%s/misbehaving-courier", folder);
	copy_program(copy, 0755);
	memcpy(program, copy, strlen(copy) + 1);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	return unlink(program) == 0 ? rmdir(folder) : -1;
}

int
main(void)
{
	const char *preload = getenv("LD_PRELOAD");
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_bad_couriers),
	    cmocka_unit_test(test_frames_then_end),
	    cmocka_unit_test(test_time),
	    cmocka_unit_test(test_outcome),
	    cmocka_unit_test(test_surroundings),
	    cmocka_unit_test(test_nothing_changes),
	    cmocka_unit_test(test_own_child),
	    cmocka_unit_test(test_closed_stdio),
	    cmocka_unit_test(test_threads),
	    cmocka_unit_test(test_interrupted),
	    cmocka_unit_test(test_ends),
	    cmocka_unit_test(test_alarm),
	    cmocka_unit_test(test_unsafe_programs),
	    cmocka_unit_test(test_true),
	    cmocka_unit_test(test_users),
	    cmocka_unit_test(test_few_descriptors),
	};

	/* It keeps the hard limit of descriptors for itself. */
	if (strstr(preload == NULL ? "" : preload, "vgpreload") != NULL) {
		puts("1..0 # SKIP valgrind does not let limits be set");
		return 0;
	}
	if (!find_folder() && !is_ci()) {
		puts("1..0 # SKIP the build tree is somebody else's");
		return 0;
	}
	return cmocka_run_group_tests_name("leash", tests, set_up, tear_down);
}
