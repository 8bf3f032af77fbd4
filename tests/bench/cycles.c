/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Whole approvals as the service sees them: created, waited for, answered,
 * delivered, closed.  PROCESSES work at a time, each with a host's and a
 * phone's connection.  Prints how many a second.
 * usage: cycles HOST:PORT KEY SECONDS PROCESSES [CA]
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "client.h"

static char blob[1201];

static void
expect(struct client *c, int got, int want, const char *what)
{
	if (got != want)
		stop("%s: %d instead of %d: %s", what, got, want, c->body);
}

static void
cycle(struct client *host, struct client *phone, const char *key,
    const char *user)
{
	char body[4096], path[256], link_id[23], token[256], id[128];

	random_text(link_id, 22);
	snprintf(body, sizeof body,
	    "{\"username\":\"%s\",\"channel\":\"app\",\"linkId\":\"%s\","
	    "\"content\":\"%.800s\",\"lifetime\":90}",
	    user, link_id, blob);
	expect(host, client_call(host, "/api/v1/approval", key, body), 201,
	    "approval");
	client_member(host, "statusToken", token, sizeof token);
	client_member(host, "transactionId", id, sizeof id);
	snprintf(body, sizeof body,
	    "{\"statusToken\":\"%s\",\"wait\":30,\"after\":1}", token);
	client_send(host, "/api/v1/status", key, body);

	snprintf(path, sizeof path, "/links/%s", link_id);
	expect(phone, client_call(phone, path, NULL, NULL), 200, "link");
	snprintf(path, sizeof path, "/links/%s/answer", link_id);
	snprintf(body, sizeof body,
	    "{\"answer\":\"%.400s\",\"hint\":\"approve\"}", blob);
	expect(phone, client_call(phone, path, NULL, body), 202, "answer");

	expect(host, client_read(host), 200, "status");
	if (strstr(host->body, "\"answer\"") == NULL)
		stop("no answer in %s", host->body);
	snprintf(path, sizeof path, "/api/v1/approval/%s/outcome", id);
	expect(host,
	    client_call(host, path, key,
		"{\"outcome\":\"granted\",\"reason\":\"OK\",\"triesLeft\":0}"),
	    204, "outcome");
}

static long
work(char **argv, double seconds, int number)
{
	SSL_CTX *tls = argv[5] == NULL ? NULL : client_tls(argv[5]);
	static struct client host, phone;
	double end;
	char user[32];
	long n = 0;

	snprintf(user, sizeof user, "user%d", number * 1000);
	client_open(&host, argv[1], tls);
	client_open(&phone, argv[1], tls);
	for (end = now_ms() + seconds * 1e3; now_ms() < end; n++)
		cycle(&host, &phone, argv[2], user);
	return n;
}

int
main(int argc, char **argv)
{
	double seconds;
	int processes;
	long *done, sum = 0;

	if (argc != 5 && argc != 6)
		return 2;
	seconds = strtod(argv[3], &(char *){NULL});
	processes = (int)strtol(argv[4], &(char *){NULL}, 10);
	for (size_t i = 0; i < 1200; i += 200)
		random_text(blob + i, 200);
	done = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (done == MAP_FAILED || processes < 1 || processes > 64)
		stop("wrong usage");
	for (int i = 0; i < processes; i++)
		if (fork() == 0) {
			done[i] = work(argv, seconds, i);
			_exit(0);
		}
	while (wait(&(int){0}) > 0)
		;
	for (int i = 0; i < processes; i++)
		sum += done[i];
	printf("%.1f %ld\n", (double)sum / seconds, sum);
	return 0;
}
