/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is below the library: a courier that is no process, time that costs
 * none, and the accounts of the host.  Each is the real thing outside a login.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "login_impl.h"
#include "spawn.h"

#define TICK_US 10 /* that pass whenever somebody looks at the clock */
#define EPOCH UINT64_C(1795341600) /* 2026-11-22T10:00:00Z, at boot */
#define FDS 256

_Thread_local struct login *login_on_stage;

bool
login_is_backstage(void)
{
	return login_on_stage == NULL || login_on_stage->backstage > 0;
}

int
login_fault(struct login *l, const char *call)
{
	int error;

	if (l->backstage > 0 || l->script == NULL || l->script->fault == NULL)
		return 0;
	l->backstage++;
	error = l->script->fault(l->script->arg, call);
	l->backstage--;
	return error;
}

/* --- time -----------------------------------------------------------------
 */

int __real_clock_gettime(clockid_t id, struct timespec *ts);
int __wrap_clock_gettime(clockid_t id, struct timespec *ts);
int __real_nanosleep(const struct timespec *time, struct timespec *left);
int __wrap_nanosleep(const struct timespec *time, struct timespec *left);
int __real_poll(struct pollfd *fds, nfds_t n, int timeout_ms);
int __wrap_poll(struct pollfd *fds, nfds_t n, int timeout_ms);

uint64_t
login_wall(const struct login *l)
{
	return EPOCH + l->now_us / 1000000;
}

int
__wrap_clock_gettime(clockid_t id, struct timespec *ts)
{
	struct login *l = login_on_stage;
	uint64_t seconds;

	if (l == NULL)
		return __real_clock_gettime(id, ts);
	if ((errno = login_fault(l, "clock_gettime")) != 0)
		return -1;
	if (l->backstage == 0)
		l->now_us += TICK_US;
	seconds = id == CLOCK_REALTIME ? login_wall(l) : l->now_us / 1000000;
	*ts = (struct timespec){.tv_sec = (time_t)seconds,
	    .tv_nsec = (long)(l->now_us % 1000000) * 1000};
	return 0;
}

int
__wrap_nanosleep(const struct timespec *time, struct timespec *left)
{
	struct login *l = login_on_stage;

	if (l == NULL)
		return __real_nanosleep(time, left);
	if ((errno = login_fault(l, "nanosleep")) != 0)
		return -1;
	l->now_us +=
	    (uint64_t)time->tv_sec * 1000000 + (uint64_t)time->tv_nsec / 1000;
	return 0;
}

void
login_sleep(struct login *l, uint32_t ms)
{
	l->now_us += (uint64_t)ms * 1000;
}

uint64_t
login_now(const struct login *l)
{
	return (l->now_us - l->began_us) / 1000;
}

void
login_call_courier(struct login *l, enum login_moment moment)
{
	const struct login_script *s = l->script;
	uint32_t ms = LOGIN_NEVER;

	l->courier_next_us = UINT64_MAX;
	if (s->courier == NULL)
		return;
	l->backstage++;
	ms = s->courier(s->arg, l, moment);
	l->backstage--;
	if (ms != LOGIN_NEVER)
		l->courier_next_us =
		    l->now_us + (uint64_t)(ms > 0 ? ms : 1) * 1000;
}

/*
 * Nothing is there to be read: the courier's turn, if it is, and then the next
 * moment at which anything can happen.
 */
static int
wait_for_moment(struct login *l, struct pollfd *fds, nfds_t n, uint64_t end)
{
	uint64_t next;
	int ready;

	for (;;) {
		if ((ready = __real_poll(fds, n, 0)) != 0)
			return ready;
		if (l->courier_next_us <= l->now_us) {
			login_call_courier(l, LOGIN_WAITS);
			if ((ready = __real_poll(fds, n, 0)) != 0)
				return ready;
		}
		if (l->now_us >= end)
			return 0;
		next = l->courier_next_us < end ? l->courier_next_us : end;
		if (next == UINT64_MAX) {
			l->result.stuck = true;
			errno = EDEADLK;
			return -1;
		}
		if (next > l->now_us)
			l->now_us = next;
	}
}

int
__wrap_poll(struct pollfd *fds, nfds_t n, int timeout_ms)
{
	struct login *l = login_on_stage;
	int error;

	if (l == NULL)
		return __real_poll(fds, n, timeout_ms);
	if ((error = login_fault(l, "poll")) != 0) {
		errno = error;
		return -1;
	}
	return wait_for_moment(l, fds, n,
	    timeout_ms < 0 ? UINT64_MAX
			   : l->now_us + (uint64_t)timeout_ms * 1000);
}

int
login_count_fds(void)
{
	struct pollfd fds[FDS];
	int n = 0;

	for (int i = 0; i < FDS; i++)
		fds[i] = (struct pollfd){.fd = i};
	(void)__real_poll(fds, FDS, 0);
	for (int i = 0; i < FDS; i++)
		n += (fds[i].revents & POLLNVAL) == 0;
	return n;
}

/* --- accounts -------------------------------------------------------------
 */

int __real_getpwnam_r(const char *name, struct passwd *pwd, char *buf,
    size_t size, struct passwd **ret);
int __wrap_getpwnam_r(const char *name, struct passwd *pwd, char *buf,
    size_t size, struct passwd **ret);
int __real_getpwuid_r(
    uid_t uid, struct passwd *pwd, char *buf, size_t size, struct passwd **ret);
int __wrap_getpwuid_r(
    uid_t uid, struct passwd *pwd, char *buf, size_t size, struct passwd **ret);

/* The first with a uid has the canonical name. */
static const struct {
	const char *name;
	uid_t uid;
} accounts[] = {{"root", 0}, {"alice", 1001}, {"al", 1001}, {"bob", 1002},
    {"carol", 1003}, {"courier", 990}};

#define N_ACCOUNTS (sizeof(accounts) / sizeof(accounts[0]))

static int
found(size_t i, struct passwd *pwd, char *buf, size_t size, struct passwd **ret)
{
	*ret = NULL;
	if (i == N_ACCOUNTS)
		return 0;
	(void)snprintf(buf, size, "%s", accounts[i].name);
	*pwd = (struct passwd){.pw_name = buf,
	    .pw_uid = accounts[i].uid,
	    .pw_gid = accounts[i].uid};
	*ret = pwd;
	return 0;
}

int
__wrap_getpwnam_r(const char *name, struct passwd *pwd, char *buf, size_t size,
    struct passwd **ret)
{
	size_t i = 0;
	int error;

	if (login_on_stage == NULL)
		return __real_getpwnam_r(name, pwd, buf, size, ret);
	*ret = NULL;
	if ((error = login_fault(login_on_stage, "getpwnam_r")) != 0)
		return error;
	while (i < N_ACCOUNTS && strcmp(accounts[i].name, name) != 0)
		i++;
	return found(i, pwd, buf, size, ret);
}

int
__wrap_getpwuid_r(
    uid_t uid, struct passwd *pwd, char *buf, size_t size, struct passwd **ret)
{
	size_t i = 0;
	int error;

	if (login_on_stage == NULL)
		return __real_getpwuid_r(uid, pwd, buf, size, ret);
	*ret = NULL;
	if ((error = login_fault(login_on_stage, "getpwuid_r")) != 0)
		return error;
	while (i < N_ACCOUNTS && accounts[i].uid != uid)
		i++;
	return found(i, pwd, buf, size, ret);
}

/* --- the courier ----------------------------------------------------------
 */

enum csign_err __real_csign_spawn(
    const struct csign_spawn *spawn, struct csign_why *why, int *ret_pidfd);
enum csign_err __wrap_csign_spawn(
    const struct csign_spawn *spawn, struct csign_why *why, int *ret_pidfd);
int __real_pidfd_send_signal(
    int pidfd, int signal, siginfo_t *info, unsigned int flags);
int __wrap_pidfd_send_signal(
    int pidfd, int signal, siginfo_t *info, unsigned int flags);

static void
forget_job(struct login *l)
{
	csign_buf_free(&l->job_store);
	l->job = (struct csign_job){.op = 0};
	for (size_t i = 0; i < l->n_answers; i++)
		free((void *)(uintptr_t)l->answers[i].bytes);
	l->n_answers = 0;
	l->link[0] = l->digits[0] = '\0';
}

/* The job waits in the socket already. */
static void
take_job(struct login *l)
{
	ssize_t n =
	    recv(l->courier, l->packet, sizeof(l->packet), MSG_DONTWAIT);

	if (n <= 0 || csign_frame_read_job(l->packet, (size_t)n, &l->job_store,
			  &l->job) != CSIGN_OK)
		login_fail("the courier's job cannot be read");
	l->born_us = l->now_us;
	l->result.jobs++;
}

enum csign_err
__wrap_csign_spawn(
    const struct csign_spawn *spawn, struct csign_why *why, int *ret_pidfd)
{
	struct login *l = login_on_stage;
	int pidfd;

	if (l == NULL)
		return __real_csign_spawn(spawn, why, ret_pidfd);
	if (login_fault(l, "csign_spawn") != 0) {
		csign_why_set(why, "the courier cannot be started");
		return CSIGN_E_COURIER;
	}
	l->backstage++;
	login_courier_end(l);
	l->courier = fcntl(spawn->socket, F_DUPFD_CLOEXEC, 3);
	/* The leash sends it SIGKILL and closes it. */
	pidfd = eventfd(0, EFD_CLOEXEC);
	if (l->courier < 0 || pidfd < 0)
		login_fail("no descriptor");
	take_job(l);
	l->backstage--;
	login_call_courier(l, LOGIN_STARTED);
	*ret_pidfd = pidfd;
	return CSIGN_OK;
}

int
__wrap_pidfd_send_signal(
    int pidfd, int signal, siginfo_t *info, unsigned int flags)
{
	struct login *l = login_on_stage;
	int error;

	if (l == NULL)
		return __real_pidfd_send_signal(pidfd, signal, info, flags);
	if ((error = login_fault(l, "pidfd_send_signal")) != 0) {
		errno = error;
		return -1;
	}
	l->result.killed = l->result.killed || signal == SIGKILL;
	return 0;
}

void
login_courier_begin(struct login *l)
{
	l->courier = -1;
	l->courier_next_us = UINT64_MAX;
}

void
login_courier_end(struct login *l)
{
	struct csign_frame frame;

	while (login_hear(l, &frame))
		continue;
	login_hang_up(l);
	forget_job(l);
}

const struct csign_job *
login_job(const struct login *l)
{
	return l->job_store == NULL ? NULL : &l->job;
}

void
login_hang_up(struct login *l)
{
	if (l->courier >= 0)
		(void)close(l->courier);
	l->courier = -1;
}

/* For the oracle: "csf1" 18 u16be length and bytes; the same ones once. */
static void
remember_answer(struct login *l, const unsigned char *packet, size_t len)
{
	unsigned char *copy;
	size_t n;

	if (len < 7 || memcmp(packet, "csf1\022", 5) != 0)
		return;
	n = (size_t)packet[5] << 8 | packet[6];
	if (n == 0 || n != len - 7 || l->n_answers == LOGIN_ANSWERS)
		return;
	for (size_t i = 0; i < l->n_answers; i++)
		if (l->answers[i].len == n &&
		    memcmp(l->answers[i].bytes, packet + 7, n) == 0)
			return;
	if ((copy = malloc(n)) == NULL)
		login_fail("memory");
	memcpy(copy, packet + 7, n);
	l->answers[l->n_answers++] =
	    (struct oracle_bytes){copy, n, l->now_us / 1000};
}

bool
login_send(struct login *l, const void *packet, size_t len)
{
	bool sent;

	l->backstage++;
	sent = l->courier >= 0 &&
	       send(l->courier, packet, len, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0;
	if (sent)
		remember_answer(l, packet, len);
	l->backstage--;
	return sent;
}

bool
login_send_frame(struct login *l, enum csign_frame_type type, uint8_t code,
    const void *bytes, size_t len)
{
	const struct csign_frame frame = {
	    .type = type, .code = code, .bytes = bytes, .len = len};
	struct csign_buf *out = NULL;
	bool sent = false;

	l->backstage++;
	if (csign_buf_new(CSIGN_FRAME_MAX, &out) == CSIGN_OK &&
	    csign_frame_write(out, &frame) == CSIGN_OK)
		sent = login_send(l, csign_buf_data(out), csign_buf_len(out));
	csign_buf_free(&out);
	l->backstage--;
	return sent;
}

bool
login_hear(struct login *l, struct csign_frame *ret_frame)
{
	struct login_result *result = &l->result;
	ssize_t n;

	if (l->courier < 0)
		return false;
	l->backstage++;
	n = recv(l->courier, l->packet, sizeof(l->packet), MSG_DONTWAIT);
	l->backstage--;
	if (n <= 0)
		return false;
	if (csign_frame_read(l->packet, (size_t)n, ret_frame) != CSIGN_OK)
		login_fail("the library sent something unreadable");
	if (ret_frame->type == CSIGN_FRAME_OUTCOME) {
		result->outcome = (enum csign_outcome)ret_frame->code;
		n = ret_frame->len < sizeof(result->reason)
			? (ssize_t)ret_frame->len
			: (ssize_t)sizeof(result->reason) - 1;
		memcpy(result->reason, ret_frame->bytes, (size_t)n);
		result->reason[n] = '\0';
	}
	return true;
}
