/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Threads of one process that log in at the same time, each with a handle of
 * its own, as libpam allows.  A line for each thing that happens:
 *
 *   link THREAD LINK
 *   result THREAD CODE
 *
 * usage: threads CONFDIR SERVICE ROUNDS USER...
 */
#include "config.h"

#include <pthread.h>
#include <security/pam_appl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define THREADS_MAX 16

static struct thread {
	pthread_t id;
	int number;
	const char *user;
	bool asked;
} threads[THREADS_MAX];

static const char *confdir, *service;
static long rounds;

static void
say(const char *what, int number, const char *text, size_t len)
{
	flockfile(stdout);
	printf("%s %d %.*s\n", what, number, (int)len, text);
	fflush(stdout);
	funlockfile(stdout);
}

static int
converse(int n, const struct pam_message **msgs, struct pam_response **resp,
    void *data)
{
	struct thread *thread = data;
	const char *link, *sharp;

	if ((*resp = calloc((size_t)n, sizeof **resp)) == NULL)
		return PAM_BUF_ERR;
	for (int i = 0; i < n; i++) {
		if (msgs[i]->msg_style == PAM_PROMPT_ECHO_ON ||
		    msgs[i]->msg_style == PAM_PROMPT_ECHO_OFF)
			(*resp)[i].resp = strdup("");
		if (!thread->asked &&
		    (link = strstr(msgs[i]->msg, "https://")) != NULL &&
		    (sharp = strstr(link, "/#")) != NULL) {
			thread->asked = true;
			say("link", thread->number, link,
			    (size_t)(sharp + 28 - link));
		}
	}
	return PAM_SUCCESS;
}

static void
no_delay(int status, unsigned usec, void *data)
{
	(void)status;
	(void)usec;
	(void)data;
}

static int
log_in(struct thread *thread)
{
	const struct pam_conv conv = {converse, thread};
	pam_handle_t *pamh = NULL;
	int r;

	thread->asked = false;
	if ((r = pam_start_confdir(
		 service, thread->user, &conv, confdir, &pamh)) != PAM_SUCCESS)
		return r;
	if ((r = pam_set_item(pamh, PAM_TTY, "pts/0")) == PAM_SUCCESS &&
	    (r = pam_set_item(pamh, PAM_FAIL_DELAY, (const void *)no_delay)) ==
		PAM_SUCCESS)
		r = pam_authenticate(pamh, 0);
	(void)pam_end(pamh, r);
	return r;
}

static void *
run(void *arg)
{
	struct thread *thread = arg;
	char code[12];

	for (long i = 0; i < rounds; i++) {
		snprintf(code, sizeof code, "%d", log_in(thread));
		say("result", thread->number, code, strlen(code));
	}
	return NULL;
}

int
main(int argc, char **argv)
{
	int n = argc - 4;

	if (n < 1 || n > THREADS_MAX)
		return 2;
	confdir = argv[1];
	service = argv[2];
	rounds = strtol(argv[3], &(char *){NULL}, 10);
	for (int i = 0; i < n; i++) {
		threads[i].number = i;
		threads[i].user = argv[4 + i];
		if (pthread_create(&threads[i].id, NULL, run, &threads[i]) != 0)
			return 1;
	}
	for (int i = 0; i < n; i++)
		pthread_join(threads[i].id, NULL);
	return 0;
}
