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

#include <security/pam_modules.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "faults.h"
#include "figures.h"
#include "login.h"
#include "places.h"

/* Of two questions and an enrolment. */
#define LONGEST_MS UINT64_C(480000)
#define CALLS_MAX 20000
#define LOTS 20000UL
#define ONE_IN 400
#define SEED UINT64_C(20261122)
#define COMPLAINTS_MAX 15
/* Kills after which there is an answer, where phones answer: one in so many. */
#define ANSWERED_ONE_IN 4
#define SSH_PROVEN "SSH_AUTH_INFO_0=publickey ssh-ed25519 AAAA"

/* --- scenes --------------------------------------------------------------- */

struct scene {
	const char *name;
	const char *config; /* more lines */
	const char *user;
	bool proven;
	enum login_phone phone; /* that answers */
	const char *choice;     /* of the phone; NULL: it does not answer */
	bool by_digits;         /* it types those of the terminal */
	bool types_code;        /* the person types a recovery code */
	bool enrols;
	int code; /* if nothing fails */
};

static const struct scene scenes[] = {
    {"phone", "", "alice", .phone = LOGIN_PHONE_1, .choice = "approve",
	.code = PAM_SUCCESS},
    {"recovery code", "", "alice", .types_code = true, .code = PAM_SUCCESS},
    {"push and typed digits", "evidence = yes\n", "alice", .proven = true,
	.phone = LOGIN_PHONE_2, .choice = "approve", .by_digits = true,
	.code = PAM_SUCCESS},
    {"denied", "", "alice", .proven = true, .phone = LOGIN_PHONE_1,
	.choice = "deny", .code = PAM_MAXTRIES},
    {"enrolment in a login", "unenrolled = enroll\n", "carol", .proven = true,
	.phone = LOGIN_PHONE_STRANGER, .choice = "approve", .enrols = true,
	.code = PAM_SUCCESS},
    {"policy lets nobody by", "unenrolled = ignore\n", "alice",
	.phone = LOGIN_PHONE_1, .choice = "approve", .code = PAM_SUCCESS},
};

#define N_SCENES (sizeof(scenes) / sizeof(scenes[0]))

/* What the callbacks of a script know. */
struct stage {
	const struct scene *scene;
	unsigned long jobs;
	int32_t late_ms; /* after the question's end; 0: in time */
	const struct csign_buf *first; /* an old one that is sent before */
};

static struct login *host;
static struct stage stage;

/* --- what is counted, also when the process ends -------------------------- */

struct shared {
	unsigned long cases, grants, wrong_codes, crashes, leaks, stuck, lost;
	unsigned long blind; /* tries that tried nothing */
	unsigned long complaints;
	/* where the worker is */
	unsigned long at;
	unsigned int way;
	bool done;
	unsigned long old_answers; /* that were sent before a new one */
	/* the newest answer of a phone, sealed, whatever became of the login */
	size_t answer_len;
	unsigned char answer[CSIGN_ANSWER_MAX + 64];
};

static struct shared *shared;

static void __attribute__((format(printf, 2, 3)))
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

/* --- who answers ---------------------------------------------------------- */

static int
talk(void *arg, struct login *l, int style, const char *text, char **ret_reply)
{
	const struct stage *s = arg;
	const char *reply = "";

	if (style != PAM_PROMPT_ECHO_OFF && style != PAM_PROMPT_ECHO_ON)
		return PAM_SUCCESS;
	if (s->scene->types_code)
		reply = login_recovery_code(l, 0);
	else if (strstr(text, "[y/N]") != NULL)
		reply = "y";
	if ((*ret_reply = strdup(reply)) == NULL)
		return PAM_BUF_ERR;
	return PAM_SUCCESS;
}

static void
phone_answers(struct login *l, const struct stage *s)
{
	const struct csign_p256 *key = login_key(l, s->scene->phone);
	struct csign_buf *out = NULL;
	bool made;

	if (csign_buf_new(CSIGN_ANSWER_MAX + 64, &out) != CSIGN_OK)
		return;
	if (login_job(l)->op == CSIGN_OP_ENROL)
		made = login_enrol(
		    l, key, login_seal_key(l, s->scene->phone), out);
	else
		made = login_sign(l, key, s->scene->choice,
		    s->scene->by_digits ? login_digits(l) : "", out);
	/* An enrolment has one try, and would end by it. */
	if (s->first != NULL && csign_buf_len(s->first) > 0 &&
	    login_job(l)->op != CSIGN_OP_ENROL &&
	    login_send_frame(l, CSIGN_FRAME_ANSWER, 0, csign_buf_data(s->first),
		csign_buf_len(s->first)))
		shared->old_answers++;
	if (made) {
		shared->answer_len = csign_buf_len(out);
		memcpy(shared->answer, csign_buf_data(out), shared->answer_len);
	}
	if (made)
		(void)login_send_frame(l, CSIGN_FRAME_ANSWER, 0,
		    csign_buf_data(out), csign_buf_len(out));
	csign_buf_free(&out);
}

static uint32_t
courier(void *arg, struct login *l, enum login_moment moment)
{
	const struct stage *s = arg;

	if (moment == LOGIN_STARTED) {
		(void)login_send_frame(l, CSIGN_FRAME_CREATED, 1, NULL, 0);
		if (s->scene->choice == NULL)
			return LOGIN_NEVER;
		return s->late_ms == 0
			   ? 500
			   : (uint32_t)((int32_t)login_job(l)->lifetime * 1000 +
					s->late_ms);
	}
	if (moment == LOGIN_WAITS)
		phone_answers(l, s);
	return LOGIN_NEVER;
}

static int
fault(void *arg, const char *call)
{
	(void)arg;
	return faults_error(call);
}

static struct login_result
play(const struct scene *scene)
{
	static const char *const env[] = {SSH_PROVEN, NULL};
	/* login_is_right() looks at it later. */
	static struct login_script script;

	script = (struct login_script){
	    .service = "sshd",
	    .user = scene->user,
	    .tty = "ssh",
	    .rhost = "192.0.2.1",
	    .env = scene->proven ? env : NULL,
	    .talk = talk,
	    .courier = courier,
	    .fault = fault,
	    .arg = &stage,
	};

	stage.scene = scene;
	return login_run(host, &script);
}

/* --- is it right? --------------------------------------------------------- */

/*
 * libcrypto says 0, -1 or 2.  Where that is its verdict about what a phone
 * sent, it was no answer; where it is about a key of the devices file, the file
 * is not usable, which a recovery code does not need.  What it could not make
 * was for lack of memory.  After anything else nothing was decided.
 */
static int
crypto_code(const struct scene *scene)
{
	static const char *const verdicts[] = {"EVP_DecryptFinal_ex",
	    "EVP_DigestVerify", "EVP_PKEY_fromdata",
	    "EVP_PKEY_public_check_quick"};

	if (place == PLACE_BEST_EFFORT)
		return scene->code;
	for (size_t i = 0; i < sizeof(verdicts) / sizeof(verdicts[0]); i++) {
		if (strcmp(faults.function, verdicts[i]) != 0)
			continue;
		if (place == PLACE_ANSWER)
			return PAM_AUTH_ERR;
		if (place == PLACE_DEVICES && scene->types_code)
			return scene->code;
		return PAM_AUTHINFO_UNAVAIL;
	}
	return strstr(faults.function, "_new") != NULL ? PAM_BUF_ERR
						       : PAM_AUTHINFO_UNAVAIL;
}

/* The code that this trouble has; more than one where it may be mended. */
static bool
code_is_right(const struct scene *scene, int code)
{
	if (faults.hits == 0)
		return code == scene->code;
	/* What becomes of memory that it lacks is libcrypto's own affair. */
	if (strcmp(faults.function, "CRYPTO_malloc") == 0)
		return code == scene->code || code == PAM_BUF_ERR ||
		       code == PAM_AUTHINFO_UNAVAIL || code == PAM_AUTH_ERR;
	if (faults.class == FAULTS_CRYPTO)
		return code == crypto_code(scene);
	if (code == scene->code)
		return true;
	/* A file that is not there, and an account without a device. */
	if (strcmp(faults.how, "ENOENT") == 0 &&
	    (code == PAM_AUTH_ERR || code == PAM_USER_UNKNOWN))
		return true;
	switch (faults.class) {
	case FAULTS_MEMORY:
		return code == PAM_BUF_ERR;
	case FAULTS_CRYPTO:
	case FAULTS_SYSTEM:
	case FAULTS_LIBRARY:
		return code == PAM_AUTHINFO_UNAVAIL ||
		       (code == PAM_BUF_ERR &&
			   (strcmp(faults.how, "ENOMEM") == 0 ||
			       strcmp(faults.function, "mmap") == 0));
	case FAULTS_PAM:
		/* Without an item, it looks like another program's login. */
		return true;
	}
	return false;
}

/* Is something perhaps not on the disk that a grant needs there? */
static bool
is_lost(void)
{
	static const char *const calls[] = {"fsync", "fdatasync", "renameat2"};

	if (faults.hits == 0 || place == PLACE_BEST_EFFORT ||
	    strcmp(faults.how, "EINTR") == 0)
		return false;
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
		if (strcmp(faults.function, calls[i]) == 0)
			return true;
	return false;
}

static void
check_leftovers(const struct login_result *r)
{
	if (faults.live != 0)
		complain(&shared->leaks, "%ld blocks are left, one by %p",
		    faults.live, faults.leak);
	if (r->fds != 0 || r->children != 0)
		complain(&shared->leaks, "%d descriptors, %d children left",
		    r->fds, r->children);
	if (r->stuck || r->ms > LONGEST_MS)
		complain(&shared->stuck, "it took %llu ms",
		    (unsigned long long)r->ms);
}

static void
check_grant(const struct login_result *r)
{
	char why[256] = "";

	if (r->code == PAM_IGNORE)
		complain(&shared->grants, "ignored");
	else if (r->code == PAM_SUCCESS &&
		 !login_is_right(host, why, sizeof(why)))
		complain(&shared->grants, "a wrong grant: %s", why);
}

/* Now nothing fails: whoever was not denied gets in by a phone. */
static void
check_next(const struct scene *scene)
{
	static const struct scene by_phone = {
	    "", "", "alice", .phone = LOGIN_PHONE_1, .choice = "approve"};
	static const struct scene enrolled = {"", "", "carol",
	    .phone = LOGIN_PHONE_STRANGER, .choice = "approve"};
	char *devices = login_get(host, "store/devices/carol", NULL);
	const struct scene *next = !scene->enrols    ? &by_phone
				   : devices == NULL ? scene
						     : &enrolled;
	struct login_result r;
	char why[256] = "";

	free(devices);
	login_keep_files(host, true);
	r = play(next);
	login_keep_files(host, false);
	if (r.code != PAM_SUCCESS || !login_is_right(host, why, sizeof(why)))
		complain(&shared->lost, "the next login: code %d, %s; %s",
		    r.code, why, r.log);
}

static void
one(const struct scene *scene, const struct faults_plan *plan)
{
	struct login_result r;

	place = PLACE_ANY;
	faults_begin(plan);
	r = play(scene);
	faults_end();
	shared->cases++;
	check_grant(&r);
	if (plan->mode == FAULTS_NTH && r.code == PAM_SUCCESS && is_lost())
		complain(&shared->grants, "a grant in spite of it");
	if (plan->mode == FAULTS_EINTR
		? r.code != scene->code
		: plan->mode != FAULTS_LOT && !code_is_right(scene, r.code))
		complain(&shared->wrong_codes, "code %d; %s", r.code, r.log);
	check_leftovers(&r);
}

/* --- the ways ------------------------------------------------------------- */

/* From (at, way) on; each call in each of its ways. */
static void
each(const struct scene *scene, struct faults_plan plan)
{

	for (; shared->at < CALLS_MAX; shared->at++, shared->way = 0) {
		do {
			plan.at = shared->at;
			plan.way = shared->way;
			one(scene, &plan);
			if (faults.hits == 0) {
				shared->cases--;
				shared->done = true;
				return;
			}
			if (shared->way == 0)
				check_next(scene);
		} while (++shared->way < faults.ways);
	}
}

static void
each_call(const struct scene *scene)
{
	each(scene, (struct faults_plan){.mode = FAULTS_NTH});
}

static void
each_inner_allocation(const struct scene *scene)
{
	each(scene, (struct faults_plan){
			.mode = FAULTS_ONLY, .function = "CRYPTO_malloc"});
}

static void
by_lot(const struct scene *scene)
{
	struct faults_plan plan = {.mode = FAULTS_LOT, .one_in = ONE_IN};
	const unsigned long lots = LOTS * figures_scale() / N_SCENES + 1;

	for (; shared->at < lots; shared->at++) {
		plan.seed = SEED + shared->at;
		one(scene, &plan);
		if (shared->at % 16 == 0)
			check_next(scene);
	}
	shared->done = true;
}

/* Everything that a signal can interrupt is; nobody notices. */
static void
interrupted(const struct scene *scene)
{
	struct faults_plan plan = {.mode = FAULTS_EINTR};

	one(scene, &plan);
	if (faults.hits < 5)
		complain(
		    &shared->blind, "%lu calls were interrupted", faults.hits);
	shared->done = true;
}

/* The answer comes around the end of the question; after it, it is none. */
static void
late(const struct scene *scene)
{
	static const int32_t ms[] = {-2000, -3, -2, 1, 2, 3, 100, 1000, 5000};
	const struct faults_plan plan = {.mode = FAULTS_COUNT};
	struct login_result r;

	for (; shared->at < sizeof(ms) / sizeof(ms[0]); shared->at++) {
		stage.late_ms = ms[shared->at];
		faults_begin(&plan);
		r = play(scene);
		faults_end();
		stage.late_ms = 0;
		shared->cases++;
		check_grant(&r);
		check_leftovers(&r);
		if (ms[shared->at] > 0 && r.code == PAM_SUCCESS)
			complain(&shared->grants, "a late answer was taken");
		if (r.code != (ms[shared->at] < 0 ? PAM_SUCCESS : PAM_AUTH_ERR))
			complain(&shared->wrong_codes, "%d ms late: code %d",
			    (int)ms[shared->at], r.code);
		check_next(scene);
	}
	shared->done = true;
}

/* In a process of its own, so that one that crashes is counted. */
static void
survive(void (*work)(const struct scene *scene), const struct scene *scene)
{
	int status = 0;
	pid_t pid;

	shared->at = 0;
	shared->way = 0;
	shared->done = false;
	while (!shared->done) {
		(void)fflush(NULL);
		if ((pid = fork()) == 0) {
			work(scene);
			exit(0);
		}
		if (pid < 0 || waitpid(pid, &status, 0) != pid)
			abort();
		if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
			continue;
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

/* --- killed --------------------------------------------------------------- */

static void
killed_child(const struct scene *scene, unsigned long at)
{
	const struct faults_plan plan = {.mode = FAULTS_KILL, .at = at};

	faults_begin(&plan);
	(void)play(scene);
	faults_end();
	_exit(faults.calls <= at ? 1 : 0);
}

/* Was a recovery code used?  They all could be. */
static bool
code_is_used(const char *state)
{
	size_t unused = 0;

	for (; (state = strstr(state, " used=never\n")) != NULL; state++)
		unused++;
	return unused < CSIGN_RECOVERY_CODES;
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

static void
load_answer(struct csign_buf *out)
{
	csign_buf_clear(out);
	if (csign_buf_put(out, shared->answer, shared->answer_len) != CSIGN_OK)
		abort();
}

/* The old answer first, then the phone's to the new question. */
static void
check_after_kill(const struct scene *scene, const struct csign_buf *old)
{
	stage.first = old;
	check_next(scene);
	stage.first = NULL;
}

/* The same login with nothing but the old answer. */
static void
check_replay(const struct csign_buf *old)
{
	static const struct scene replay = {
	    "", "", "alice", .phone = LOGIN_PHONE_BOB, .choice = "approve"};
	struct login_result r;

	stage.first = old;
	login_keep_files(host, true);
	r = play(&replay);
	login_keep_files(host, false);
	stage.first = NULL;
	if (r.code == PAM_SUCCESS)
		complain(&shared->grants, "an old answer was taken");
}

/* One kill; false: the login was over before. */
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
	if (WIFEXITED(status) && WEXITSTATUS(status) == 1)
		return false;
	shared->cases++;
	if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL)
		complain(&shared->crashes, "status %d", status);
	return true;
}

static void
killed_at_each(const struct scene *scene)
{
	const unsigned long before = shared->old_answers;
	unsigned long answered = 0, granted = 0;
	struct csign_buf *answer = NULL;

	if (csign_buf_new(sizeof(shared->answer), &answer) != CSIGN_OK)
		abort();
	/* What would have been sent: the same S is never made again. */
	for (; shared->at < CALLS_MAX && kill_at(scene); shared->at++) {
		load_answer(answer);
		answered += csign_buf_len(answer) > 0;
		/* A new device has no use yet that could be counted. */
		if (!scene->enrols)
			granted += check_order(scene);
		check_after_kill(scene, answer);
	}
	load_answer(answer); /* of the login that was not killed */
	check_replay(answer);
	printf("# %lu kills, %lu after an answer, %lu after the record\n",
	    shared->at, answered, granted);
	if (scene->choice != NULL &&
	    (csign_buf_len(answer) == 0 ||
		answered < shared->at / ANSWERED_ONE_IN))
		complain(&shared->blind, "answers after %lu kills", answered);
	/* Of each, and of the one that was not killed. */
	if (scene->choice != NULL &&
	    shared->old_answers - before != answered + 1)
		complain(&shared->blind, "%lu old answers were heard",
		    shared->old_answers - before);
	if (scene->code == PAM_SUCCESS && !scene->enrols && granted == 0)
		complain(&shared->blind, "no kill came after the record");
	csign_buf_free(&answer);
	shared->done = true;
}

/* --- all together --------------------------------------------------------- */

static unsigned int n_lines, n_failed;

/* All that should not be, but a crash, a leak and a grant. */
static unsigned long
wrong(const struct shared *s)
{
	return s->wrong_codes + s->stuck + s->lost + s->blind;
}

static void
run(const char *what, void (*work)(const struct scene *scene),
    const struct scene *scene)
{
	const struct shared before = *shared;
	bool good;

	login_configure(host, scene->config);
	shared->complaints = 0;
	survive(work, scene);
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
	    ++n_lines, scene->name, what, shared->cases - before.cases);
	(void)fflush(stdout);
}

int
main(int argc, char **argv)
{
	const char *only = argc > 1 ? argv[1] : NULL;
	char note[64];

	faults_own_crypto();
	faults_outside = login_is_backstage;
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED)
		return 1;
	host = login_open();
	login_share_crypto(host, true);
	printf("# seed %llu\n", (unsigned long long)SEED);
	for (size_t i = 0; i < N_SCENES; i++) {
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
		run("each call fails in each way", each_call, scene);
		if (i == 0) {
			run("answers that come late", late, scene);
			run("each allocation in libcrypto fails",
			    each_inner_allocation, scene);
		}
		run("calls fail by lot", by_lot, scene);
		run("calls are interrupted", interrupted, scene);
		run("killed at each call", killed_at_each, scene);
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
