/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Puts COUNT approvals up at the service and waits for each on a connection of
 * its own, as couriers do, again whenever nothing has happened for a while;
 * says "waiting", and ends when its input does, or with 1 when the service has
 * not kept one of them.
 * usage: waiting HOST:PORT KEY COUNT [CA]
 */
#include "config.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "client.h"

#define PROCESSES 4

struct waiter {
	SSL *ssl;
	char token[64];
};

static struct client client; /* the one at hand */

static void
ask_status(const char *key, const char *token)
{
	char body[256];

	snprintf(body, sizeof body,
	    "{\"statusToken\":\"%s\",\"wait\":30,\"after\":1}", token);
	client_send(&client, "/api/v1/status", key, body);
}

static void
wait_for_one(struct client *c, const char *address, const char *key,
    const char *content, SSL_CTX *tls, struct waiter *waiter)
{
	char body[2048], link_id[23];

	random_text(link_id, 22);
	client_open(c, address, tls);
	snprintf(body, sizeof body,
	    "{\"channel\":\"app\",\"linkId\":\"%s\",\"content\":\"%s\","
	    "\"lifetime\":300}",
	    link_id, content);
	if (client_call(c, "/api/v1/approval", key, body) != 201)
		stop("approval: %s", c->reply);
	client_member(c, "statusToken", waiter->token, sizeof waiter->token);
	ask_status(key, waiter->token);
	waiter->ssl = c->ssl;
}

/* Nothing has happened to it in 30 seconds. */
static void
wait_on(const char *key, int fd, const struct waiter *waiter)
{
	client.fd = fd;
	client.ssl = waiter->ssl;
	if (client_read(&client) != 200 ||
	    strstr(client.body, "\"pending\"") == NULL)
		stop("an approval is gone: %s", client.reply);
	ask_status(key, waiter->token);
}

/* Says when all wait; returns at the end of the input. */
static void
wait_for_all(char **argv, size_t count, int ready)
{
	SSL_CTX *tls = argv[4] == NULL ? NULL : client_tls(argv[4]);
	struct waiter *waiters = calloc(count, sizeof *waiters);
	struct pollfd *fds = calloc(count + 1, sizeof *fds);
	char content[801];

	if (waiters == NULL || fds == NULL)
		stop("%m");
	for (size_t i = 0; i < 800; i += 200)
		random_text(content + i, 200);
	for (size_t i = 0; i < count; i++) {
		wait_for_one(
		    &client, argv[1], argv[2], content, tls, &waiters[i]);
		fds[i] = (struct pollfd){.fd = client.fd, .events = POLLIN};
	}
	if (write(ready, "w", 1) != 1)
		stop("%m");
	fds[count].fd = STDIN_FILENO;
	fds[count].events = POLLIN;
	while (poll(fds, count + 1, -1) > 0 && fds[count].revents == 0)
		for (size_t i = 0; i < count; i++)
			if (fds[i].revents != 0)
				wait_on(argv[2], fds[i].fd, &waiters[i]);
}

int
main(int argc, char **argv)
{
	struct rlimit files;
	int ready[2], status, failed = 0;
	long count;
	char byte;

	if (argc != 4 && argc != 5)
		return 2;
	count = strtol(argv[3], &(char *){NULL}, 10);
	if (getrlimit(RLIMIT_NOFILE, &files) != 0 || pipe(ready) != 0)
		stop("%m");
	files.rlim_cur = files.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &files) != 0)
		stop("%m");
	for (int i = 0; i < PROCESSES; i++) {
		if (fork() != 0)
			continue;
		wait_for_all(argv, (size_t)count / PROCESSES, ready[1]);
		_exit(0);
	}
	close(ready[1]);
	for (int i = 0; i < PROCESSES; i++)
		if (read(ready[0], &byte, 1) != 1)
			stop("a part has failed");
	puts("waiting");
	fflush(stdout);
	while (wait(&status) > 0)
		failed |= status;
	return failed != 0;
}
