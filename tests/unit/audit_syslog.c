/* SPDX-License-Identifier: BSD-2-Clause */
/* The system's log: what it is given, where, and how long that may take. */
#include "unit.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "audit_syslog.h"
#include "clock.h"
#include "scratch.h"

/* --- the system, played --------------------------------------------------- */

static struct {
	uint64_t wall_ms;
	bool no_wall, no_boot;
	int socket_error, option_error, send_error;
} world;

enum csign_err __wrap_csign_clock_wall(uint64_t *ret_ms);
enum csign_err __real_csign_clock_boot(uint64_t *ret_ms);
enum csign_err __wrap_csign_clock_boot(uint64_t *ret_ms);
int __real_socket(int domain, int type, int protocol);
int __wrap_socket(int domain, int type, int protocol);
int __real_setsockopt(
    int fd, int level, int name, const void *value, socklen_t len);
int __wrap_setsockopt(
    int fd, int level, int name, const void *value, socklen_t len);
ssize_t __real_sendmsg(int fd, const struct msghdr *message, int flags);
ssize_t __wrap_sendmsg(int fd, const struct msghdr *message, int flags);

enum csign_err
__wrap_csign_clock_wall(uint64_t *ret_ms)
{
	*ret_ms = world.wall_ms;
	return world.no_wall ? CSIGN_E_CLOCK : CSIGN_OK;
}

enum csign_err
__wrap_csign_clock_boot(uint64_t *ret_ms)
{
	return world.no_boot ? CSIGN_E_CLOCK : __real_csign_clock_boot(ret_ms);
}

int
__wrap_socket(int domain, int type, int protocol)
{
	/* Of this host alone, and of no child of ours. */
	assert_int_equal(domain, AF_UNIX);
	assert_true((type & SOCK_CLOEXEC) != 0);
	errno = world.socket_error;
	return world.socket_error != 0 ? -1
				       : __real_socket(domain, type, protocol);
}

int
__wrap_setsockopt(int fd, int level, int name, const void *value, socklen_t len)
{
	errno = world.option_error;
	return world.option_error != 0
		   ? -1
		   : __real_setsockopt(fd, level, name, value, len);
}

ssize_t
__wrap_sendmsg(int fd, const struct msghdr *message, int flags)
{
	assert_true((flags & MSG_NOSIGNAL) != 0);
	errno = world.send_error;
	return world.send_error != 0 ? -1 : __real_sendmsg(fd, message, flags);
}

static int
reset(void **state)
{
	memset(&world, 0, sizeof(world));
	world.wall_ms = UINT64_C(1763719331999); /* 2025-11-21T10:02:11Z */
	return scratch_empty(state);
}

/* --- a log ---------------------------------------------------------------- */

static struct sockaddr_un
address(const char *name)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};

	assert_true(strlen(scratch(name)) < sizeof(at.sun_path));
	memcpy(at.sun_path, scratch(name), strlen(scratch(name)) + 1);
	return at;
}

static int
listen_at(const char *name)
{
	struct sockaddr_un at = address(name);
	int fd = __real_socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (const struct sockaddr *)&at, sizeof(at)), 0);
	return fd;
}

static enum csign_err
put(const char *first, const char *second, struct csign_why *why)
{
	char paths[2][SCRATCH_PATH];
	const char *const at[] = {
	    paths[0], second == NULL ? NULL : paths[1], NULL};

	(void)snprintf(paths[0], SCRATCH_PATH, "%s", scratch(first));
	if (second != NULL)
		(void)snprintf(paths[1], SCRATCH_PATH, "%s", scratch(second));
	return csign_syslog_put(
	    at, CSIGN_LOG_INFO, "{\"v\":1}", CSIGN_SYSLOG_BESIDE_MS, why);
}

static void
assert_heard(int fd, const char *when)
{
	char got[4096], want[256];
	ssize_t n = recv(fd, got, sizeof(got), MSG_DONTWAIT);

	assert_true(n > 0);
	(void)snprintf(want, sizeof(want), "<86>%s countersign[%ld]: {\"v\":1}",
	    when, (long)getpid());
	assert_bytes("message", got, (size_t)n, want, strlen(want));
}

static void
assert_silent(int fd)
{
	char got[16];

	assert_int_equal(recv(fd, got, sizeof(got), MSG_DONTWAIT), -1);
}

static size_t
open_files(void)
{
	DIR *dir = opendir("/proc/self/fd");
	size_t n = 0;

	assert_non_null(dir);
	while (readdir(dir) != NULL)
		n++;
	(void)closedir(dir);
	return n;
}

/* --- what it hears -------------------------------------------------------- */

static void
a_line_is_one_message(void **state)
{
	static const struct {
		uint64_t ms;
		const char *when;
	} rows[] = {
	    {UINT64_C(1763719331999), "Nov 21 10:02:11"},
	    {UINT64_C(1764547199000), "Nov 30 23:59:59"},
	    {UINT64_C(1764547200000), "Dec  1 00:00:00"},
	    {UINT64_C(0), "Jan  1 00:00:00"},
	};
	int fd = listen_at("log");

	(void)state;
	for (size_t i = 0; i < N_ROWS(rows); i++) {
		world.wall_ms = rows[i].ms;
		assert_ok(put("log", NULL, NULL));
		assert_heard(fd, rows[i].when);
		assert_silent(fd);
	}
	assert_int_equal(close(fd), 0);
}

static void
the_first_that_is_there_is_taken(void **state)
{
	int first = listen_at("first"), second = listen_at("second");

	(void)state;
	assert_ok(put("first", "second", NULL));
	assert_heard(first, "Nov 21 10:02:11");
	assert_silent(second);
	assert_ok(put("nobody", "second", NULL));
	assert_heard(second, "Nov 21 10:02:11");
	assert_ok(put("no/folder", "second", NULL));
	assert_heard(second, "Nov 21 10:02:11");
	assert_err("none", put("nobody", "nowhere", NULL), CSIGN_E_NOT_FOUND);
	/* Somebody has to listen: its daemon may have left a socket behind. */
	assert_int_equal(close(first), 0);
	assert_ok(put("first", "second", NULL));
	assert_heard(second, "Nov 21 10:02:11");
	assert_int_equal(close(second), 0);
}

static void
only_root_could_have_made_it(void **state)
{
	struct csign_why why;
	int fd = -1, inner = -1;

	(void)state;
	assert_int_equal(mkdir(scratch("open"), 0755), 0);
	fd = listen_at("open/log");
	assert_ok(put("open/log", NULL, NULL));
	assert_heard(fd, "Nov 21 10:02:11");
	assert_int_equal(chmod(scratch("open"), 0777), 0);
	assert_err("folder", put("open/log", NULL, &why), CSIGN_E_NOT_FOUND);
	assert_non_null(strstr(why.text, "write"));
	assert_int_equal(chmod(scratch("open"), 0755), 0);
	/* Nor may others move the folder away. */
	assert_int_equal(mkdir(scratch("open/inner"), 0755), 0);
	inner = listen_at("open/inner/log");
	assert_int_equal(chmod(scratch("open"), 0777), 0);
	assert_err("way", put("open/inner/log", NULL, NULL), CSIGN_E_NOT_FOUND);
	assert_int_equal(chmod(scratch("open"), 0755), 0);
	assert_ok(put("open/inner/log", NULL, NULL));
	assert_int_equal(close(inner), 0);
	assert_int_equal(unlink(scratch("open/inner/log")), 0);
	assert_int_equal(rmdir(scratch("open/inner")), 0);
	assert_int_equal(symlink("open/log", scratch("link")), 0);
	assert_err("link", put("link", NULL, NULL), CSIGN_E_NOT_FOUND);
	scratch_put_text("file", 0600, "");
	assert_err("file", put("file", NULL, NULL), CSIGN_E_NOT_FOUND);
	assert_silent(fd);
	assert_int_equal(close(fd), 0);
	assert_int_equal(unlink(scratch("open/log")), 0);
	assert_int_equal(rmdir(scratch("open")), 0);
}

/* su(1) runs as root for somebody, who could send such a line himself. */
static void
it_comes_from_the_effective_user(void **state)
{
	const uid_t uids[] = {4711, geteuid()};
	const uid_t owner = geteuid();
	int fd = listen_at("log"), on = 1;

	(void)state;
	assert_int_equal(
	    setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)), 0);
	for (size_t i = owner == 0 ? 0 : 1; i < N_ROWS(uids); i++) {
		char text[4096];
		union {
			struct cmsghdr head;
			char bytes[CMSG_SPACE(sizeof(struct ucred))];
		} control;
		struct iovec part = {text, sizeof(text)};
		struct msghdr got = {.msg_iov = &part,
		    .msg_iovlen = 1,
		    .msg_control = control.bytes,
		    .msg_controllen = sizeof(control.bytes)};
		struct ucred who = {.uid = 4711};

		assert_int_equal(setresuid(uids[i], owner, owner), 0);
		assert_ok(put("log", NULL, NULL));
		assert_int_equal(setresuid(owner, owner, owner), 0);
		assert_true(recvmsg(fd, &got, MSG_DONTWAIT) > 0);
		assert_non_null(CMSG_FIRSTHDR(&got));
		memcpy(&who, CMSG_DATA(CMSG_FIRSTHDR(&got)), sizeof(who));
		assert_int_equal(who.uid, owner);
		assert_int_equal(who.gid, getegid());
		assert_int_equal(who.pid, getpid());
	}
	assert_int_equal(close(fd), 0);
}

/* --- what may go wrong ---------------------------------------------------- */

static void
each_failure_is_told(void **state)
{
	int fd = listen_at("log");
	size_t before = open_files();
	struct csign_why why;

	(void)state;
	world.socket_error = EMFILE;
	assert_err("socket", put("log", NULL, &why), CSIGN_E_FILE);
	assert_non_null(strstr(why.text, "Too many open files"));
	world.socket_error = 0;
	world.option_error = EINVAL;
	assert_err("option", put("log", NULL, NULL), CSIGN_E_FILE);
	world.option_error = 0;
	world.send_error = ENOBUFS;
	assert_err("send", put("log", NULL, NULL), CSIGN_E_FILE);
	world.send_error = 0;
	world.no_wall = true;
	assert_err("wall", put("log", NULL, NULL), CSIGN_E_CLOCK);
	world.no_wall = false;
	world.no_boot = true;
	assert_err("boot", put("log", NULL, NULL), CSIGN_E_CLOCK);
	world.no_boot = false;
	assert_silent(fd);
	assert_ok(put("log", NULL, NULL));
	assert_heard(fd, "Nov 21 10:02:11");
	/* Nobody reads it any more, but its name is there. */
	assert_int_equal(close(fd), 0);
	assert_err("dead", put("log", NULL, NULL), CSIGN_E_NOT_FOUND);
	assert_int_equal(open_files(), before - 1);
}

static void
ring(int signo)
{
	(void)signo;
}

static uint64_t
now_ms(void)
{
	uint64_t now = 0;

	assert_ok(__real_csign_clock_boot(&now));
	return now;
}

/* A queue that is full, and signals all the time. */
static void
a_log_that_is_stuck_is_left_alone(void **state)
{
	const struct sigaction often = {.sa_handler = ring};
	const struct itimerval each = {{0, 3000}, {0, 3000}},
			       never = {{0, 0}, {0, 0}};
	struct sockaddr_un at = address("log");
	int fd = listen_at("log");
	int filler = __real_socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	uint64_t began = 0, took = 0;

	(void)state;
	while (sendto(filler, "x", 1, MSG_DONTWAIT,
		   (const struct sockaddr *)&at, sizeof(at)) == 1)
		;
	assert_int_equal(sigaction(SIGALRM, &often, NULL), 0);
	assert_int_equal(setitimer(ITIMER_REAL, &each, NULL), 0);
	began = now_ms();
	assert_err("full", put("log", NULL, NULL), CSIGN_E_FILE);
	took = now_ms() - began;
	assert_int_equal(setitimer(ITIMER_REAL, &never, NULL), 0);
	assert_true(took + 20 >= CSIGN_SYSLOG_BESIDE_MS);
	assert_true(took < CSIGN_SYSLOG_BESIDE_MS * 10);
	assert_int_equal(close(filler), 0);
	assert_int_equal(close(fd), 0);
}

#define TEST(f) cmocka_unit_test_setup(f, reset)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_line_is_one_message),
	    TEST(the_first_that_is_there_is_taken),
	    TEST(only_root_could_have_made_it),
	    TEST(it_comes_from_the_effective_user),
	    TEST(each_failure_is_told),
	    TEST(a_log_that_is_stuck_is_left_alone),
	};

	return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
