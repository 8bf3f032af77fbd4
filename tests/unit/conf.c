/* SPDX-License-Identifier: BSD-2-Clause */
/* "key = value" files: what is accepted, and what each error says. */
#include "unit.h"

#include "bounds.h"
#include "conf.h"

/* --- a table with every type ---------------------------------------------- */

struct toy {
	char *path;
	char *text;
	char *words;
	uint32_t choice, number, set;
	bool flag;
};

static enum csign_err
no_cheese(const char *value, struct csign_why *why)
{
	if (strcmp(value, "cheese") != 0)
		return CSIGN_OK;
	csign_why_set(why, "must not be cheese");
	return CSIGN_E_CONFIG;
}

static const char *const fruit[] = {"apple", "pear", "plum", NULL};

#define AT(member) offsetof(struct toy, member)
static const struct csign_conf_key toy_keys[] = {
    {"choice", CSIGN_CONF_CHOICE, true, AT(choice), 0, 0, fruit, "pear", NULL},
    {"flag", CSIGN_CONF_BOOL, true, AT(flag), 0, 0, NULL, "yes", NULL},
    {"number", CSIGN_CONF_U32, true, AT(number), 5, 70, NULL, "60", NULL},
    {"old", CSIGN_CONF_RETIRED, true, 0, 0, 0, NULL, NULL, NULL},
    {"path", CSIGN_CONF_PATH, false, AT(path), 0, 0, NULL, NULL, NULL},
    {"set", CSIGN_CONF_SET, true, AT(set), 0, 0, fruit, "plum apple", NULL},
    {"text", CSIGN_CONF_TEXT, true, AT(text), 2, 8, NULL, NULL, no_cheese},
    {"words", CSIGN_CONF_WORDS, false, AT(words), 1, 3, NULL, "a b", NULL},
};

static struct csign_conf_table toy_table = {
    .keys = toy_keys,
    .n_keys = N_ROWS(toy_keys),
    .settings_size = sizeof(struct toy),
    .sections = true,
};

static struct {
	unsigned n;
	char last[CSIGN_WHY_SIZE];
} findings;

static void
note(void *arg, const char *finding)
{
	assert_ptr_equal(arg, &findings);
	findings.n++;
	(void)snprintf(findings.last, sizeof(findings.last), "%s", finding);
}

static enum csign_err
parse_bytes(const char *text, size_t len, const char *section, struct toy *toy,
    struct csign_why *why)
{
	memset(&findings, 0, sizeof(findings));
	memset(toy, 0, sizeof(*toy));
	return csign_conf_parse(&toy_table, "f.conf", text, len, section, toy,
	    why, note, &findings);
}

static enum csign_err
parse(const char *text, const char *section, struct toy *toy,
    struct csign_why *why)
{
	return parse_bytes(text, strlen(text), section, toy, why);
}

/* --- what is accepted ----------------------------------------------------- */

static void
defaults_are_there(void **state)
{
	struct toy toy;

	(void)state;
	assert_ok(parse("", NULL, &toy, NULL));
	assert_int_equal(toy.choice, 1);
	assert_true(toy.flag);
	assert_int_equal(toy.number, 60);
	assert_null(toy.path);
	assert_int_equal(toy.set, 5);
	assert_null(toy.text);
	assert_string_equal(toy.words, "a b");
	csign_conf_clear(&toy_table, &toy);
	assert_null(toy.words);
}

static void
each_type_is_read(void **state)
{
	static const char text[] = "# a comment\tin two parts \xc3\xbc\n"
				   "\n"
				   "  \t\n"
				   "choice=plum\n"
				   "\tflag =\tno \n"
				   "number = 5\n"
				   "old = whatever this is\n"
				   "path = /a/b.c/..d/\n"
				   "set = pear\n"
				   "text = a # b=c\n"
				   "words = one two three";
	struct toy toy;

	(void)state;
	assert_ok(parse(text, NULL, &toy, NULL));
	assert_int_equal(findings.n, 0);
	assert_int_equal(toy.choice, 2);
	assert_false(toy.flag);
	assert_int_equal(toy.number, 5);
	assert_string_equal(toy.path, "/a/b.c/..d/");
	assert_int_equal(toy.set, 2);
	assert_string_equal(toy.text, "a # b=c");
	assert_string_equal(toy.words, "one two three");
	csign_conf_clear(&toy_table, &toy);
}

static void
a_section_wins_over_the_top(void **state)
{
	static const char text[] = "number = 10\n"
				   "text = top\n"
				   "choice = plum\n"
				   "[sudo]\n"
				   "number = 20\n"
				   "text = sudo\n"
				   "[su-l]\n"
				   "number = 30\n"
				   "choice = apple\n";
	static const struct {
		const char *section;
		uint32_t number, choice;
		const char *text;
	} rows[] = {
	    {NULL, 10, 2, "top"},
	    {"sudo", 20, 2, "sudo"},
	    {"su-l", 30, 0, "top"},
	    {"su", 10, 2, "top"},
	    {"sshd", 10, 2, "top"},
	    {"", 10, 2, "top"},
	};

	(void)state;
	for (size_t i = 0; i < N_ROWS(rows); i++) {
		struct toy toy;

		assert_ok(parse(text, rows[i].section, &toy, NULL));
		assert_int_equal(toy.number, rows[i].number);
		assert_int_equal(toy.choice, rows[i].choice);
		assert_string_equal(toy.text, rows[i].text);
		csign_conf_clear(&toy_table, &toy);
	}
}

/* --- what is not ---------------------------------------------------------- */

#define LONG_64                                                                \
	"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static const struct {
	const char *text;
	const char *finding; /* begins with "f.conf:" and the line */
} errors[] = {
    {"color = red\n", "1: there is no setting \"color\""},
    {"\n\nNumber = 7", "3: there is no setting \"Number\""},
    {"number = 7\nnumber = 7\n", "2: set twice: \"number\""},
    {"[a]\nflag = no\nflag = no\n", "3: set twice: \"flag\""},
    {"old = 1\nold = 2\n", "2: set twice: \"old\""},
    {"number =\n", "1: no value for \"number\""},
    {"number = \t \n", "1: no value for \"number\""},
    {"number\n", "1: the line is not \"key = value\""},
    {"= 7\n", "1: the line is not \"key = value\""},
    {"  = 7\n", "1: the line is not \"key = value\""},
    {"number 7\n", "1: the line is not \"key = value\""},
    {"number = 4\n", "1: number must be a number from 5 to 70, not \"4\""},
    {"number = 71\n", "1: number must be a number"},
    {"number = 07\n", "1: number must be a number"},
    {"number = +7\n", "1: number must be a number"},
    {"number = 7s\n", "1: number must be a number"},
    {"number = 99999999999\n", "1: number must be a number"},
    {"flag = true\n", "1: flag must be no or yes, not \"true\""},
    {"flag = Yes\n", "1: flag must be no or yes"},
    {"choice = grape\n",
	"1: choice must be apple, pear or plum, not \"grape\""},
    {"choice = apple pear\n", "1: choice must be apple"},
    {"choice = appl\n", "1: choice must be apple"},
    {"set = grape\n", "1: set must be apple, pear or plum"},
    {"set = apple apple\n", "1: set must be apple"},
    {"set = apple  pear\n", "1: set must be apple"},
    {"set = apple,pear\n", "1: set must be apple"},
    {"path = a/b\n", "1: path must be an absolute path"},
    {"path = /a/./b\n", "1: path must be an absolute path"},
    {"path = /a/..\n", "1: path must be an absolute path"},
    {"path = /../a\n", "1: path must be an absolute path"},
    {"text = a\n", "1: text must have 2 to 8 bytes, not \"a\""},
    {"text = 123456789\n", "1: text must have 2 to 8 bytes"},
    {"text = cheese\n", "1: text must not be cheese, not \"cheese\""},
    {"text = a\tb\n", "1: text has a tab in its value"},
    {"words = a b c d\n", "1: words must be 1 to 3 words"},
    {"words = a  b\n", "1: words must be 1 to 3 words"},
    {"[sudo\n", "1: a section is [name]"},
    {"[]\n", "1: a section is [name]"},
    {"[\n", "1: a section is [name]"},
    {"[ sudo ]\n", "1: a section is [name]"},
    {"[Sudo]\n", "1: a section is [name]"},
    {"[su/do]\n", "1: a section is [name]"},
    {"[sudo] # ours\n", "1: a section is [name]"},
    {"[a" LONG_64 "]\n", "1: a section is [name]"},
    {"[a]\n[b]\n[a]\n", "3: this section was there before"},
    {"[a]\npath = /x\n", "2: not allowed in a section: \"path\""},
    /* also where the section is not the one in use */
    {"[other]\nnumber = 1\n", "2: number must be a number"},
    {"text = a\x01z\n", "1: the line has a control character"},
    {"# a\x1b[2J\n", "1: the line has a control character"},
    {"text = ab\x7f\n", "1: the line has a control character"},
    {"text = ab\xc2\x85\n", "1: the line has a control character"},
    {"text = ab\r\n", "1: the line ends in a carriage return"},
    {"# \xff\n", "1: the line is not UTF-8"},
    {"text = \xed\xa0\x80\n", "1: the line is not UTF-8"},
    {"\xef\xbb\xbfnumber = 7\n", "1: there is no setting"},
};

static void
each_error_has_its_line_and_reason(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_ROWS(errors); i++) {
		char want[CSIGN_WHY_SIZE];
		struct csign_why why;
		struct toy toy;

		(void)snprintf(
		    want, sizeof(want), "f.conf:%s", errors[i].finding);
		assert_err(errors[i].text,
		    parse(errors[i].text, "sudo", &toy, &why), CSIGN_E_CONFIG);
		if (strncmp(why.text, want, strlen(want)) != 0)
			fail_msg("\"%s\" instead of \"%s\"", why.text, want);
		assert_int_equal(findings.n, 1);
		assert_string_equal(findings.last, why.text);
		csign_conf_clear(&toy_table, &toy);
	}
}

static void
a_nul_is_a_control(void **state)
{
	static const char text[] = "text = ab\0cd\n";
	struct csign_why why;
	struct toy toy;

	(void)state;
	assert_err("NUL", parse_bytes(text, sizeof(text) - 1, NULL, &toy, &why),
	    CSIGN_E_CONFIG);
	assert_non_null(strstr(why.text, ":1: the line has a control"));
	csign_conf_clear(&toy_table, &toy);
}

static void
all_findings_are_reported(void **state)
{
	struct csign_why why;
	struct toy toy;

	(void)state;
	assert_err("three",
	    parse("a = 1\nnumber = x\n\nflag = maybe\n", NULL, &toy, &why),
	    CSIGN_E_CONFIG);
	assert_int_equal(findings.n, 3);
	assert_string_equal(
	    findings.last, "f.conf:4: flag must be no or yes, not \"maybe\"");
	assert_string_equal(
	    why.text, "f.conf:1: there is no setting \"a\" (and 2 more)");
	csign_conf_clear(&toy_table, &toy);
	/* Nobody has to listen. */
	memset(&toy, 0, sizeof(toy));
	assert_err("quietly",
	    csign_conf_parse(
		&toy_table, "f", "a = 1", 5, NULL, &toy, NULL, NULL, NULL),
	    CSIGN_E_CONFIG);
	csign_conf_clear(&toy_table, &toy);
}

static void
lines_have_a_bound(void **state)
{
	char line[CSIGN_CONF_LINE_MAX + 2];
	struct toy toy;

	(void)state;
	memset(line, 'x', sizeof(line));
	line[0] = '#';
	line[CSIGN_CONF_LINE_MAX] = '\n';
	assert_ok(parse_bytes(line, CSIGN_CONF_LINE_MAX + 1, NULL, &toy, NULL));
	csign_conf_clear(&toy_table, &toy);
	line[CSIGN_CONF_LINE_MAX] = 'x';
	assert_err("longer",
	    parse_bytes(line, CSIGN_CONF_LINE_MAX + 1, NULL, &toy, NULL),
	    CSIGN_E_CONFIG);
	csign_conf_clear(&toy_table, &toy);
}

static void
sections_have_a_bound(void **state)
{
	char text[4096] = "", *end = text;
	struct toy toy;

	(void)state;
	for (int i = 0; i < 64; i++)
		end += snprintf(end, 16, "[s%d]\n", i);
	assert_ok(parse(text, NULL, &toy, NULL));
	csign_conf_clear(&toy_table, &toy);
	(void)snprintf(end, 16, "[one-more]\n");
	assert_err("65", parse(text, NULL, &toy, NULL), CSIGN_E_CONFIG);
	assert_string_equal(
	    findings.last, "f.conf:65: there are too many sections");
	csign_conf_clear(&toy_table, &toy);
}

static void
a_table_may_have_no_sections(void **state)
{
	struct toy toy;
	enum csign_err r = CSIGN_E_INTERNAL;

	(void)state;
	toy_table.sections = false;
	r = parse("number = 7\n[sudo]\nnumber = 8\n", "sudo", &toy, NULL);
	toy_table.sections = true;
	assert_err("section", r, CSIGN_E_CONFIG);
	assert_string_equal(
	    findings.last, "f.conf:2: there are no sections in this file");
	assert_int_equal(toy.number, 7);
	csign_conf_clear(&toy_table, &toy);
}

static void
a_wrong_default_is_no_default(void **state)
{
	static const struct csign_conf_key keys[] = {
	    {"number", CSIGN_CONF_U32, false, AT(number), 5, 70, NULL, "4",
		NULL},
	};
	const struct csign_conf_table table = {
	    keys, 1, sizeof(struct toy), false};
	struct toy toy = {0};

	(void)state;
	assert_err("default",
	    csign_conf_parse(&table, "f", "", 0, NULL, &toy, NULL, NULL, NULL),
	    CSIGN_E_INTERNAL);
}

/* --- looking back --------------------------------------------------------- */

static void
values_are_shown_as_they_are_written(void **state)
{
	static const struct {
		const char *key, *value;
	} rows[] = {
	    {"choice", "apple"},
	    {"flag", "no"},
	    {"number", "70"},
	    {"path", "/x"},
	    {"set", "apple plum"},
	    {"text", ""},
	    {"words", "a b"},
	};
	char out[64];
	struct toy toy;

	(void)state;
	assert_ok(parse("choice = apple\nflag = no\nnumber = 70\npath = /x\n",
	    NULL, &toy, NULL));
	for (size_t i = 0; i < N_ROWS(rows); i++) {
		size_t size = strlen(rows[i].value) + 1;

		assert_ok(csign_conf_value(
		    &toy_table, &toy, rows[i].key, out, sizeof(out)));
		assert_string_equal(out, rows[i].value);
		assert_ok(
		    csign_conf_value(&toy_table, &toy, rows[i].key, out, size));
		assert_err(rows[i].key,
		    csign_conf_value(
			&toy_table, &toy, rows[i].key, out, size - 1),
		    CSIGN_E_TOO_LONG);
	}
	assert_err("unknown",
	    csign_conf_value(&toy_table, &toy, "none", out, sizeof(out)),
	    CSIGN_E_NOT_FOUND);
	assert_err("retired",
	    csign_conf_value(&toy_table, &toy, "old", out, sizeof(out)),
	    CSIGN_E_NOT_FOUND);
	csign_conf_clear(&toy_table, &toy);
	assert_ok(
	    csign_conf_value(&toy_table, &toy, "number", out, sizeof(out)));
	assert_string_equal(out, "");
}

static void
the_line_of_a_key_is_found(void **state)
{
	static const char text[] =
	    "# number = 1\n numbers = 2\n\tnumber= 3\n[s]\nflag = no\n";

	(void)state;
	assert_int_equal(csign_conf_line(text, strlen(text), "number"), 3);
	assert_int_equal(csign_conf_line(text, strlen(text), "numbers"), 2);
	assert_int_equal(csign_conf_line(text, strlen(text), "flag"), 0);
	assert_int_equal(csign_conf_line(text, strlen(text), "none"), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(defaults_are_there),
	    cmocka_unit_test(each_type_is_read),
	    cmocka_unit_test(a_section_wins_over_the_top),
	    cmocka_unit_test(each_error_has_its_line_and_reason),
	    cmocka_unit_test(a_nul_is_a_control),
	    cmocka_unit_test(all_findings_are_reported),
	    cmocka_unit_test(lines_have_a_bound),
	    cmocka_unit_test(sections_have_a_bound),
	    cmocka_unit_test(a_table_may_have_no_sections),
	    cmocka_unit_test(a_wrong_default_is_no_default),
	    cmocka_unit_test(values_are_shown_as_they_are_written),
	    cmocka_unit_test(the_line_of_a_key_is_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
