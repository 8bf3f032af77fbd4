/* SPDX-License-Identifier: BSD-2-Clause */
/* C4 at its source: hostile conversations, and that every answer is wiped. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../pam/conv.h"

#define CANARY "canary-in-an-answer"

/* libpam itself is not needed: there is only this item. */
static char handle[1];
#define PAMH ((pam_handle_t *)(void *)handle)
static const struct pam_conv *current;
static int item_result;

int
pam_get_item(const pam_handle_t *pamh, int type, const void **ret_item)
{
	assert_ptr_equal(pamh, PAMH);
	assert_int_equal(type, PAM_CONV);
	*ret_item = current;
	return item_result;
}

/* Every block that is freed is searched for what nobody may leave behind. */
static size_t leaks, frees;

void __real_free(void *block);
__attribute__((visibility("default"))) void __wrap_free(void *block);
size_t malloc_usable_size(void *block);

void
__wrap_free(void *block)
{
	if (block != NULL) {
		frees++;
		if (memmem(block, malloc_usable_size(block), CANARY,
			strlen(CANARY)) != NULL)
			leaks++;
	}
	__real_free(block);
}

struct play {
	int result;
	const char *answer; /* NULL: none */
	size_t repeat;      /* of the answer, 0 is 1 */
	bool no_response;
	bool dirty;
};

static struct play play;
static struct pam_message last;

static char *
make_answer(void)
{
	size_t len, n = play.repeat == 0 ? 1 : play.repeat;
	char *text;

	if (play.answer == NULL)
		return NULL;
	len = strlen(play.answer);
	text = calloc(n * len + 1, 1);
	assert_non_null(text);
	for (size_t i = 0; i < n; i++)
		memcpy(text + i * len, play.answer, len);
	return text;
}

static int
converse(int n, const struct pam_message **msgs, struct pam_response **resp,
    void *data)
{
	assert_int_equal(n, 1);
	assert_ptr_equal(data, &play);
	last = *msgs[0];
	if (play.dirty)
		*resp = (struct pam_response *)0x1;
	if (play.result != PAM_SUCCESS || play.no_response)
		return play.result;
	*resp = calloc(1, sizeof(**resp));
	assert_non_null(*resp);
	(*resp)->resp = make_answer();
	(*resp)->resp_retcode = 77; /* unused, so anything */
	return PAM_SUCCESS;
}

static const struct pam_conv conv = {converse, &play};
static const struct pam_conv empty_conv = {NULL, NULL};

static enum csign_err
ask(struct play what, struct csign_reply *ret_reply)
{
	play = what;
	leaks = frees = 0;
	current = &conv;
	item_result = PAM_SUCCESS;
	return csign_conv_ask(PAMH, "Question? ", ret_reply);
}

#define REPLY(text) ((struct csign_reply){text})

static void
answers(void **state)
{
	static const char *const cases[] = {
	    "", "a", "I", "\n", "ab", CANARY, "abcd-efgh-ijkl-mnop-qrst-uvwx"};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct csign_reply reply = REPLY("untouched");

		assert_int_equal(
		    ask((struct play){.answer = cases[i]}, &reply), CSIGN_OK);
		assert_string_equal(reply.text, cases[i]);
		assert_int_equal(last.msg_style, PAM_PROMPT_ECHO_ON);
		assert_string_equal(last.msg, "Question? ");
		assert_int_equal(frees, 2);
		/* The blocks of the conversation; what we keep is cleared. */
		assert_int_equal(leaks, 0);
		csign_reply_clear(&reply);
		for (size_t k = 0; k < sizeof(reply.text); k++)
			assert_int_equal(reply.text[k], 0);
	}
}

static void
too_long(void **state)
{
	struct csign_reply reply = REPLY("x");

	(void)state;
	/* What is longer than a reply is cut. */
	assert_int_equal(
	    ask((struct play){.answer = "a", .repeat = CSIGN_REPLY_SIZE - 1},
		&reply),
	    CSIGN_OK);
	assert_int_equal(strlen(reply.text), CSIGN_REPLY_SIZE - 1);
	assert_int_equal(
	    ask((struct play){.answer = "a", .repeat = CSIGN_REPLY_SIZE},
		&reply),
	    CSIGN_OK);
	assert_int_equal(strlen(reply.text), CSIGN_REPLY_SIZE - 1);
	assert_int_equal(
	    ask((struct play){.answer = "a", .repeat = PAM_MAX_RESP_SIZE - 1},
		&reply),
	    CSIGN_OK);
	assert_int_equal(strlen(reply.text), CSIGN_REPLY_SIZE - 1);
	reply = REPLY("x");
	assert_int_equal(
	    ask((struct play){.answer = "a", .repeat = PAM_MAX_RESP_SIZE},
		&reply),
	    CSIGN_E_TOO_LONG);
	assert_int_equal(
	    ask((struct play){.answer = CANARY, .repeat = 100000}, &reply),
	    CSIGN_E_TOO_LONG);
	assert_int_equal(leaks, 0);
	assert_string_equal(reply.text, "x");
}

static void
no_answer(void **state)
{
	struct csign_reply reply = REPLY("x");

	(void)state;
	assert_int_equal(
	    ask((struct play){.answer = NULL}, &reply), CSIGN_E_FORMAT);
	assert_int_equal(
	    ask((struct play){.no_response = true}, &reply), CSIGN_E_FORMAT);
	assert_string_equal(reply.text, "x");
}

static void
words(void **state)
{
	static const struct {
		const char *text, *word;
		bool is;
	} cases[] = {{"y", "y", true}, {"Y", "y", true}, {"yes", "yes", true},
	    {"YeS", "yes", true}, {"", "y", false}, {"ye", "yes", false},
	    {"yess", "yes", false}, {"n", "y", false}, {"\xd9", "y", false},
	    {"9", "y", false}, {"\xc4\xb0", "i", false}};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct csign_reply reply;

		snprintf(reply.text, sizeof(reply.text), "%s", cases[i].text);
		assert_int_equal(
		    csign_reply_is(&reply, cases[i].word), cases[i].is);
	}
}

static void
failures(void **state)
{
	static const int codes[] = {
	    PAM_CONV_ERR, PAM_CONV_AGAIN, PAM_SYSTEM_ERR, PAM_IGNORE, -1};
	struct csign_reply reply = REPLY("x");

	(void)state;
	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
		assert_int_equal(ask((struct play){.result = codes[i]}, &reply),
		    CSIGN_E_SYSTEM);
		/* What comes with a failure is not touched. */
		assert_int_equal(
		    ask((struct play){.result = codes[i], .dirty = true},
			&reply),
		    CSIGN_E_SYSTEM);
		assert_int_equal(frees, 0);
	}
	assert_int_equal(
	    ask((struct play){.result = PAM_BUF_ERR}, &reply), CSIGN_E_NOMEM);
	assert_string_equal(reply.text, "x");
}

static void
no_conversation(void **state)
{
	struct csign_reply reply = REPLY("x");

	(void)state;
	item_result = PAM_SUCCESS;
	current = NULL;
	assert_int_equal(csign_conv_ask(PAMH, "?", &reply), CSIGN_E_SYSTEM);
	assert_int_equal(csign_conv_show(PAMH, false, "!"), CSIGN_E_SYSTEM);
	current = &empty_conv;
	assert_int_equal(csign_conv_ask(PAMH, "?", &reply), CSIGN_E_SYSTEM);
	current = &conv;
	item_result = PAM_BAD_ITEM;
	assert_int_equal(csign_conv_ask(PAMH, "?", &reply), CSIGN_E_SYSTEM);
	assert_string_equal(reply.text, "x");
}

static void
texts(void **state)
{
	(void)state;
	item_result = PAM_SUCCESS;
	current = &conv;
	play = (struct play){.no_response = true};
	assert_int_equal(csign_conv_show(PAMH, false, "text"), CSIGN_OK);
	assert_int_equal(last.msg_style, PAM_TEXT_INFO);
	assert_int_equal(csign_conv_show(PAMH, true, "text"), CSIGN_OK);
	assert_int_equal(last.msg_style, PAM_ERROR_MSG);
	/* An answer that nobody asked for is wiped like any other. */
	play = (struct play){.answer = CANARY};
	leaks = frees = 0;
	assert_int_equal(csign_conv_show(PAMH, true, "text"), CSIGN_OK);
	assert_int_equal(frees, 2);
	assert_int_equal(leaks, 0);
	play = (struct play){.result = PAM_CONV_ERR};
	assert_int_equal(csign_conv_show(PAMH, true, "text"), CSIGN_E_SYSTEM);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(answers),
	    cmocka_unit_test(too_long),
	    cmocka_unit_test(no_answer),
	    cmocka_unit_test(words),
	    cmocka_unit_test(failures),
	    cmocka_unit_test(no_conversation),
	    cmocka_unit_test(texts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
