/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Puts COUNT approvals up at the service and waits for each on a connection of
 * its own, as couriers do; says "waiting", and ends when its input does.
 * usage: waiting HOST:PORT KEY COUNT [CA]
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "client.h"

#define PROCESSES 4

static void
wait_for_one(struct client *c, const char *address, const char *key,
    const char *content, SSL_CTX *tls)
{
	char body[2048], link_id[23], token[256];

	random_text(link_id, 22);
	client_open(c, address, tls);
	snprintf(body, sizeof body,
	    "{\"channel\":\"app\",\"linkId\":\"%s\",\"content\":\"%s\","
	    "\"lifetime\":300}",
	    link_id, content);
	if (client_call(c, "/api/v1/approval", key, body) != 201)
		stop("approval: %s", c->reply);
	client_member(c, "statusToken", token, sizeof token);
	snprintf(body, sizeof body,
	    "{\"statusToken\":\"%s\",\"wait\":30,\"after\":1}", token);
	client_send(c, "/api/v1/status", key, body);
}

/* The connections stay open until the process ends. */
static void
wait_for_all(char **argv, long count)
{
	SSL_CTX *tls = argv[4] == NULL ? NULL : client_tls(argv[4]);
	static struct client c;
	char content[801];

	for (size_t i = 0; i < 800; i += 200)
		random_text(content + i, 200);
	for (long i = 0; i < count; i++)
		wait_for_one(&c, argv[1], argv[2], content, tls);
}

int
main(int argc, char **argv)
{
	struct rlimit files;
	int ready[2], status;
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
		wait_for_all(argv, count / PROCESSES);
		if (write(ready[1], "w", 1) != 1)
			stop("%m");
		while (read(STDIN_FILENO, &byte, 1) > 0)
			;
		_exit(0);
	}
	close(ready[1]);
	for (int i = 0; i < PROCESSES; i++)
		if (read(ready[0], &byte, 1) != 1)
			stop("a part has failed");
	puts("waiting");
	fflush(stdout);
	while (wait(&status) > 0)
		;
	return 0;
}
