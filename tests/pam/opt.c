/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "../../pam/opt.h"

#define ARGS_MAX 8

struct good {
	const char *args[ARGS_MAX];
	const char *config;
	bool debug, after_first_factor;
};

static const struct good good[] = {
    {{NULL}, NULL, false, false},
    {{"debug", NULL}, NULL, true, false},
    {{"config=/etc/x", NULL}, "/etc/x", false, false},
    {{"config=/a=b", "debug", NULL}, "/a=b", true, false},
    {{"after_first_factor", NULL}, NULL, false, true},
    {{"debug", "after_first_factor", NULL}, NULL, true, true},
};

struct bad {
	const char *args[ARGS_MAX];
	const char *why;
};

static const struct bad bad[] = {
    {{"", NULL}, "unknown option \"\""},
    {{"Debug", NULL}, "unknown option \"Debug\""},
    {{"debu", NULL}, "unknown option \"debu\""},
    {{"debugs", NULL}, "unknown option \"debugs\""},
    {{"nullok", NULL}, "unknown option \"nullok\""},
    {{"debug=", NULL}, "value not allowed in \"debug=\""},
    {{"debug=yes", NULL}, "value not allowed in \"debug=yes\""},
    {{"config", NULL}, "value missing in \"config\""},
    {{"config=", NULL}, "value missing in \"config=\""},
    {{"config=x", NULL}, "not an absolute path in \"config=x\""},
    {{"debug", "debug", NULL}, "repeated option \"debug\""},
    {{"config=/a", "config=/a", NULL}, "repeated option \"config=/a\""},
    {{"after_first_factor=yes", NULL},
	"value not allowed in \"after_first_factor=yes\""},
    {{"after_first_factor", "after_first_factor", NULL},
	"repeated option \"after_first_factor\""},
    {{"=", NULL}, "unknown option \"=\""},
    /* All of them are named at once. */
    {{"config=", "debug", "fail_open", "debug", NULL},
	"value missing in \"config=\", unknown option \"fail_open\", "
	"repeated option \"debug\""},
};

static int
count(const char *const *args)
{
	int n = 0;

	while (args[n] != NULL)
		n++;
	return n;
}

static void
good_options(void **state)
{
	char why[256];

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		struct csign_opt opt = {.config = "?",
		    .after_first_factor = !good[i].after_first_factor,
		    .debug = !good[i].debug};

		assert_int_equal(csign_opt_parse(count(good[i].args),
				     good[i].args, &opt, why, sizeof(why)),
		    CSIGN_OK);
		assert_string_equal(why, "");
		assert_int_equal(opt.debug, good[i].debug);
		assert_int_equal(
		    opt.after_first_factor, good[i].after_first_factor);
		if (good[i].config == NULL)
			assert_null(opt.config);
		else
			assert_string_equal(opt.config, good[i].config);
	}
}

static void
bad_options(void **state)
{
	char why[256];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct csign_opt opt = {.config = "untouched", .debug = true};

		assert_int_equal(csign_opt_parse(count(bad[i].args),
				     bad[i].args, &opt, why, sizeof(why)),
		    CSIGN_E_CONFIG);
		assert_string_equal(why, bad[i].why);
		assert_string_equal(opt.config, "untouched");
		assert_true(opt.debug);
	}
}

/* Too many complaints for the room: cut, and still refused. */
static void
many_bad_options(void **state)
{
	const char *args[200];
	struct csign_opt opt;
	char why[64];

	(void)state;
	for (size_t i = 0; i < 200; i++)
		args[i] = "an_option_of_another_module";
	assert_int_equal(
	    csign_opt_parse(200, args, &opt, why, sizeof(why)), CSIGN_E_CONFIG);
	assert_int_equal(strlen(why), sizeof(why) - 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(good_options),
	    cmocka_unit_test(bad_options),
	    cmocka_unit_test(many_bad_options),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
