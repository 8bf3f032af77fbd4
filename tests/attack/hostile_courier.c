/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A courier that was taken over, and what it can bring about: nothing.  Each
 * case is a whole login (or enrolment) by the module, with a courier that does
 * what was drawn for it (plays.h); one in fifty has the owner's yes in it,
 * which must still be heard.  An oracle looks at every grant.
 *
 * ATTACK_SCALE=n: n times as many; ATTACK_SEED=n: the numbers that are drawn;
 * ATTACK_CASE=n: that one, told at length; ATTACK_PART=n: one in n of all
 * cases, for builds that are slow.
 */
#include "config.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/wait.h>
#include <unistd.h>

#include "figures.h"
#include "hostile_enrolment.h"
#include "plays.h"

#define WORKERS 2
#define CRASHES_MAX 10
#define LIFETIME_MS 90000
#define GRACE_MS 2000
#define GROWTH_MAX 65536 /* bytes that memory may grow by in all cases */
#define STRIDE 1000003UL /* a prime */
#define WARM 1000        /* cases until it should have stopped growing */

struct tally {
	unsigned long cases, granted, wrong_grants, failures, leaks;
};

/* --- one login ------------------------------------------------------------
 */

static uint32_t
courier(void *arg, struct login *l, enum login_moment moment)
{
	(void)l;
	return plays_go_on(arg, moment);
}

/* Where the login takes place: drawn, too. */
static struct login_script
surroundings(struct play *p)
{
	static const char *const sudo[] = {"sudo", "-k", "id", NULL};
	static const char *const su[] = {"su", "-", "alice", NULL};
	static const struct login_script places[] = {
	    {.service = "sshd", .tty = "ssh", .rhost = "192.0.2.1"},
	    {.service = "sudo",
		.tty = "/dev/pts/3",
		.ruser = "alice",
		.command = sudo},
	    {.service = "su",
		.tty = "/dev/pts/4",
		.ruser = "bob",
		.command = su},
	    {.service = "login", .tty = "/dev/tty1"},
	};
	struct moves *m = &p->moves;
	struct login_script script = places[m->draw(m, 4)];

	script.user = m->draw(m, 8) == 0 ? "al" : "alice";
	script.courier = courier;
	script.arg = p;
	return script;
}

static unsigned int
bit_of(int code)
{
	switch (code) {
	case PAM_SUCCESS:
		return PLAY_GRANT;
	case PAM_AUTH_ERR:
		return PLAY_AUTH;
	case PAM_MAXTRIES:
		return PLAY_MAX;
	case PAM_AUTHINFO_UNAVAIL:
		return PLAY_INFO;
	default:
		return 0;
	}
}

/* Phones ring, in every other thousand; that is written down. */
static bool
rings(const struct play *p)
{
	return p->number / 1000 % 2 == 1;
}

/* NULL, or what is wrong. */
static const char *
judge(const struct play *p)
{
	const struct login_result *r = &p->result;
	const unsigned int bit = bit_of(r->code);

	if ((bit & p->kind->codes) == 0)
		return "this PAM code";
	if (r->stuck)
		return "it would wait for ever";
	if (r->ms > LIFETIME_MS + GRACE_MS)
		return "it took too long";
	if (login_changed(p->moves.l, LOGIN_DEVICES))
		return "the devices file was changed";
	if (!p->moves.by_owner &&
	    (login_changed(p->moves.l, LOGIN_STATE) ||
		(!rings(p) && login_changed(p->moves.l, LOGIN_RINGS))))
		return "something counts that no phone has signed";
	return NULL;
}

static void
play_login(struct play *p)
{
	struct login *l = p->moves.l;
	struct login_script script;

	p->trace = getenv("ATTACK_CASE") != NULL;
	login_configure(l, rings(p) ? "push = yes\n" : "push = no\n");
	script = surroundings(p);
	p->result = login_run(l, &script);
	if (p->trace)
		printf("# code %d, %llu ms, %s\n", p->result.code,
		    (unsigned long long)p->result.ms, p->result.log);
	p->granted = p->result.code == PAM_SUCCESS;
	if (p->granted)
		p->right = login_is_right(l, p->against, sizeof(p->against));
	p->wrong = judge(p);
}

/* --- one case -------------------------------------------------------------
 */

static void
fail(const struct play *p, const char *why)
{
	const struct login_result *r = &p->result;

	printf("# case %lu, %s: %s: code %d, %llu ms\n#   %s\n", p->number,
	    p->kind->name, why, r->code, (unsigned long long)r->ms, r->log);
	(void)fflush(stdout);
}

static void
count(const struct play *p, struct tally *tally)
{
	tally->cases++;
	tally->granted += p->granted;
	if (p->granted && !p->right) {
		tally->wrong_grants++;
		fail(p, p->against);
	}
	if (p->result.fds != 0 || p->result.children != 0) {
		tally->leaks++;
		fail(p, "a descriptor or a child is left");
	}
	if (p->wrong != NULL) {
		tally->failures++;
		fail(p, p->wrong);
	}
}

/* Case numbers go through the kinds one after the other. */
static const struct play_kind *
kind_of_case(unsigned long number, unsigned long scale)
{
	for (size_t i = 0; i < PLAYS_KINDS; i++) {
		unsigned long n = plays_kinds[i].cases * scale;

		if (number < n)
			return &plays_kinds[i];
		number -= n;
	}
	return NULL;
}

static void
play_case(struct login *l, const struct moves_past *past, unsigned long number,
    unsigned long scale, uint64_t seed, struct tally *tally)
{
	const struct play_kind *kind = kind_of_case(number, scale);
	struct play p;

	if (kind == NULL)
		return;
	plays_begin(&p, l, past, kind, number, seed);
	if (kind->enrolment)
		hostile_enrolment(&p);
	else
		play_login(&p);
	count(&p, &tally[kind - plays_kinds]);
}

/* --- earlier logins -------------------------------------------------------
 */

struct earlier {
	enum login_phone phone;
	const char *user, *choice;
	struct moves_past *past;
};

static uint32_t
keep_answer(void *arg, struct login *l, enum login_moment moment)
{
	struct earlier *e = arg;
	struct csign_buf *out = NULL;

	if (moment == LOGIN_STARTED) {
		(void)login_send_frame(l, CSIGN_FRAME_CREATED, 0, NULL, 0);
		return 100;
	}
	if (moment == LOGIN_WAITS &&
	    csign_buf_new(CSIGN_ANSWER_MAX, &out) == CSIGN_OK &&
	    login_sign(l, login_key(l, e->phone), e->choice, "", out)) {
		moves_remember(
		    e->past, csign_buf_data(out), csign_buf_len(out));
		(void)login_send_frame(l, CSIGN_FRAME_ANSWER, 0,
		    csign_buf_data(out), csign_buf_len(out));
	}
	csign_buf_free(&out);
	return LOGIN_NEVER;
}

/* The oracle knows the one that it is asked about alone. */
static bool
was_here(struct login *l)
{
	char against[256];

	return login_is_right(l, against, sizeof(against));
}

/* Answers of this and of another person, on this and on another host. */
static bool
remember_earlier(struct login *l, struct moves_past *past)
{
	static const struct earlier all[] = {
	    {LOGIN_PHONE_1, "alice", "approve", NULL},
	    {LOGIN_PHONE_2, "alice", "approve", NULL},
	    {LOGIN_PHONE_1, "alice", "deny", NULL},
	    {LOGIN_PHONE_1, "alice", "not-me", NULL},
	    {LOGIN_PHONE_BOB, "bob", "approve", NULL},
	    {LOGIN_PHONE_STRANGER, "alice", "approve", NULL},
	};
	struct login *other = login_open();
	bool good = true;

	login_configure(other, "host = web2\n");
	for (size_t i = 0; i < 4 * sizeof(all) / sizeof(all[0]); i++) {
		struct earlier e = all[i / 4];
		const struct login_script script = {.service = "sshd",
		    .user = e.user,
		    .tty = "ssh",
		    .courier = keep_answer,
		    .arg = &e};
		const bool grants = strcmp(e.choice, "approve") == 0 &&
				    e.phone != LOGIN_PHONE_STRANGER;

		struct login *at = i % 2 == 0 ? l : other;

		e.past = past;
		good = good &&
		       (login_run(at, &script).code == PAM_SUCCESS) == grants &&
		       (!grants || was_here(at) == (at == l));
	}
	login_close(&other);
	return good;
}

/* --- all cases ------------------------------------------------------------
 */

/* Shared by the processes. */
struct board {
	struct tally tally[WORKERS][PLAYS_KINDS];
	unsigned long at[WORKERS];    /* see case_at() */
	unsigned long grown[WORKERS]; /* bytes */
	unsigned long end;            /* of at */
	bool part;                    /* not all of them */
	bool prepared;
};

static unsigned long
from_environment(const char *name, unsigned long otherwise)
{
	const char *text = getenv(name);

	return text == NULL ? otherwise : strtoul(text, NULL, 0);
}

/* All kinds soon, so that memory stops growing early. */
static unsigned long
case_at(unsigned long at, unsigned long total)
{
	return at * STRIDE % total;
}

static void
work(unsigned int worker, unsigned long total, unsigned long scale,
    uint64_t seed, struct board *board)
{
	static struct moves_past past;
	struct login *l = login_open();
	unsigned long done = 0;
	size_t before = 0;

	login_share_crypto(l, true);
	board->prepared = remember_earlier(l, &past);
	for (unsigned long i = board->at[worker]; i < board->end;
	     i += WORKERS) {
		board->at[worker] = i;
		play_case(l, &past, case_at(i, total), scale, seed,
		    board->tally[worker]);
		if (++done == WARM)
			before = mallinfo2().uordblks;
	}
	board->at[worker] = board->end;
	if (done > WARM && mallinfo2().uordblks > before)
		board->grown[worker] = mallinfo2().uordblks - before;
	login_close(&l);
}

/* Starts the worker again behind a case that ended it. */
static unsigned long
supervise(unsigned int worker, pid_t pid, unsigned long total,
    unsigned long scale, uint64_t seed, struct board *board)
{
	unsigned long crashes = 0;
	int status = 0;

	for (;;) {
		if (waitpid(pid, &status, 0) != pid)
			return crashes + 1;
		if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
			return crashes;
		printf("# case %lu ended the process: status %#x\n",
		    case_at(board->at[worker], total), (unsigned int)status);
		if (++crashes == CRASHES_MAX)
			return crashes;
		board->at[worker] += WORKERS;
		(void)fflush(NULL);
		if ((pid = fork()) == 0) {
			work(worker, total, scale, seed, board);
			_exit(0);
		}
	}
}

static struct tally
sum_of(const struct board *board, size_t i)
{
	struct tally sum = {.cases = 0};

	for (unsigned int w = 0; w < WORKERS; w++) {
		const struct tally *t = &board->tally[w][i];

		sum.cases += t->cases;
		sum.granted += t->granted;
		sum.wrong_grants += t->wrong_grants;
		sum.failures += t->failures;
		sum.leaks += t->leaks;
	}
	return sum;
}

static unsigned long
report(const struct board *board, unsigned long crashes, uint64_t seed)
{
	struct tally all = {.cases = 0};
	unsigned long failed = 0;
	char note[128];

	for (size_t i = 0; i < PLAYS_KINDS; i++) {
		const struct tally sum = sum_of(board, i), *t = &sum;
		const bool must_grant = plays_kinds[i].codes == PLAY_GRANT;
		const bool ok = (t->cases > 0 || board->part) &&
				t->wrong_grants == 0 && t->failures == 0 &&
				t->leaks == 0 &&
				(!must_grant || t->granted == t->cases);

		printf("%sok %zu - %s: %lu cases, %lu granted\n",
		    ok ? "" : "not ", i + 1, plays_kinds[i].name, t->cases,
		    t->granted);
		failed += !ok;
		all.cases += t->cases;
		all.granted += t->granted;
		all.wrong_grants += t->wrong_grants;
		all.failures += t->failures;
		all.leaks += t->leaks;
	}
	for (unsigned int w = 0; w < WORKERS; w++)
		if (board->grown[w] > GROWTH_MAX) {
			printf("# memory grew by %lu bytes\n", board->grown[w]);
			all.leaks++;
		}
	printf("%sok %d - no crash, no leak\n",
	    crashes + all.leaks == 0 && board->prepared ? "" : "not ",
	    PLAYS_KINDS + 1);
	failed += crashes + all.leaks > 0 || !board->prepared;
	(void)snprintf(note, sizeof(note), "%lu right grants; seed %llu",
	    all.granted - all.wrong_grants, (unsigned long long)seed);
	figures_write("hostile_courier",
	    "couriers that know all a courier gets",
	    &(struct figures){.cases = all.cases,
		.grants = all.wrong_grants,
		.crashes = crashes,
		.leaks = all.leaks,
		.wrong = all.failures + !board->prepared},
	    note);
	return failed;
}

static unsigned long
run_all(unsigned long total, unsigned long scale, uint64_t seed,
    struct board *board)
{
	unsigned long crashes = 0;
	pid_t pids[WORKERS];

	for (unsigned int w = 0; w < WORKERS; w++) {
		board->at[w] = w;
		(void)fflush(NULL);
		if ((pids[w] = fork()) == 0) {
			work(w, total, scale, seed, board);
			exit(0);
		}
	}
	for (unsigned int w = 0; w < WORKERS; w++)
		crashes += supervise(w, pids[w], total, scale, seed, board);
	return crashes;
}

int
main(void)
{
	const unsigned long scale = figures_scale();
	const unsigned long one = from_environment("ATTACK_CASE", 0);
	uint64_t seed = 0;
	unsigned long total = 0, crashes = 0;
	static struct moves_past past;
	struct login *l = NULL;
	struct board *board = mmap(NULL, sizeof(*board), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (board == MAP_FAILED ||
	    getrandom(&seed, sizeof(seed), 0) != sizeof(seed))
		return 1;
	seed = from_environment("ATTACK_SEED", (unsigned long)(seed >> 32));
	printf("1..%d\n# ATTACK_SEED=%llu\n", PLAYS_KINDS + 1,
	    (unsigned long long)seed);
	for (size_t i = 0; i < PLAYS_KINDS; i++)
		total += plays_kinds[i].cases * scale;
	if (getenv("ATTACK_CASE") != NULL) {
		l = login_open();
		if (!remember_earlier(l, &past))
			return 1;
		login_share_crypto(l, true);
		play_case(l, &past, one, scale, seed, board->tally[0]);
		login_close(&l);
		return 0;
	} else {
		board->end = total / from_environment("ATTACK_PART", 1);
		board->part = board->end < total;
		crashes = run_all(total, scale, seed, board);
	}
	return report(board, crashes, seed) > 0;
}
