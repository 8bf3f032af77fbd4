/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A courier that does what a test tells it: a real process in the courier's
 * place, whose every packet comes from outside.  It connects to the socket
 * "control" beside itself; one packet there is one order or one report.
 *
 * Orders: S bytes: say them to the library.  N u32 bytes: say them so often.
 * B u32: say a packet of so many bytes.  C: hang up.  H: say no more, but
 * listen.  I: ignore every signal.  K u8: such a signal to itself.  X u8: exit.
 * Reports: F bytes: what the library said.  Z: it has hung up.  E u32: an
 * order could not be carried out; an errno.
 */
#include "config.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define LIBRARY 3
#define PACKET_MAX 70000
#define PLACE "/control"

static int control = -1;
static unsigned char packet[PACKET_MAX + 1];

static void
report(char what, const void *bytes, size_t len)
{
	static unsigned char out[PACKET_MAX + 1];

	out[0] = (unsigned char)what;
	if (len > 0)
		memcpy(out + 1, bytes, len);
	if (send(control, out, len + 1, MSG_NOSIGNAL) < 0)
		_exit(2);
}

static void
report_errno(void)
{
	const uint32_t number = (uint32_t)errno;

	report('E', &number, sizeof(number));
}

static void
say(const void *bytes, size_t len)
{
	if (send(LIBRARY, bytes, len, MSG_NOSIGNAL) < 0)
		report_errno();
}

static void
say_often(uint32_t times, const void *bytes, size_t len)
{
	for (uint32_t i = 0; i < times; i++) {
		if (send(LIBRARY, bytes, len, MSG_NOSIGNAL) < 0) {
			report_errno();
			return;
		}
	}
}

/* The head of an ANSWER, and nothing good behind it. */
static void
say_much(size_t len)
{
	unsigned char *bytes = calloc(1, len);

	if (bytes == NULL || len < 5)
		_exit(2);
	memcpy(bytes, "csf1\x12", 5);
	say(bytes, len);
	free(bytes);
}

static void
ignore_signals(void)
{
	for (int sig = 1; sig < NSIG; sig++)
		(void)signal(sig, SIG_IGN);
}

static uint32_t
number_at(const unsigned char *bytes, size_t len)
{
	uint32_t n = 0;

	if (len < sizeof(n))
		_exit(2);
	memcpy(&n, bytes, sizeof(n));
	return n;
}

static void
obey(const unsigned char *order, size_t len)
{
	const unsigned char *bytes = order + 1;

	len--;
	switch (order[0]) {
	case 'S':
		say(bytes, len);
		break;
	case 'N':
		say_often(number_at(bytes, len), bytes + 4, len - 4);
		break;
	case 'B':
		say_much(number_at(bytes, len));
		break;
	case 'C':
		(void)close(LIBRARY);
		break;
	case 'H':
		(void)shutdown(LIBRARY, SHUT_WR);
		break;
	case 'I':
		ignore_signals();
		break;
	case 'K':
		(void)signal(bytes[0], SIG_DFL);
		(void)raise(bytes[0]);
		break;
	default:
		_exit(len > 0 ? bytes[0] : 0);
	}
}

static int
find_control(void)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	char *end;
	ssize_t n;

	n = readlink(
	    "/proc/self/exe", to.sun_path, sizeof(to.sun_path) - sizeof(PLACE));
	if (n <= 0 || (end = strrchr(to.sun_path, '/')) == NULL)
		return -1;
	memcpy(end, PLACE, sizeof(PLACE));
	control = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (control < 0)
		return -1;
	return connect(control, (const struct sockaddr *)&to, sizeof(to));
}

int
main(void)
{
	struct pollfd fds[] = {
	    {.fd = -1, .events = POLLIN}, {.fd = LIBRARY, .events = POLLIN}};
	ssize_t n;

	if (find_control() != 0)
		return 2;
	fds[0].fd = control;
	for (;;) {
		if (poll(fds, 2, -1) < 0)
			continue;
		if (fds[1].revents != 0) {
			n = recv(LIBRARY, packet, PACKET_MAX, MSG_DONTWAIT);
			if (n > 0) {
				report('F', packet, (size_t)n);
			} else if (n == 0 || errno != EAGAIN) {
				fds[1].fd = -1;
				report('Z', NULL, 0);
			}
		}
		if (fds[0].revents != 0) {
			n = recv(control, packet, PACKET_MAX, 0);
			if (n <= 0)
				return 0;
			obey(packet, (size_t)n);
		}
	}
}
