/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Logs in ROUNDS times in one process, as a long-lived application does that
 * uses PAM: each time from pam_start(3) to pam_end(3), so that libpam loads the
 * module and lets go of it.  Phones (tests/bench/phone) answer: most approve,
 * some deny, some sign with a wrong key; some people press Ctrl-C, or close the
 * terminal.  What a guest in a process must leave as it was is compared all the
 * time, and memory between the 10th part of the rounds and the last one.
 *
 * Prints a JSON object.
 * usage: soak CONFDIR SERVICE ROUNDS USER:SCALAR... -- PHONE ARGUMENT...
 */
#include "config.h"

#include <fcntl.h>
#include <security/pam_appl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "hygiene.h"

#define USERS_MAX 32
#define WRONG_KEY                                                              \
	"1111111111111111111111111111111111111111111111111111111111111111"
/* Rounds between two comparisons of everything, which take a while. */
#define COMPARE_EVERY 25

/* What becomes of a login. */
enum fate { APPROVED, DENIED, WRONG, INTERRUPTED, CLOSED, N_FATES };

static const char *const fate_names[N_FATES] = {
    "approved", "denied", "wrong_key", "interrupted", "closed"};
/* Of a hundred logins, the rest is approved. */
static const int shares[N_FATES] = {0, 4, 4, 4, 4};
static const int expected[N_FATES] = {
    PAM_SUCCESS, PAM_MAXTRIES, PAM_MAXTRIES, PAM_AUTH_ERR, PAM_CONV_ERR};

static struct soak {
	struct {
		char name[64];
		const char *scalar;
	} users[USERS_MAX];
	size_t n_users;
	FILE *to_phone, *from_phone;
	long counts[N_FATES];
	long unexpected, grants, changes, rounds;
	double *ms;
	/* of the login at hand */
	enum fate fate;
	const char *scalar;
	bool asked;
	int told; /* times that the phone was */
} soak;

static double
now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static long
memory_kb(const char *name)
{
	char line[256];
	long kb = -1;
	FILE *f = fopen("/proc/self/status", "re");

	while (f != NULL && fgets(line, sizeof line, f) != NULL)
		if (strncmp(line, name, strlen(name)) == 0)
			kb = strtol(line + strlen(name), &(char *){NULL}, 10);
	if (f != NULL)
		fclose(f);
	return kb;
}

/* --- the person at the terminal --------------------------------------------
 */

/* What to answer: the phone does so by itself, and says when it has. */
static bool
tell_phone(
    const char *link, const char *sharp, const char *choice, const char *scalar)
{
	soak.told++;
	return fprintf(soak.to_phone, "%.*s %s %s\n", (int)(sharp + 28 - link),
		   link, choice, scalar) > 0 &&
	       fflush(soak.to_phone) == 0;
}

static bool
hear_phone(void)
{
	char reply[128];

	for (; soak.told > 0; soak.told--)
		if (fgets(reply, sizeof reply, soak.from_phone) == NULL)
			return false;
	return true;
}

/* Who is asked sees the link, and does what fate wants. */
static int
meet_fate(const char *text)
{
	const char *link = strstr(text, "https://"), *sharp;

	if (link == NULL || (sharp = strstr(link, "/#")) == NULL)
		return PAM_SUCCESS;
	soak.asked = true;
	switch (soak.fate) {
	case INTERRUPTED:
		return kill(getpid(), SIGINT) == 0 ? PAM_SUCCESS : PAM_ABORT;
	case CLOSED:
		return PAM_CONV_ERR;
	case APPROVED:
	case DENIED:
	case WRONG:
	case N_FATES:
		break;
	}
	if (soak.fate == WRONG &&
	    !tell_phone(link, sharp, "approve", WRONG_KEY))
		return PAM_ABORT;
	if (!tell_phone(link, sharp, soak.fate == APPROVED ? "approve" : "deny",
		soak.scalar))
		return PAM_ABORT;
	return PAM_SUCCESS;
}

static int
converse(int n, const struct pam_message **msgs, struct pam_response **resp,
    void *data)
{
	struct pam_response *answers = calloc((size_t)n, sizeof *answers);
	int r = PAM_SUCCESS;

	(void)data;
	if (answers == NULL)
		return PAM_BUF_ERR;
	for (int i = 0; i < n && r == PAM_SUCCESS; i++) {
		if (!soak.asked)
			r = meet_fate(msgs[i]->msg);
		if (msgs[i]->msg_style == PAM_PROMPT_ECHO_ON ||
		    msgs[i]->msg_style == PAM_PROMPT_ECHO_OFF)
			answers[i].resp = strdup("");
	}
	if (r == PAM_SUCCESS) {
		*resp = answers;
		return r;
	}
	for (int i = 0; i < n; i++)
		free(answers[i].resp);
	free(answers);
	return r;
}

/* Takes the SIGINT of Ctrl-C back, which the module has left for us. */
static bool
take_interrupt(void)
{
	const struct timespec at_once = {0, 0};
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	return sigtimedwait(&set, NULL, &at_once) == SIGINT;
}

/* --- one login --------------------------------------------------------------
 */

/* pam_fail_delay(3): somebody else's time. */
static void
no_delay(int status, unsigned usec, void *data)
{
	(void)status;
	(void)usec;
	(void)data;
}

static enum fate
fate_of(long round)
{
	int at = (int)(round * 37 % 100);

	for (int fate = APPROVED + 1; fate < N_FATES; fate++)
		if ((at -= shares[fate]) < 0)
			return (enum fate)fate;
	return APPROVED;
}

static int
authenticate(const char *confdir, const char *service, const char *user)
{
	const struct pam_conv conv = {converse, NULL};
	pam_handle_t *pamh = NULL;
	int r, ended;

	if ((r = pam_start_confdir(service, user, &conv, confdir, &pamh)) !=
	    PAM_SUCCESS)
		return r;
	if ((r = pam_set_item(pamh, PAM_TTY, "pts/0")) == PAM_SUCCESS &&
	    (r = pam_set_item(pamh, PAM_FAIL_DELAY, (const void *)no_delay)) ==
		PAM_SUCCESS &&
	    (r = pam_authenticate(pamh, 0)) == PAM_SUCCESS)
		r = pam_setcred(pamh, PAM_ESTABLISH_CRED);
	ended = pam_end(pamh, r);
	return r != PAM_SUCCESS ? r : ended;
}

static void
log_in(const char *confdir, const char *service, long round)
{
	size_t user = (size_t)round % soak.n_users;
	double began = now_ms();
	int r;

	soak.fate = fate_of(round);
	soak.scalar = soak.users[user].scalar;
	soak.asked = false;
	r = authenticate(confdir, service, soak.users[user].name);
	soak.ms[round] = now_ms() - began;
	soak.counts[soak.fate]++;
	if (!hear_phone()) {
		fputs("soak: the phone is broken\n", stderr);
		exit(1);
	}
	if (soak.fate == INTERRUPTED && !take_interrupt())
		soak.changes++;
	if (r == PAM_SUCCESS && soak.fate != APPROVED)
		soak.grants++;
	if (r != expected[soak.fate] || !soak.asked) {
		soak.unexpected++;
		fprintf(stderr, "soak: round %ld, %s by %s: %s%s\n", round,
		    fate_names[soak.fate], soak.users[user].name,
		    pam_strerror(NULL, r), soak.asked ? "" : ", not asked");
	}
}

/* --- all of them ------------------------------------------------------------
 */

static void
report(const char *what)
{
	soak.changes++;
	fprintf(stderr, "soak: %s\n", what);
}

static void
compare(const struct hygiene *before)
{
	struct hygiene after;

	hygiene_take(&after);
	(void)hygiene_same(before, &after, report);
	hygiene_clear(&after);
}

static int
by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static void
run(const char *confdir, const char *service)
{
	struct hygiene before;
	long first = soak.rounds / 10, rss = 0, anon = 0;

	/* What is loaded once and stays is there from the first round on. */
	log_in(confdir, service, 0);
	hygiene_take(&before);
	for (long i = 1; i < soak.rounds; i++) {
		log_in(confdir, service, i);
		if (i % COMPARE_EVERY == 0 || i == soak.rounds - 1)
			compare(&before);
		if (i == first) {
			rss = memory_kb("VmRSS:");
			anon = memory_kb("RssAnon:");
		}
	}
	hygiene_clear(&before);
	qsort(soak.ms, (size_t)soak.rounds, sizeof *soak.ms, by_value);
	printf("{\"rounds\":%ld,\"unexpected\":%ld,\"grants\":%ld,"
	       "\"changes\":%ld,\"first\":%ld,\"rss_first\":%ld,"
	       "\"rss_last\":%ld,\"anon_first\":%ld,\"anon_last\":%ld,"
	       "\"median_ms\":%.2f,\"p95_ms\":%.2f",
	    soak.rounds, soak.unexpected, soak.grants, soak.changes, first, rss,
	    memory_kb("VmRSS:"), anon, memory_kb("RssAnon:"),
	    soak.ms[soak.rounds / 2], soak.ms[soak.rounds * 95 / 100]);
	for (int i = 0; i < N_FATES; i++)
		printf(",\"%s\":%ld", fate_names[i], soak.counts[i]);
	puts("}");
}

/*
 * A child of a child, so that this process has none, with no descriptor of
 * ours but the two pipes.
 */
static bool
start_phone(char **argv)
{
	int in[2], out[2], status;
	pid_t pid;

	if (pipe2(in, O_CLOEXEC) != 0 || pipe2(out, O_CLOEXEC) != 0 ||
	    (pid = fork()) < 0)
		return false;
	if (pid == 0) {
		if (fork() != 0)
			_exit(0);
		dup2(in[0], STDIN_FILENO);
		dup2(out[1], STDOUT_FILENO);
		execv(argv[0], argv);
		_exit(127);
	}
	close(in[0]);
	close(out[1]);
	soak.to_phone = fdopen(in[1], "w");
	soak.from_phone = fdopen(out[0], "r");
	return waitpid(pid, &status, 0) == pid && soak.to_phone != NULL &&
	       soak.from_phone != NULL;
}

static bool
add_user(const char *word)
{
	const char *colon = strchr(word, ':');
	size_t len = colon != NULL ? (size_t)(colon - word) : 0;

	if (len == 0 || soak.n_users == USERS_MAX ||
	    len >= sizeof soak.users[0].name)
		return false;
	memcpy(soak.users[soak.n_users].name, word, len);
	soak.users[soak.n_users++].scalar = colon + 1;
	return true;
}

int
main(int argc, char **argv)
{
	sigset_t set;
	int at = 4;

	for (; at < argc && strcmp(argv[at], "--") != 0; at++)
		if (!add_user(argv[at]))
			return 2;
	if (at + 1 >= argc || soak.n_users == 0)
		return 2;
	soak.rounds = strtol(argv[3], &(char *){NULL}, 10);
	if (soak.rounds < 10 ||
	    (soak.ms = malloc((size_t)soak.rounds * sizeof *soak.ms)) == NULL ||
	    !start_phone(argv + at + 1))
		return 1;
	/* All of its pages are there from now on. */
	memset(soak.ms, 0xff, (size_t)soak.rounds * sizeof *soak.ms);
	/* As sudo does while it asks. */
	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGQUIT);
	if (sigprocmask(SIG_BLOCK, &set, NULL) != 0)
		return 1;
	run(argv[1], argv[2]);
	return 0;
}
