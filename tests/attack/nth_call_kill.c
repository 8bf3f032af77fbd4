/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The process is killed at each call.  What it wrote is in the order in which
 * it must be, the next login is as if nothing had been, and no answer that was
 * given before counts then.
 */
#include "config.h"

#include <security/pam_modules.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "nth_call_impl.h"

/* Kills after which there is an answer, where phones answer: one in so many. */
#define ANSWERED_ONE_IN 4

/* --- what it wrote -------------------------------------------------------- */

/* Was a recovery code used?  Each line of one says. */
static bool
code_is_used(const char *state)
{
	static const char unused[] = " used=never\n";
	size_t codes = 0, left = 0;

	for (const char *at = state; (at = strstr(at, "\ncode ")) != NULL; at++)
		codes++;
	for (const char *at = state; (at = strstr(at, unused)) != NULL; at++)
		left++;
	return left < codes;
}

/* Is the use of the device of this record in the state? */
static bool
device_is_used(const char *state, const char *record)
{
	const char *device = strstr(record, "\"device\":\"");
	char use[32];

	if (device == NULL)
		return false;
	(void)snprintf(use, sizeof(use), "\nuse %.*s ",
	    CSIGN_DEVICE_ID_SIZE - 1, device + strlen("\"device\":\""));
	if ((state = strstr(state, use)) == NULL)
		return false;
	state = strstr(state, " last_used=");
	return state != NULL && strncmp(state, " last_used=never", 16) != 0;
}

/*
 * A use is written down first, then what was signed, then the record: whoever
 * reads of a grant finds the other two, whenever the process ended.  Says
 * whether there was such a record.
 */
static bool
check_order(const struct scene *scene)
{
	static const char approval[] =
	    "\"event\":\"approval\",\"result\":\"granted\"";
	static const char recovery[] =
	    "\"event\":\"recovery\",\"result\":\"granted\"";
	char *audit = login_get(host, LOGIN_AUDIT, NULL);
	char *state = login_get(host, LOGIN_STATE, NULL);
	char *evidence = login_get(host, "evidence.log", NULL);
	const char *text = audit == NULL ? "" : audit, *record;
	const char *uses = state == NULL ? "" : state;
	bool granted = false;

	if ((record = strstr(text, approval)) != NULL) {
		granted = true;
		if (!device_is_used(uses, record))
			complain(&shared->grants, "granted, and not in use");
		if (strstr(scene->config, "evidence = yes") != NULL &&
		    (evidence == NULL || strchr(evidence, '\n') == NULL))
			complain(&shared->grants, "granted, no evidence");
	}
	if (strstr(text, recovery) != NULL) {
		granted = true;
		if (!code_is_used(uses))
			complain(&shared->grants, "granted, no code is used");
	}
	free(audit);
	free(state);
	free(evidence);
	return granted;
}

/* --- what was answered ---------------------------------------------------- */

static void
load_answer(struct csign_buf *out)
{
	csign_buf_clear(out);
	if (csign_buf_put(out, shared->answer, shared->answer_len) != CSIGN_OK)
		abort();
}

/*
 * The next login hears the old answer first.  Neither yes nor no counts there:
 * it goes on to the phone's answer to its own question.
 */
static void
check_after_kill(const struct scene *scene, const struct csign_buf *old)
{
	stage.first = old;
	check_next(scene);
	stage.first = NULL;
	if (csign_buf_len(old) == 0)
		return;
	if (!stage.first_sent)
		complain(&shared->blind, "the old answer was not heard");
	else if (!stage.answer_sent)
		complain(&shared->grants, "an old answer was taken");
}

static bool
is_enrolled(void)
{
	char *devices = login_get(host, "store/devices/carol", NULL);
	const bool is = devices != NULL;

	free(devices);
	return is;
}

/*
 * An enrolment has one try: here, on files without a device, it is the old
 * answer.  If that were taken, the phone would say yes to the next question.
 * Says whether it was heard.
 */
static bool
check_enrolment(const struct scene *scene, const struct csign_buf *old)
{
	struct login_result r;

	if (csign_buf_len(old) == 0)
		return false;
	stage.first = old;
	stage.enrols_by_it = true;
	r = play(scene);
	stage.first = NULL;
	stage.enrols_by_it = false;
	if (r.code == PAM_SUCCESS || is_enrolled())
		complain(&shared->grants, "an old enrolment was taken");
	return stage.first_sent;
}

/* A code that is used is not taken again.  Says whether it was. */
static bool
check_code(const struct scene *scene)
{
	char *state = login_get(host, LOGIN_STATE, NULL);
	const bool used = state != NULL && code_is_used(state);
	struct login_result r;

	free(state);
	if (!used)
		return false;
	login_keep_files(host, true);
	r = play(scene);
	login_keep_files(host, false);
	if (r.code == PAM_SUCCESS)
		complain(&shared->grants, "a used code was taken");
	return true;
}

/* --- the kills ------------------------------------------------------------ */

/* That no sanitizer and no exit(3) of anybody has. */
#define LOGIN_OVER 42

static void
killed_child(const struct scene *scene, unsigned long at)
{
	const struct faults_plan plan = {.mode = FAULTS_KILL, .at = at};

	(void)play_with(scene, &plan);
	_exit(faults.calls <= at ? LOGIN_OVER : 0);
}

/* One kill; false: the login was over before, or there is nothing to kill. */
static bool
kill_at(const struct scene *scene)
{
	int status = 0;
	pid_t pid;

	login_reset(host);
	shared->answer_len = 0;
	(void)fflush(NULL);
	if ((pid = fork()) == 0)
		killed_child(scene, shared->at);
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		abort();
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) {
		shared->cases++;
		return true;
	}
	/* What ends it before this call does so before the next, too. */
	if (!WIFEXITED(status) || WEXITSTATUS(status) != LOGIN_OVER)
		complain(&shared->crashes, "status %d", status);
	return false;
}

/* What has been seen in a scene: none of it may be missing where it must be. */
struct seen {
	unsigned long answered, granted, used, enrolments;
};

/* All that can be said of the files and of the answer that a login left. */
static void
check_files(const struct scene *scene, const struct csign_buf *answer,
    struct seen *seen)
{
	const bool enrolled = is_enrolled();

	seen->answered += csign_buf_len(answer) > 0;
	/* A new device has no use yet that could be counted. */
	if (!scene->enrols)
		seen->granted += check_order(scene);
	/* Before any other login mends what this one left. */
	check_after_kill(scene, answer);
	if (scene->types_code)
		seen->used += check_code(scene);
	if (scene->enrols && !enrolled)
		seen->enrolments += check_enrolment(scene, answer);
}

static void
check_seen(const struct scene *scene, const struct seen *seen)
{
	if (shared->at < CALLS_MIN || shared->at >= CALLS_MAX)
		complain(&shared->blind, "a login of %lu calls", shared->at);
	if (scene->choice != NULL &&
	    seen->answered < shared->at / ANSWERED_ONE_IN)
		complain(
		    &shared->blind, "answers after %lu kills", seen->answered);
	if (scene->code == PAM_SUCCESS && !scene->enrols && seen->granted == 0)
		complain(&shared->blind, "no kill came after the record");
	if (scene->types_code && seen->used == 0)
		complain(&shared->blind, "no kill came after the use");
	if (scene->enrols && seen->enrolments == 0)
		complain(&shared->blind, "no kill came before the enrolment");
}

static void
killed_at_each(const struct scene *scene)
{
	struct seen seen = {0};
	struct csign_buf *answer = NULL;

	if (csign_buf_new(sizeof(shared->answer), &answer) != CSIGN_OK)
		abort();
	/* What would have been sent: the same S is never made again. */
	for (; shared->at < CALLS_MAX && kill_at(scene); shared->at++) {
		load_answer(answer);
		check_files(scene, answer, &seen);
	}
	printf("# %lu kills, %lu after an answer, %lu after the record\n",
	    shared->at, seen.answered, seen.granted);
	check_seen(scene, &seen);
	load_answer(answer); /* of the login that was not killed */
	if (scene->choice != NULL && csign_buf_len(answer) == 0)
		complain(&shared->blind, "no answer without a kill");
	check_after_kill(scene, answer);
	csign_buf_free(&answer);
	shared->done = true;
}

const struct trouble kills = {
    .name = "killed at each call", .make = killed_at_each};
