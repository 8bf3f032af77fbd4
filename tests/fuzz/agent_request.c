/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a client sends to the agent, which is root: the first byte of an input
 * is how many descriptors come with it, the rest goes through a socket.
 */
#include "config.h"

#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../../cli/agent/request.h"
#include "fuzz.h"

#define FDS_MAX 5

static void
send_all(int sock, const uint8_t *data, size_t size, size_t n_fds)
{
	static int null = -1;
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int) * FDS_MAX)];
	} control = {.bytes = ""};
	size_t head = sizeof(struct agent_head);
	struct iovec iov = {.iov_base = (void *)(uintptr_t)data,
	    .iov_len = size < head ? size : head};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
	struct cmsghdr *c;

	if (null == -1)
		null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (n_fds > 0) {
		msg.msg_control = &control;
		msg.msg_controllen = CMSG_SPACE(sizeof(int) * n_fds);
		c = CMSG_FIRSTHDR(&msg);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int) * n_fds);
		for (size_t i = 0; i < n_fds; i++)
			memcpy(
			    CMSG_DATA(c) + i * sizeof(int), &null, sizeof null);
	}
	MUST(sendmsg(sock, &msg, MSG_NOSIGNAL) == (ssize_t)iov.iov_len);
	if (size > head)
		MUST(send(sock, data + head, size - head, MSG_NOSIGNAL) ==
		     (ssize_t)(size - head));
}

static void
check_request(const struct agent_request *request)
{
	MUST(request->argc >= 2 && request->argc <= 1 + AGENT_ARGS_MAX);
	MUST(request->argv[request->argc] == NULL);
	for (int i = 1; i < request->argc; i++) {
		const char *arg = request->argv[i];

		MUST(arg >= request->text &&
		     arg + strlen(arg) < request->text + AGENT_TEXT_MAX);
	}
	for (size_t i = 0; i < AGENT_FDS; i++)
		MUST(close(request->fds[i]) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct agent_request request;
	size_t n_fds = fuzz_take(&data, &size) % (FDS_MAX + 1);
	const char *wrong;
	int fds[2], next;

	if (size == 0)
		return 0;
	MUST(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) == 0);
	send_all(fds[0], data, size, n_fds);
	MUST(close(fds[0]) == 0);
	/* As large as what an earlier input left in it must not matter. */
	memset(request.text, 'x', sizeof request.text);
	if ((wrong = agent_receive(fds[1], 1000, &request)) == NULL)
		check_request(&request);
	else
		MUST(wrong[0] != '\0');
	MUST(close(fds[1]) == 0);
	/* No descriptor is left open. */
	MUST((next = dup(0)) == fds[0] || next == -1);
	(void)close(next);
	return 0;
}
