/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Connections to the service that are no good: COUNT of them are kept up, and
 * opened again when the service has closed them, until the input ends.
 *
 *   silent   connects, and says nothing
 *   stall    half a TLS handshake
 *   head     TLS, then a header that grows by one byte a second
 *   body     TLS, then the body of an answer, a byte a second
 *   nearly   TLS, then a whole answer but for its last byte
 *   length   TLS, then a body of 1 GB, as long as it is taken
 *   chunks   TLS, then a chunked body without an end
 *
 * Says "up" when all have been opened once, and at the end a JSON object: how
 * many were opened, how many had a reply, and of which status.
 * usage: flood HOST:PORT CA KIND COUNT
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define TURN_MS 1000   /* between two bytes of one connection */
#define OPEN_MS 2000   /* for a handshake */
#define CHUNK 16384    /* of a body without an end */
#define BODY_MAX 16384 /* that the service takes */
#define STATUS_MAX 600

static const char head[] = "POST /links/AAAAAAAAAAAAAAAAAAAAAA/answer "
			   "HTTP/1.1\r\nHost: x\r\n"
			   "Content-Type: application/json\r\n";

enum kind { SILENT, STALL, HEAD, BODY, NEARLY, LENGTH, CHUNKS, N_KINDS };

static const char *const kinds[N_KINDS] = {
    "silent", "stall", "head", "body", "nearly", "length", "chunks"};

struct peer {
	int fd;
	SSL *ssl;
	bool up;
};

static struct flood {
	const char *host, *port;
	enum kind kind;
	struct addrinfo *address;
	SSL_CTX *tls;
	struct peer *peers;
	size_t count;
	long opened, refused, closed, replies[STATUS_MAX];
	char blob[CHUNK];
} flood;

static void __attribute__((noreturn)) stop(const char *what)
{
	fprintf(stderr, "flood: %s: %m\n", what);
	exit(1);
}

static double
now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static void
put_down(struct peer *peer)
{
	SSL_free(peer->ssl);
	close(peer->fd);
	peer->ssl = NULL;
	peer->up = false;
	flood.closed++;
}

/* As much as goes without waiting; false when the service has had enough. */
static bool
push(struct peer *peer, const char *bytes, size_t len)
{
	ssize_t n;

	if (peer->ssl == NULL) {
		n = send(peer->fd, bytes, len, MSG_DONTWAIT | MSG_NOSIGNAL);
		return n >= 0 || errno == EAGAIN;
	}
	n = SSL_write(peer->ssl, bytes, (int)len);
	if (n > 0)
		return true;
	switch (SSL_get_error(peer->ssl, (int)n)) {
	case SSL_ERROR_WANT_READ:
	case SSL_ERROR_WANT_WRITE:
		return true;
	default:
		ERR_clear_error();
		return false;
	}
}

/* Counts a reply; false when there is one, or the service has closed. */
static bool
listen_to(struct peer *peer)
{
	char reply[64];
	int n;
	long status;

	if (peer->ssl == NULL) {
		n = (int)recv(peer->fd, reply, sizeof reply, MSG_DONTWAIT);
		return n < 0 && errno == EAGAIN;
	}
	n = SSL_read(peer->ssl, reply, sizeof reply - 1);
	if (n <= 0) {
		n = SSL_get_error(peer->ssl, n);
		ERR_clear_error();
		return n == SSL_ERROR_WANT_READ || n == SSL_ERROR_WANT_WRITE;
	}
	reply[n] = '\0';
	status = n > 9 ? strtol(reply + 9, &(char *){NULL}, 10) : 0;
	if (status > 0 && status < STATUS_MAX)
		flood.replies[status]++;
	return false;
}

static bool
shake_hands(struct peer *peer)
{
	if (flood.kind == SILENT || flood.kind == STALL)
		return true;
	if ((peer->ssl = SSL_new(flood.tls)) == NULL ||
	    SSL_set_fd(peer->ssl, peer->fd) != 1)
		stop("TLS");
	if (SSL_connect(peer->ssl) == 1)
		return true;
	ERR_clear_error();
	return false;
}

/* What is said at once, after the handshake. */
static bool
begin(struct peer *peer)
{
	char line[512];
	int n = 0;

	switch (flood.kind) {
	case STALL: /* a record that announces more than will come */
		return push(peer, "\x16\x03\x01\x02\x00\x01\x00", 7);
	case HEAD:
		return push(peer, head, sizeof head - 1) &&
		       push(peer, "X: ", 3);
	case BODY:
	case NEARLY:
		n = snprintf(line, sizeof line, "%sContent-Length: %d\r\n\r\n",
		    head, BODY_MAX);
		break;
	case LENGTH:
		n = snprintf(line, sizeof line,
		    "%sContent-Length: 1073741824\r\n\r\n", head);
		break;
	case CHUNKS:
		n = snprintf(line, sizeof line,
		    "%sTransfer-Encoding: chunked\r\n\r\n", head);
		break;
	case SILENT:
	case N_KINDS:
		return true;
	}
	if (n < 0 || !push(peer, line, (size_t)n))
		return false;
	return flood.kind != NEARLY || push(peer, flood.blob, BODY_MAX - 1);
}

static void
put_up(struct peer *peer)
{
	struct timeval patience = {OPEN_MS / 1000, 0};

	peer->fd = socket(flood.address->ai_family, SOCK_STREAM, 0);
	if (peer->fd < 0)
		stop("socket");
	setsockopt(
	    peer->fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
	setsockopt(
	    peer->fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
	peer->up = true;
	if (connect(peer->fd, flood.address->ai_addr,
		flood.address->ai_addrlen) != 0 ||
	    !shake_hands(peer) || fcntl(peer->fd, F_SETFL, O_NONBLOCK) != 0 ||
	    !begin(peer)) {
		put_down(peer);
		flood.closed--;
		flood.refused++;
		return;
	}
	flood.opened++;
}

static bool
go_on(struct peer *peer)
{
	switch (flood.kind) {
	case HEAD:
	case BODY:
		return push(peer, "x", 1);
	case LENGTH:
		return push(peer, flood.blob, CHUNK);
	case CHUNKS:
		return push(peer, "1000\r\n", 6) &&
		       push(peer, flood.blob, 4096) && push(peer, "\r\n", 2);
	case SILENT:
	case STALL:
	case NEARLY:
	case N_KINDS:
		break;
	}
	return true;
}

static void
turn(void)
{
	for (size_t i = 0; i < flood.count; i++) {
		struct peer *peer = &flood.peers[i];

		if (!peer->up)
			put_up(peer);
		else if (!listen_to(peer) || !go_on(peer))
			put_down(peer);
	}
}

/* Waits for the next turn; false when the input has ended. */
static bool
rest(double until)
{
	struct pollfd in = {.fd = STDIN_FILENO, .events = POLLIN};
	double left;

	while ((left = until - now_ms()) > 0)
		if (poll(&in, 1, (int)left + 1) > 0)
			return false;
	return poll(&in, 1, 0) <= 0;
}

static void
report(void)
{
	const char *comma = "";

	printf("{\"opened\":%ld,\"refused\":%ld,\"closed\":%ld,\"replies\":{",
	    flood.opened, flood.refused, flood.closed);
	for (int i = 0; i < STATUS_MAX; i++)
		if (flood.replies[i] > 0) {
			printf("%s\"%d\":%ld", comma, i, flood.replies[i]);
			comma = ",";
		}
	puts("}}");
}

static void
prepare(char **argv)
{
	const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
	struct rlimit files;
	char *colon = strrchr(argv[1], ':');

	if (colon == NULL)
		stop("no port");
	*colon = '\0';
	flood.host = argv[1];
	if (getaddrinfo(flood.host, colon + 1, &hints, &flood.address) != 0)
		stop(flood.host);
	while (flood.kind < N_KINDS && strcmp(argv[3], kinds[flood.kind]) != 0)
		flood.kind++;
	flood.count = strtoul(argv[4], &(char *){NULL}, 10);
	flood.peers = calloc(flood.count, sizeof *flood.peers);
	flood.tls = SSL_CTX_new(TLS_client_method());
	if (flood.kind == N_KINDS || flood.peers == NULL || flood.tls == NULL ||
	    SSL_CTX_load_verify_file(flood.tls, argv[2]) != 1)
		stop("usage: flood HOST:PORT CA KIND COUNT");
	SSL_CTX_set_verify(flood.tls, SSL_VERIFY_PEER, NULL);
	SSL_CTX_set_mode(flood.tls, SSL_MODE_RELEASE_BUFFERS |
					SSL_MODE_ENABLE_PARTIAL_WRITE |
					SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	if (getrlimit(RLIMIT_NOFILE, &files) != 0)
		stop("getrlimit");
	files.rlim_cur = files.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &files) != 0)
		stop("setrlimit");
	memset(flood.blob, ' ', sizeof flood.blob);
}

int
main(int argc, char **argv)
{
	double next;

	if (argc != 5 || signal(SIGPIPE, SIG_IGN) == SIG_ERR)
		return 2;
	prepare(argv);
	next = now_ms();
	turn();
	puts("up");
	fflush(stdout);
	while (rest(next += TURN_MS)) {
		if (next < now_ms())
			next = now_ms();
		turn();
	}
	report();
	return 0;
}
