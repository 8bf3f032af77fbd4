/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A host that puts questions as fast as it can: each of WORKERS processes one
 * after the other, until COUNT were put, or refused, or SECONDS have passed.
 * Says, as a JSON object, how many replies there were of which status.
 * usage: creations HOST:PORT CA KEY WORKERS COUNT SECONDS
 */
#include "config.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "client.h"

#define STATUS_MAX 600
/* About what a question with a long command has; in pieces. */
#define CONTENT_LEN 4000
#define PIECE 200

static struct shared {
	atomic_ulong put, replies[STATUS_MAX];
} * shared;

static void
work(char **argv, double until)
{
	static struct client client;
	static char body[CONTENT_LEN + 512], content[CONTENT_LEN + 1];
	const unsigned long count = strtoul(argv[5], NULL, 10);
	char id[23];

	client_open(&client, argv[1], client_tls(argv[2]));
	for (size_t at = 0; at < CONTENT_LEN; at += PIECE)
		random_text(content + at, PIECE);
	while (now_ms() < until && shared->put++ < count) {
		int status;

		random_text(id, sizeof(id) - 1);
		(void)snprintf(body, sizeof(body),
		    "{\"channel\":\"app\",\"linkId\":\"%s\","
		    "\"content\":\"%s\",\"lifetime\":30}",
		    id, content);
		status =
		    client_call(&client, "/api/v1/approval", argv[3], body);
		shared
		    ->replies[status > 0 && status < STATUS_MAX ? status : 0]++;
	}
}

static void
report(void)
{
	const char *comma = "";

	printf("{");
	for (int i = 0; i < STATUS_MAX; i++)
		if (shared->replies[i] > 0) {
			printf("%s\"%d\":%lu", comma, i, shared->replies[i]);
			comma = ",";
		}
	puts("}");
}

int
main(int argc, char **argv)
{
	unsigned long workers;
	int status, failed = 0;
	double until;

	if (argc != 7)
		stop("usage: creations HOST:PORT CA KEY WORKERS COUNT SECONDS");
	workers = strtoul(argv[4], NULL, 10);
	until = now_ms() + 1000 * strtod(argv[6], NULL);
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED)
		stop("mmap: %m");
	for (unsigned long i = 0; i < workers; i++)
		switch (fork()) {
		case -1:
			stop("fork: %m");
		case 0:
			work(argv, until);
			_exit(0);
		default:
			break;
		}
	while (wait(&status) > 0)
		failed |= status != 0;
	report();
	return failed;
}
