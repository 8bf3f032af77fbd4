/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "request.h"

/* Room for as many descriptors as the kernel passes at once. */
#define FDS_MAX 253

/* False when the deadline comes first. */
static bool
wait_readable(int sock, int64_t deadline)
{
	struct pollfd pfd = {.fd = sock, .events = POLLIN};
	int64_t left;
	int n;

	do {
		left = deadline - agent_now_ms();
		if (left <= 0)
			return false;
		n = poll(&pfd, 1, (int)left);
	} while (n == -1 && errno == EINTR);
	return n == 1;
}

/* The descriptors of one message; returns how many came. */
static size_t
take_fds(struct msghdr *msg, int *fds)
{
	size_t n = 0;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c != NULL;
	     c = CMSG_NXTHDR(msg, c)) {
		size_t more = (c->cmsg_len - CMSG_LEN(0)) / sizeof(*fds);

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS ||
		    more > FDS_MAX - n)
			continue;
		memcpy(fds + n, CMSG_DATA(c), more * sizeof(*fds));
		n += more;
	}
	return n;
}

static void
close_fds(const int *fds, size_t n)
{
	for (size_t i = 0; i < n; i++)
		(void)close(fds[i]);
}

/* The head and the descriptors, which come with its first byte. */
static const char *
receive_head(int sock, struct agent_head *head, int fds[AGENT_FDS])
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int) * FDS_MAX)];
	} control;
	struct iovec iov = {.iov_base = head, .iov_len = sizeof *head};
	struct msghdr msg = {.msg_iov = &iov,
	    .msg_iovlen = 1,
	    .msg_control = &control,
	    .msg_controllen = sizeof control};
	int all[FDS_MAX];
	const char *wrong = NULL;
	ssize_t n;
	size_t n_fds;

	n = recvmsg(sock, &msg, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
	if (n == -1)
		return "unreadable";
	n_fds = take_fds(&msg, all);
	if (n == 0)
		wrong = "nothing";
	else if ((size_t)n != sizeof *head)
		wrong = "head";
	else if ((msg.msg_flags & MSG_CTRUNC) != 0 || n_fds != AGENT_FDS)
		wrong = "descriptors";
	if (wrong != NULL) {
		close_fds(all, n_fds);
		return wrong;
	}
	memcpy(fds, all, sizeof(int) * AGENT_FDS);
	return NULL;
}

/* Exactly len bytes; a plain recv(2) lets no further descriptor in. */
static const char *
receive_text(int sock, char *text, size_t len, int64_t deadline)
{
	size_t have = 0;

	while (have < len) {
		ssize_t n;

		if (!wait_readable(sock, deadline))
			return "slow";
		n = recv(sock, text + have, len - have, MSG_DONTWAIT);
		if (n == 0)
			return "short";
		if (n > 0)
			have += (size_t)n;
		else if (errno != EINTR && errno != EAGAIN)
			return "unreadable";
	}
	return NULL;
}

/* The strings, which fill the text to its last byte. */
static const char *
split(struct agent_request *request, const struct agent_head *head)
{
	static char program[] = "countersign";
	char *at = request->text, *end = request->text + head->len;
	int argc = 1;

	for (uint32_t i = 0; i < head->n_args; i++) {
		char *nul = memchr(at, '\0', (size_t)(end - at));

		if (nul == NULL)
			return "arguments";
		request->argv[argc++] = at;
		at = nul + 1;
	}
	if (at != end)
		return "arguments";
	request->argv[0] = program;
	request->argv[argc] = NULL;
	request->argc = argc;
	return NULL;
}

static const char *
check_head(const struct agent_head *head)
{
	if (memcmp(head->magic, AGENT_MAGIC, sizeof head->magic) != 0)
		return "magic";
	if ((head->flags & ~AGENT_UTF8) != 0)
		return "flags";
	if (head->n_args == 0 || head->n_args > AGENT_ARGS_MAX ||
	    head->len > AGENT_TEXT_MAX)
		return "size";
	return NULL;
}

static const char *
check_fds(const int fds[AGENT_FDS])
{
	for (size_t i = 0; i < AGENT_FDS; i++)
		if (!agent_fd_safe(fds[i]))
			return "kind of descriptor";
	return NULL;
}

const char *
agent_receive(int sock, int timeout_ms, struct agent_request *request)
{
	int64_t deadline = agent_now_ms() + timeout_ms;
	struct agent_head head;
	const char *wrong;

	if (!wait_readable(sock, deadline))
		return "slow";
	if ((wrong = receive_head(sock, &head, request->fds)) != NULL)
		return wrong;
	if ((wrong = check_head(&head)) == NULL &&
	    (wrong = check_fds(request->fds)) == NULL &&
	    (wrong = receive_text(sock, request->text, head.len, deadline)) ==
		NULL)
		wrong = split(request, &head);
	if (wrong != NULL) {
		close_fds(request->fds, AGENT_FDS);
		return wrong;
	}
	request->utf8 = (head.flags & AGENT_UTF8) != 0;
	return NULL;
}
