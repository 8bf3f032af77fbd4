/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "account.h"
#include "bounds.h"
#include "clock.h"
#include "leash.h"
#include "spawn.h"

/* What the courier may take after its time for the last words. */
#define LEASH_GRACE_MS (CSIGN_OUTCOME_TIMEOUT_MS + 2000)

struct csign_leash {
	int fd; /* -1 when the courier has been killed */
	int pidfd;
	unsigned char packet[CSIGN_FRAME_MAX];
};

static void
leash_close(struct csign_leash *leash)
{
	if (leash->fd >= 0)
		(void)close(leash->fd);
	if (leash->pidfd >= 0)
		(void)close(leash->pidfd);
	leash->fd = leash->pidfd = -1;
}

static void
leash_kill(struct csign_leash *leash)
{
	/* Gone already is fine; nothing else can go wrong. */
	if (leash->pidfd >= 0)
		(void)pidfd_send_signal(leash->pidfd, SIGKILL, NULL, 0);
	leash_close(leash);
}

static enum csign_err
leash_send(struct csign_leash *leash, const struct csign_buf *frame)
{
	ssize_t n;

	if (leash->fd < 0)
		return CSIGN_E_COURIER;
	do
		n = send(leash->fd, csign_buf_data(frame), csign_buf_len(frame),
		    MSG_NOSIGNAL | MSG_DONTWAIT);
	while (n < 0 && errno == EINTR);
	/* A packet goes whole or not at all. */
	return n < 0 ? CSIGN_E_COURIER : CSIGN_OK;
}

/* Who the courier runs as: never root. */
static enum csign_err
find_user(const char *user, struct csign_spawn *spawn, struct csign_why *why)
{
	struct csign_account account;
	enum csign_err r;

	if (geteuid() != 0)
		return CSIGN_OK;
	if (user == NULL || user[0] == '\0') {
		csign_why_set(why, "no courier_user is set");
		return CSIGN_E_CONFIG;
	}
	r = csign_account_find(user, &account, why);
	if (r == CSIGN_E_UNKNOWN_USER || r == CSIGN_E_INVALID) {
		csign_why_set(
		    why, "courier_user: there is no account %s", user);
		return CSIGN_E_CONFIG;
	}
	if (r != CSIGN_OK)
		return r;
	if (account.uid == 0) {
		csign_why_set(why, "courier_user: %s is root", user);
		return CSIGN_E_CONFIG;
	}
	spawn->change_user = true;
	spawn->uid = account.uid;
	spawn->gid = account.gid;
	return CSIGN_OK;
}

/* The job waits in the socket before the courier is there to read it. */
static enum csign_err
leash_put_job(struct csign_leash *leash, const struct csign_job *job)
{
	enum csign_err r = CSIGN_E_INTERNAL;
	struct csign_buf *frame = NULL;

	if ((r = csign_buf_new(CSIGN_FRAME_MAX, &frame)) != CSIGN_OK ||
	    (r = csign_frame_job(frame, job)) != CSIGN_OK)
		goto out;
	r = leash_send(leash, frame);
out:
	csign_buf_free(&frame);
	return r;
}

enum csign_err
csign_leash_start(const char *program, const char *user, uint32_t life_ms,
    const struct csign_job *job, struct csign_why *why,
    struct csign_leash **ret_leash)
{
	enum csign_err r = CSIGN_E_INTERNAL;
	struct csign_leash *leash = NULL;
	struct csign_spawn spawn = {.program = program, .socket = -1};
	int pair[2] = {-1, -1};

	leash = calloc(1, sizeof(*leash));
	if (leash == NULL) {
		r = CSIGN_E_NOMEM;
		goto out;
	}
	leash->fd = leash->pidfd = -1;
	if ((r = find_user(user, &spawn, why)) != CSIGN_OK)
		goto out;
	r = CSIGN_E_SYSTEM;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0 ||
	    (pair[0] = csign_fd_above_stdio(pair[0])) < 0) {
		csign_why_errno(why, errno, "no socket for the courier");
		goto out;
	}
	leash->fd = pair[0];
	if ((r = leash_put_job(leash, job)) != CSIGN_OK) {
		csign_why_set(why, "the courier's job could not be written");
		goto out;
	}
	spawn.socket = pair[1];
	spawn.alarm_s = (life_ms / 1000) + (LEASH_GRACE_MS / 1000) + 1;
	if ((r = csign_spawn(&spawn, why, &leash->pidfd)) != CSIGN_OK)
		goto out;
	*ret_leash = leash;
	leash = NULL;
out:
	if (pair[1] >= 0)
		(void)close(pair[1]);
	csign_leash_free(&leash);
	return r;
}

int
csign_leash_fd(const struct csign_leash *leash)
{
	return leash->fd;
}

static enum csign_err
leash_broken(struct csign_leash *leash, struct csign_why *why, const char *what)
{
	csign_why_set(why, "the courier %s", what);
	leash_kill(leash);
	return CSIGN_E_COURIER;
}

static enum csign_err
leash_ended(struct csign_leash *leash, struct csign_why *why)
{
	const int sig = csign_spawn_end_signal(leash->pidfd);

	if (sig == SIGSYS)
		return leash_broken(leash, why,
		    "was stopped by its sandbox; the kernel's log has the "
		    "system call");
	if (sig == SIGALRM || sig == SIGXCPU)
		return leash_broken(leash, why, "took too long");
	return leash_broken(
	    leash, why, sig == 0 ? "went away" : "was ended by a signal");
}

/* Whatever is there now. */
static enum csign_err
leash_receive(struct csign_leash *leash, struct csign_why *why,
    struct csign_frame *ret_frame)
{
	struct csign_frame frame;
	ssize_t n;

	do
		n = recv(leash->fd, leash->packet, sizeof(leash->packet),
		    MSG_DONTWAIT | MSG_TRUNC);
	while (n < 0 && errno == EINTR);
	if (n < 0 && errno == EAGAIN)
		return CSIGN_E_AGAIN;
	if (n <= 0)
		return leash_ended(leash, why);
	if ((size_t)n > sizeof(leash->packet) ||
	    csign_frame_read(leash->packet, (size_t)n, &frame) != CSIGN_OK ||
	    frame.type < CSIGN_FRAME_CREATED)
		return leash_broken(leash, why, "sent something unreadable");
	*ret_frame = frame;
	return CSIGN_OK;
}

/* Readable or the time is over (CSIGN_E_AGAIN). */
static enum csign_err
leash_sleep(const struct csign_leash *leash, int timeout_ms)
{
	struct pollfd pfd = {.fd = leash->fd, .events = POLLIN};
	uint64_t began, now;
	int left = timeout_ms, n;

	if (csign_clock_boot(&began) != CSIGN_OK)
		return CSIGN_E_CLOCK;
	for (;;) {
		n = poll(&pfd, 1, left);
		if (n > 0)
			return CSIGN_OK;
		if (n < 0 && errno != EINTR)
			return CSIGN_E_SYSTEM;
		if (timeout_ms < 0)
			continue;
		if (csign_clock_boot(&now) != CSIGN_OK)
			return CSIGN_E_CLOCK;
		if (now - began >= (uint64_t)timeout_ms)
			return CSIGN_E_AGAIN;
		left = timeout_ms - (int)(now - began);
	}
}

enum csign_err
csign_leash_next(struct csign_leash *leash, int timeout_ms,
    struct csign_why *why, struct csign_frame *ret_frame)
{
	enum csign_err r;

	if (leash->fd < 0) {
		csign_why_set(why, "the courier went away");
		return CSIGN_E_COURIER;
	}
	if ((r = leash_receive(leash, why, ret_frame)) != CSIGN_E_AGAIN ||
	    timeout_ms == 0)
		return r;
	if ((r = leash_sleep(leash, timeout_ms)) != CSIGN_OK)
		return r;
	return leash_receive(leash, why, ret_frame);
}

enum csign_err
csign_leash_outcome(struct csign_leash *leash, enum csign_outcome outcome,
    const char *reason, uint8_t tries_left, const char *device)
{
	enum csign_err r = CSIGN_E_INTERNAL;
	struct csign_buf *frame = NULL;

	if ((r = csign_buf_new(CSIGN_FRAME_MAX, &frame)) != CSIGN_OK ||
	    (r = csign_frame_outcome(
		 frame, outcome, reason, tries_left, device)) != CSIGN_OK)
		goto out;
	r = leash_send(leash, frame);
out:
	csign_buf_free(&frame);
	return r;
}

enum csign_err
csign_leash_removed(struct csign_leash *leash, const char *device)
{
	enum csign_err r = CSIGN_E_INTERNAL;
	struct csign_frame removed = {.type = CSIGN_FRAME_REMOVED};
	struct csign_buf *frame = NULL;

	if (strlen(device) >= sizeof(removed.device))
		return CSIGN_E_INVALID;
	memcpy(removed.device, device, strlen(device) + 1);
	if ((r = csign_buf_new(CSIGN_FRAME_MAX, &frame)) != CSIGN_OK ||
	    (r = csign_frame_write(frame, &removed)) != CSIGN_OK)
		goto out;
	r = leash_send(leash, frame);
out:
	csign_buf_free(&frame);
	return r;
}

void
csign_leash_free(struct csign_leash **leash)
{
	if (leash == NULL || *leash == NULL)
		return;
	leash_close(*leash);
	free(*leash);
	*leash = NULL;
}

void
csign_leash_kill(struct csign_leash **leash)
{
	if (leash == NULL || *leash == NULL)
		return;
	leash_kill(*leash);
	csign_leash_free(leash);
}
