/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "../process.h"
#include "../tty.h"
#include "agent.h"

#define STOP_MS 10000 /* for the agent to end what it does */

/* Standard output or error that the agent may not have: from a pipe to it. */
struct copy {
	int from, to; /* from: -1 when there is nothing (more) to copy */
};

struct call {
	int sock, stop_fd;
	int fds[AGENT_FDS]; /* the agent's; closed when it has them */
	struct copy copies[2];
	bool lost;        /* something could not be written */
	int64_t deadline; /* after a stop; 0: none */
};

static int
connect_agent(void)
{
	const struct sockaddr_un to = {
	    .sun_family = AF_UNIX, .sun_path = AGENT_SOCKET};
	int sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (sock != -1 &&
	    connect(sock, (const struct sockaddr *)&to, sizeof to) == 0)
		return sock;
	if (errno == ENOENT || errno == ECONNREFUSED)
		out_error("root does this, or its agent, which is not there: "
			  "\"systemctl enable --now countersign.socket\" "
			  "starts it");
	else
		out_error(AGENT_SOCKET ": %m");
	if (sock != -1)
		(void)close(sock);
	return -1;
}

/* A descriptor for the agent in place of fd; -1, with a message, if none. */
static int
offer(struct call *call, int fd)
{
	int out[2] = {-1, -1};

	if (agent_fd_safe(fd))
		return fcntl(fd, F_DUPFD_CLOEXEC, AGENT_FDS);
	/* No command reads what is no terminal. */
	if (fd == STDIN_FILENO)
		return open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (pipe2(out, O_CLOEXEC) == -1)
		return -1;
	call->copies[fd - STDOUT_FILENO] =
	    (struct copy){.from = out[0], .to = fd};
	return out[1];
}

static bool
offer_all(struct call *call)
{
	for (int fd = 0; fd < AGENT_FDS; fd++) {
		if ((call->fds[fd] = offer(call, fd)) == -1) {
			out_error("no descriptors: %m");
			return false;
		}
	}
	return true;
}

/* The arguments joined, each with its NUL. */
static bool
join(char **argv, char text[AGENT_TEXT_MAX], struct agent_head *head)
{
	for (; argv[head->n_args] != NULL; head->n_args++) {
		size_t size = strlen(argv[head->n_args]) + 1;

		if (head->n_args == AGENT_ARGS_MAX ||
		    size > AGENT_TEXT_MAX - head->len) {
			out_error("too much at once: at most %d arguments of "
				  "%d bytes together",
			    AGENT_ARGS_MAX, AGENT_TEXT_MAX);
			return false;
		}
		memcpy(text + head->len, argv[head->n_args], size);
		head->len += (uint32_t)size;
	}
	return true;
}

static bool
send_message(
    const struct call *call, struct agent_head *head, char *text, size_t len)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof call->fds)];
	} control = {0};
	struct iovec iov[2] = {{.iov_base = head, .iov_len = sizeof *head},
	    {.iov_base = text, .iov_len = len}};
	struct msghdr msg = {.msg_iov = iov,
	    .msg_iovlen = 2,
	    .msg_control = &control,
	    .msg_controllen = sizeof control};
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof call->fds);
	memcpy(CMSG_DATA(c), call->fds, sizeof call->fds);
	/* A stream socket that blocks takes all, or there is nobody. */
	return sendmsg(call->sock, &msg, MSG_NOSIGNAL) ==
	       (ssize_t)(sizeof *head + len);
}

static bool
send_request(const struct call *call, char **argv)
{
	struct agent_head head = {.flags = tty_utf8() ? AGENT_UTF8 : 0};
	static char text[AGENT_TEXT_MAX];

	memcpy(head.magic, AGENT_MAGIC, sizeof head.magic);
	if (!join(argv, text, &head))
		return false;
	if (!send_message(call, &head, text, head.len)) {
		out_error("the agent does not listen: %m");
		return false;
	}
	return true;
}

static void
close_offered(struct call *call)
{
	for (int fd = 0; fd < AGENT_FDS; fd++)
		if (call->fds[fd] != -1)
			(void)close(call->fds[fd]);
}

static bool
write_all(int fd, const char *bytes, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, bytes, len);

		if (n == -1 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		bytes += n;
		len -= (size_t)n;
	}
	return true;
}

/* What is in the pipe now; at its end, no more. */
static void
pump(struct call *call, struct copy *copy)
{
	char bytes[4096];
	ssize_t n = read(copy->from, bytes, sizeof bytes);

	if (n == -1 && errno == EINTR)
		return;
	if (n <= 0) {
		(void)close(copy->from);
		copy->from = -1;
	} else if (!write_all(copy->to, bytes, (size_t)n)) {
		call->lost = true;
	}
}

/* The status that the agent reports. */
static enum out_status
take_reply(const struct call *call)
{
	struct agent_reply reply;
	ssize_t n = recv(call->sock, &reply, sizeof reply, MSG_WAITALL);

	if (n == sizeof reply &&
	    memcmp(reply.magic, AGENT_MAGIC, sizeof reply.magic) == 0 &&
	    reply.status <= STATUS_TROUBLE)
		return (enum out_status)reply.status;
	out_error("the agent ended without an answer; its log may say why");
	return STATUS_TROUBLE;
}

/* Tells the agent, which then ends the command and says so. */
static void
stop(struct call *call)
{
	(void)shutdown(call->sock, SHUT_WR);
	call->stop_fd = -1;
	call->deadline = agent_now_ms() + STOP_MS;
}

/* Copies and waits until the agent has answered and all is written. */
static enum out_status
attend(struct call *call)
{
	enum out_status status = STATUS_TROUBLE;
	bool answered = false;

	while (!answered || call->copies[0].from != -1 ||
	       call->copies[1].from != -1) {
		struct pollfd fds[4] = {
		    {.fd = answered ? -1 : call->sock, .events = POLLIN},
		    {.fd = call->stop_fd, .events = POLLIN},
		    {.fd = call->copies[0].from, .events = POLLIN},
		    {.fd = call->copies[1].from, .events = POLLIN}};

		if (call->deadline != 0 && agent_now_ms() > call->deadline) {
			out_error("the agent does not answer any more");
			return STATUS_TROUBLE;
		}
		if (poll(fds, 4, call->deadline == 0 ? -1 : 1000) == -1)
			continue;
		for (size_t i = 0; i < 2; i++)
			if (fds[2 + i].revents != 0)
				pump(call, &call->copies[i]);
		if (fds[1].revents != 0)
			stop(call);
		if (fds[0].revents != 0) {
			answered = true;
			status = take_reply(call);
		}
	}
	if (!call->lost)
		return status;
	out_error("standard output could not be written");
	return STATUS_TROUBLE;
}

enum out_status
agent_call(char **argv)
{
	struct call call = {.sock = -1,
	    .stop_fd = -1,
	    .fds = {-1, -1, -1},
	    .copies = {{.from = -1}, {.from = -1}}};
	enum out_status status = STATUS_TROUBLE;
	bool sent = false;

	if (!process_stop_fd(&call.stop_fd)) {
		out_error("no handler for signals: %m");
		return STATUS_TROUBLE;
	}
	if ((call.sock = connect_agent()) == -1)
		return STATUS_TROUBLE;
	if (offer_all(&call))
		sent = send_request(&call, argv);
	close_offered(&call);
	if (sent)
		status = attend(&call);
	(void)close(call.sock);
	return status;
}
