/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Logs in COUNT times, each in a fresh process that only knows libpam, and
 * hands the link that it is shown to a phone.  A line for each login:
 *
 *   wall, from pam_start(3) to the return of pam_authenticate(3)   ms
 *   from the phone's sending of the answer to that return          ms
 *   from the phone's being told that the answer was taken to it    ms
 *   CPU of this process                                            ms
 *   CPU of the courier                                             ms
 *   peak memory of the courier                                     kB
 *   when it returned                                  ms of CLOCK_MONOTONIC
 *
 * usage: login CONFDIR SERVICE USER COUNT [PHONE ARGUMENT...]
 */
#include "config.h"

#include <security/pam_appl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static FILE *to_phone, *from_phone;
static bool was_asked;

static double
now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static double
cpu_ms(const struct rusage *u)
{
	return (double)(u->ru_utime.tv_sec + u->ru_stime.tv_sec) * 1e3 +
	       (double)(u->ru_utime.tv_usec + u->ru_stime.tv_usec) / 1e3;
}

static void
show_phone(const char *text)
{
	const char *link = strcasestr(text, "https://"), *sharp;

	/* The link in lower case; the one in a QR code is not text. */
	if (was_asked || to_phone == NULL || link == NULL ||
	    (sharp = strstr(link, "/#")) == NULL)
		return;
	was_asked = true;
	fprintf(to_phone, "%.*s\n", (int)(sharp + 28 - link), link);
	fflush(to_phone);
}

/* Reads nothing and answers every prompt with an empty line. */
static int
converse(int n, const struct pam_message **msgs, struct pam_response **resp,
    void *data)
{
	(void)data;
	if ((*resp = calloc((size_t)n, sizeof(**resp))) == NULL)
		return PAM_BUF_ERR;
	for (int i = 0; i < n; i++) {
		show_phone(msgs[i]->msg);
		if (msgs[i]->msg_style == PAM_PROMPT_ECHO_ON ||
		    msgs[i]->msg_style == PAM_PROMPT_ECHO_OFF)
			(*resp)[i].resp = strdup("");
	}
	return PAM_SUCCESS;
}

/* Everything that the module left running, which is the courier. */
static struct rusage
wait_for_courier(void)
{
	struct rusage one, last = {0};

	while (wait4(-1, &(int){0}, 0, &one) > 0)
		last = one;
	return last;
}

static int
log_in(const char *confdir, const char *service, const char *user)
{
	const struct pam_conv conv = {converse, NULL};
	double began, ended, sent = 0, taken = 0;
	struct rusage before, after, courier;
	pam_handle_t *pamh;
	int r;

	if (prctl(PR_SET_CHILD_SUBREAPER, 1) != 0)
		return 1;
	getrusage(RUSAGE_SELF, &before);
	began = now_ms();
	r = pam_start_confdir(service, user, &conv, confdir, &pamh);
	if (r == PAM_SUCCESS)
		r = pam_set_item(pamh, PAM_TTY,
		    strcmp(service, "sshd") == 0 ? "ssh" : "pts/0");
	if (r == PAM_SUCCESS)
		r = pam_authenticate(pamh, 0);
	ended = now_ms();
	getrusage(RUSAGE_SELF, &after);
	if (r != PAM_SUCCESS) {
		fprintf(stderr, "login: %s\n", pam_strerror(NULL, r));
		return 1;
	}
	courier = wait_for_courier();
	if (was_asked && fscanf(from_phone, "%lf %lf", &sent, &taken) != 2)
		return 1;
	printf("%.3f %.3f %.3f %.3f %.3f %ld %.4f\n", ended - began,
	    was_asked ? ended - sent : 0, was_asked ? ended - taken : 0,
	    cpu_ms(&after) - cpu_ms(&before), cpu_ms(&courier),
	    courier.ru_maxrss, ended);
	fflush(stdout);
	_exit(0); /* not the time that pam_end(3) takes, nor its cleaning up */
}

static int
start_phone(char **argv)
{
	int in[2], out[2];

	if (pipe(in) != 0 || pipe(out) != 0)
		return -1;
	switch (fork()) {
	case -1:
		return -1;
	case 0:
		dup2(in[0], STDIN_FILENO);
		dup2(out[1], STDOUT_FILENO);
		close(in[1]);
		execv(argv[0], argv);
		_exit(127);
	default:
		close(in[0]);
		close(out[1]);
		to_phone = fdopen(in[1], "w");
		from_phone = fdopen(out[0], "r");
		setvbuf(from_phone, NULL, _IONBF, 0);
		return 0;
	}
}

int
main(int argc, char **argv)
{
	int status = 0;
	long count;

	if (argc < 5)
		return 2;
	count = strtol(argv[4], &(char *){NULL}, 10);
	if (argv[5] != NULL && start_phone(argv + 5) != 0)
		return 1;
	for (long i = 0; i < count && status == 0; i++) {
		fflush(NULL);
		pid_t pid = fork();

		if (pid == 0)
			_exit(log_in(argv[1], argv[2], argv[3]));
		if (pid < 0 || waitpid(pid, &status, 0) != pid)
			return 1;
	}
	return status == 0 ? 0 : 1;
}
