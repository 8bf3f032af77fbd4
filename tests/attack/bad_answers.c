/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A hundred thousand bad answers to one account while its phones do not ring:
 * whoever scans the link gets in all the same, and nothing grows
 * (countersign-security(7) RL-4).  A question looks at eight different ones and
 * ends; so the number is met twice: with copies in one question, and with
 * different ones in as many questions as that takes.
 *
 * ATTACK_SCALE=n: n times as many.
 */
#include "config.h"

#include <dirent.h>
#include <malloc.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "figures.h"
#include "own_run.h"
#include "played.h"
#include "seal.h"
#include "unit.h"

#define ANSWERS 100000UL
#define BLOCK 100 /* questions between two logins of the owner */
#define A_TURN (QUEUE_MAX - 2)
#define MEMORY_MAX 65536 /* that may be there in the end and was not before */

static struct figures figures;
static struct csign_p256 *stranger;
static struct csign_buf *former; /* the owner's yes to an earlier question */

/* --- bad answers ----------------------------------------------------------
 */

/* The link is known, what is sealed is nothing. */
static void
seal_junk(unsigned long number)
{
	csign_buf_free(&host.answer);
	assert_ok(csign_buf_new(CSIGN_ANSWER_MAX, &host.answer));
	assert_ok(csign_seal(host.ctx->crypto, CSIGN_SEAL_ANSWER,
	    csign_link_answer_key(host.link), &number, sizeof(number),
	    host.answer));
}

/* The owner's yes, to a question that differs in one byte. */
static void
sign_another(void)
{
	struct csign_buf *bytes = host.question.bytes;
	unsigned char copy[CSIGN_TRANSACTION_MAX];
	const size_t len = csign_buf_len(bytes);

	memcpy(copy, csign_buf_data(bytes), len);
	for (int i = 0; i < 2; i++) {
		copy[len - 2] ^= 1;
		csign_buf_clear(bytes);
		assert_ok(csign_buf_put(bytes, copy, len));
		if (i == 0)
			sign(host.key, "approve");
	}
}

/* One in so many, the owner's phone among those who say what does not count. */
static void
bad_answer(unsigned long number)
{
	switch (number % 5) {
	case 0:
		seal_junk(number);
		break;
	case 1:
		sign(stranger, "approve");
		break;
	case 2:
		sign_another();
		break;
	case 3:
		sign(stranger, "deny");
		break;
	default:
		deliver(CSIGN_FRAME_ANSWER, 0, csign_buf_data(former),
		    csign_buf_len(former));
		return;
	}
	send_answer();
}

/* The queue of the courier that is played has few places. */
static void
heard(void)
{
	for (size_t i = 0; i < courier.tail; i++)
		csign_buf_free(&courier.bytes[i]);
	courier.head = courier.tail = 0;
}

/* --- the account ----------------------------------------------------------
 */

static void
begin_quietly(bool quietly)
{
	begin();
	assert_int_equal(courier.n_copies, quietly ? 0 : 1);
	heard();
}

/* Now only a login by the link lets phones ring again. */
static void
stop_the_ringing(void)
{
	begin_quietly(false);
	answer(host.key, "not-me");
	assert_int_equal(wait_for(0), CSIGN_E_NOT_ME);
	end_question();
}

/* By the link, in a question that has been answered wrong seven times. */
static void
owner_gets_in(void)
{
	enum csign_err r;

	begin_quietly(true);
	for (unsigned long i = 0; i + 1 < CSIGN_ANSWERS_MAX; i++) {
		bad_answer(i == 4 ? 0 : i % 4);
		assert_int_equal(wait_for(0), CSIGN_E_AGAIN);
	}
	heard();
	sign(host.key, "approve");
	assert_ok(csign_buf_new(CSIGN_ANSWER_MAX, &former));
	assert_ok(csign_buf_put(
	    former, csign_buf_data(host.answer), csign_buf_len(host.answer)));
	send_answer();
	r = wait_for(0);
	figures.wrong += r != CSIGN_OK;
	assert_ok(r);
	end_question();
}

struct size {
	unsigned int files;
	size_t bytes, memory;
};

/* What there is of the account, apart from the records. */
static struct size
measure(void)
{
	static const char *const folders[] = {"state", "devices"};
	struct size size = {.memory = mallinfo2().uordblks};
	char path[256];

	for (size_t i = 0; i < N_ROWS(folders); i++) {
		const struct dirent *entry;
		struct stat st;
		DIR *dir;

		(void)snprintf(
		    path, sizeof(path), "%s/state/%s", host.dir, folders[i]);
		assert_non_null(dir = opendir(path));
		while ((entry = readdir(dir)) != NULL) {
			assert_int_equal(
			    fstatat(dirfd(dir), entry->d_name, &st, 0), 0);
			size.files++;
			if (S_ISREG(st.st_mode))
				size.bytes += (size_t)st.st_size;
		}
		assert_int_equal(closedir(dir), 0);
	}
	return size;
}

static void
assert_not_grown(const struct size *before)
{
	const struct size now = measure();

	print_message("# %u files, %zu bytes before; %u files, %zu bytes\n",
	    before->files, before->bytes, now.files, now.bytes);
	figures.leaks += now.files != before->files;
	/* A number in it may have a digit more. */
	figures.leaks += now.bytes > before->bytes + 64;
	figures.leaks += now.memory > before->memory + MEMORY_MAX;
	assert_int_equal(now.files, before->files);
	assert_true(now.bytes <= before->bytes + 64);
	assert_true(now.memory <= before->memory + MEMORY_MAX);
}

static int
open_account(void **state)
{
	if (setup(state) != 0)
		return 1;
	host.seal = key_from(77);
	set_devices(&host.key, 1);
	courier.rings = 1;
	stranger = key_from(99);
	/* An earlier login. */
	begin_quietly(false);
	sign(host.key, "approve");
	assert_ok(csign_buf_new(CSIGN_ANSWER_MAX, &former));
	assert_ok(csign_buf_put(
	    former, csign_buf_data(host.answer), csign_buf_len(host.answer)));
	send_answer();
	assert_int_equal(wait_for(0), CSIGN_OK);
	end_question();
	stop_the_ringing();
	return 0;
}

static int
close_account(void **state)
{
	csign_p256_free(&stranger);
	csign_buf_free(&former);
	return teardown(state);
}

/* --- a hundred thousand ---------------------------------------------------
 */

/* Seven that differ, and copies of them. */
static void
in_one_question(void **state)
{
	const unsigned long all = ANSWERS * figures_scale();
	struct csign_buf *copy = NULL;
	uint8_t left;

	(void)state;
	begin_quietly(true);
	for (unsigned long i = 0; i + 1 < CSIGN_ANSWERS_MAX; i++) {
		bad_answer(i == 4 ? 0 : i % 4);
		assert_int_equal(wait_for(0), CSIGN_E_AGAIN);
	}
	left = courier.tries_left;
	assert_int_equal(left, 1);
	assert_ok(csign_buf_new(CSIGN_ANSWER_MAX, &copy));
	assert_ok(csign_buf_put(
	    copy, csign_buf_data(host.answer), csign_buf_len(host.answer)));
	for (unsigned long i = 0; i < all;) {
		heard();
		for (int k = 0; k < A_TURN && i < all; k++, i++)
			deliver(CSIGN_FRAME_ANSWER, 0, csign_buf_data(copy),
			    csign_buf_len(copy));
		assert_int_equal(wait_for(0), CSIGN_E_AGAIN);
		figures.cases += courier.tail;
	}
	heard();
	csign_buf_free(&copy);
	answer(host.key, "approve");
	assert_int_equal(wait_for(0), CSIGN_OK);
	end_question();
}

/* Eight that differ; a ninth is not looked at, be it the owner's. */
static void
one_question(unsigned long number)
{
	begin_quietly(true);
	for (unsigned long i = 0; i < CSIGN_ANSWERS_MAX; i++) {
		enum csign_err r;

		bad_answer(i < 5 ? number + i : i % 4);
		r = wait_for(0);
		figures.cases++;
		figures.grants += r == CSIGN_OK;
		assert_int_equal(r,
		    i + 1 < CSIGN_ANSWERS_MAX ? CSIGN_E_AGAIN : CSIGN_E_LIMIT);
	}
	heard();
	answer(host.key, "approve");
	assert_int_equal(wait_for(0), CSIGN_E_LIMIT);
	end_question();
}

static void
in_many_questions(void **state)
{
	const unsigned long all = ANSWERS / CSIGN_ANSWERS_MAX * figures_scale();
	struct size before = {.files = 0};

	(void)state;
	for (unsigned long i = 0; i < all; i++) {
		one_question(i);
		if ((i + 1) % BLOCK != 0)
			continue;
		csign_buf_free(&former);
		owner_gets_in();
		stop_the_ringing();
		/* The records of all are of no use here. */
		assert_int_equal(unlink(host.audit), 0);
		if (before.files == 0)
			before = measure();
	}
	assert_not_grown(&before);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(
		in_one_question, open_account, close_account),
	    cmocka_unit_test_setup_teardown(
		in_many_questions, open_account, close_account),
	};
	int failed;

	(void)own_run();
	failed = cmocka_run_group_tests_name("bad_answers", tests, NULL, NULL);
	if (failed > 0 && figures.wrong == 0)
		figures.wrong = (unsigned long)failed;
	figures_write("bad_answers",
	    "bad answers to an account whose phones do not ring", &figures,
	    NULL);
	return failed;
}
