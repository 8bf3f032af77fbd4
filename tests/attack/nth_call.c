/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Logins in which a call fails: the first, the second ... the last, in each way
 * that it can; calls that fail by lot; calls that are interrupted; and the
 * process killed at each.  Whoever gets in has a yes that the oracle agrees
 * with, on the disk; whoever does not is told the code for that trouble; files
 * are whole, nothing is left over, and the next login is as if nothing had been
 * (countersign-security(7) PAM-1, ST-1, ST-2).
 */
#include "config.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "figures.h"
#include "nth_call_impl.h"

#define COMPLAINTS_MAX 15
#define CRASHES_MAX 100 /* of one trouble; then there is no end of them */

/* In the order of the report. */
static const struct trouble *const troubles[] = {
    &each_call_fails,
    &late_answers,
    &each_inner_allocation_fails,
    &calls_fail_by_lot,
    &interrupted_calls,
    &kills,
};
#define N_TROUBLES (sizeof(troubles) / sizeof(troubles[0]))

static unsigned int n_lines, n_failed; /* of the report */

/* --- what is counted ------------------------------------------------------ */

struct shared *shared;

void
complain(unsigned long *count, const char *format, ...)
{
	va_list ap;

	(*count)++;
	if (shared->complaints++ >= COMPLAINTS_MAX)
		return;
	printf("# call %lu", shared->at);
	if (faults.function != NULL)
		printf(" (%s: %s)", faults.function, faults.how);
	printf(": ");
	va_start(ap, format);
	(void)vprintf(format, ap);
	va_end(ap);
	printf("\n");
	(void)fflush(stdout);
}

/* All that should not be, but a crash, a leak and a grant. */
static unsigned long
wrong(const struct shared *s)
{
	return s->wrong_codes + s->stuck + s->lost + s->blind;
}

/* --- one trouble in one scene --------------------------------------------- */

/* In a process of its own, so that one that crashes is counted. */
static void
survive(const struct trouble *trouble, const struct scene *scene)
{
	const unsigned long crashes = shared->crashes;
	int status = 0;
	pid_t pid;

	shared->at = 0;
	shared->way = 0;
	shared->hit = 0;
	shared->done = false;
	while (!shared->done && shared->crashes < crashes + CRASHES_MAX) {
		(void)fflush(NULL);
		if ((pid = fork()) == 0) {
			trouble->make(scene);
			exit(0);
		}
		if (pid < 0 || waitpid(pid, &status, 0) != pid)
			abort();
		if (WIFEXITED(status) && WEXITSTATUS(status) == 0) {
			if (!shared->done)
				complain(&shared->blind, "ended too early");
			break;
		}
		if (shared->done) {
			complain(&shared->leaks, "found at the end");
			break;
		}
		complain(&shared->crashes, "%s, way %u: status %d", scene->name,
		    shared->way, status);
		shared->at++;
		shared->way = 0;
	}
}

static void
run(const struct trouble *trouble, const struct scene *scene)
{
	const struct shared before = *shared;
	bool good;

	login_configure(host, scene->config);
	shared->complaints = 0;
	survive(trouble, scene);
	good = shared->grants == before.grants &&
	       shared->crashes == before.crashes &&
	       shared->leaks == before.leaks && wrong(shared) == wrong(&before);
	n_failed += good ? 0 : 1;
	if (!good)
		printf("# %lu wrong grants, %lu wrong codes, %lu crashes, "
		       "%lu leaks, %lu too long, %lu spoilt the next login, "
		       "%lu tried nothing\n",
		    shared->grants - before.grants,
		    shared->wrong_codes - before.wrong_codes,
		    shared->crashes - before.crashes,
		    shared->leaks - before.leaks, shared->stuck - before.stuck,
		    shared->lost - before.lost, shared->blind - before.blind);
	printf("%s %u - %s: %s, %lu logins\n", good ? "ok" : "not ok",
	    ++n_lines, scene->name, trouble->name,
	    shared->cases - before.cases);
	(void)fflush(stdout);
}

/* --- all together --------------------------------------------------------- */

/* Is there a scene of this name?  NULL means all of them. */
static bool
is_scene(const char *name)
{
	for (size_t i = 0; name != NULL && i < n_scenes; i++)
		if (strcmp(name, scenes[i].name) == 0)
			return true;
	return name == NULL;
}

int
main(int argc, char **argv)
{
	const char *only = argc > 1 ? argv[1] : NULL;
	char note[64];

	if (argc > 2 || !is_scene(only)) {
		(void)fprintf(stderr, "usage: nth_call [scene]\n");
		return 2;
	}
	faults_own_crypto();
	faults_outside = login_is_backstage;
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED)
		return 1;
	host = login_open();
	login_share_crypto(host, true);
	printf("# seed %llu\n", (unsigned long long)SEED);
	for (size_t i = 0; i < n_scenes; i++) {
		const struct scene *scene = &scenes[i];

		if (only != NULL && strcmp(only, scene->name) != 0)
			continue;
		login_configure(host, scene->config);
		/* libcrypto keeps some memory from its first use on. */
		if (play(scene).code != scene->code) {
			printf("not ok %u - %s\n", ++n_lines, scene->name);
			n_failed++;
			shared->wrong_codes++;
			continue;
		}
		for (size_t j = 0; j < N_TROUBLES; j++)
			if (i == 0 || !troubles[j]->once)
				run(troubles[j], scene);
	}
	printf("1..%u\n", n_lines);
	(void)snprintf(
	    note, sizeof(note), "seed %llu", (unsigned long long)SEED);
	figures_write("nth_call",
	    "logins in which calls fail or the process is killed",
	    &(struct figures){.cases = shared->cases,
		.grants = shared->grants,
		.crashes = shared->crashes,
		.leaks = shared->leaks,
		.wrong = wrong(shared)},
	    note);
	login_close(&host);
	return n_failed > 0 ? 1 : 0;
}
