/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"

#include "buf.h"
#include "json.h"

struct json_tokener *__real_json_tokener_new_ex(int depth);
struct json_tokener *__wrap_json_tokener_new_ex(int depth);
struct json_object *__real_json_tokener_parse_ex(
    struct json_tokener *tok, const char *text, int len);
struct json_object *__wrap_json_tokener_parse_ex(
    struct json_tokener *tok, const char *text, int len);

static struct {
	bool no_tokener;
	bool no_tree;
} fake;

struct json_tokener *
__wrap_json_tokener_new_ex(int depth)
{
	return fake.no_tokener ? NULL : __real_json_tokener_new_ex(depth);
}

struct json_object *
__wrap_json_tokener_parse_ex(
    struct json_tokener *tok, const char *text, int len)
{
	return fake.no_tree ? NULL
			    : __real_json_tokener_parse_ex(tok, text, len);
}

/* A literal with its length: it may hold NULs. */
#define S(literal) literal, sizeof(literal) - 1

static void
good_objects_are_read(void **state)
{
	static const struct {
		const char *text;
		size_t len;
	} rows[] = {
	    {S("{}")},
	    {S(" \t\r\n{ } \t\r\n")},
	    {S("{\"\":1}")},
	    {S("{\"a\":1,\"b\":[],\"c\":{},\"d\":null}")},
	    {S("{ \"a\" : [ true , false , null , \"x\" ] }")},
	    {S("{\"a\":0,\"b\":-1,\"c\":9007199254740991}")},
	    {S("{\"c\":-9007199254740991}")},
	    {S("{\"a\":[[[1]]]}")},
	    {S("{\"a\":{\"b\":{\"c\":{}}}}")},
	    {S("{\"a\":{\"x\":1},\"b\":{\"x\":1}}")},
	    {S("{\"a\":1,\"A\":2,\"a \":3}")},
	    {S("{\"a\":\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\u00E9\"}")},
	    {S("{\"a\":\"\\ud83d\\udcf1\\uFFFF\\u0001\\ud7ff\\ue000\"}")},
	    {S("{\"a\":\"\x7f'\xc3\xa9\xf0\x9f\x93\xb1\"}")},
	};

	(void)state;
	for (size_t i = 0; i < N_ROWS(rows); i++) {
		struct json_object *object = NULL;

		assert_err(rows[i].text,
		    csign_json_parse(rows[i].text, rows[i].len, &object),
		    CSIGN_OK);
		assert_true(json_object_is_type(object, json_type_object));
		json_object_put(object);
	}
}

static void
everything_else_is_refused(void **state)
{
	static const struct {
		const char *text;
		size_t len;
	} rows[] = {
	    /* not one object */
	    {S("")},
	    {S(" ")},
	    {S("[]")},
	    {S("1")},
	    {S("\"a\"")},
	    {S("null")},
	    {S("{}{}")},
	    {S("{} {}")},
	    {S("{},")},
	    {S("{}x")},
	    {S("{}\0")},
	    {S("{}]")},
	    {S("{}}")},
	    {S("\0{}")},
	    {S("\xef\xbb\xbf{}")},
	    {S("{} // x")},
	    {S("/* x */{}")},
	    {S("{/* x */}")},
	    {S("{}\v")},
	    {S("{}\f")},
	    {S("{}\xc2\xa0")},
	    /* cut off at each place */
	    {S("{")},
	    {S("{\"a")},
	    {S("{\"a\"")},
	    {S("{\"a\":")},
	    {S("{\"a\":1")},
	    {S("{\"a\":1,")},
	    {S("{\"a\":[")},
	    {S("{\"a\":[1")},
	    {S("{\"a\":\"\\")},
	    {S("{\"a\":\"\\u12")},
	    {S("{\"a\":-")},
	    {S("{\"a\":tru")},
	    /* members */
	    {S("{a:1}")},
	    {S("{'a':1}")},
	    {S("{1:1}")},
	    {S("{\"a\" 1}")},
	    {S("{\"a\"}")},
	    {S("{\"a\":}")},
	    {S("{\"a\":1 \"b\":2}")},
	    {S("{\"a\":1,}")},
	    {S("{,}")},
	    {S("{,\"a\":1}")},
	    {S("{\"a\":1,,\"b\":2}")},
	    {S("{\"a\":[1,]}")},
	    {S("{\"a\":[,]}")},
	    {S("{\"a\":[1 2]}")},
	    {S("{\"a\":[1}")},
	    {S("{\"a\":[1}}")},
	    {S("{\"a\":{]}")},
	    {S("{null:1}")},
	    /* repeated names, also in disguise and further down */
	    {S("{\"a\":1,\"a\":2}")},
	    {S("{\"a\":1,\"a\":1}")},
	    {S("{\"a\":1,\"\\u0061\":2}")},
	    {S("{\"/\":1,\"\\/\":2}")},
	    {S("{\"\":1,\"\":2}")},
	    {S("{\"x\":{\"a\":1,\"a\":2}}")},
	    {S("{\"x\":[{\"a\":1,\"b\":2,\"a\":3}]}")},
	    {S("{\"a\":{\"b\":1,\"c\":2},\"a\":null}")},
	    {S("{\"a\":null,\"a\":{\"b\":1,\"c\":2}}")},
	    /* words */
	    {S("{\"a\":True}")},
	    {S("{\"a\":TRUE}")},
	    {S("{\"a\":Null}")},
	    {S("{\"a\":nul}")},
	    {S("{\"a\":nullx}")},
	    {S("{\"a\":NaN}")},
	    {S("{\"a\":nan}")},
	    {S("{\"a\":Infinity}")},
	    {S("{\"a\":-Infinity}")},
	    {S("{\"a\":undefined}")},
	    /* numbers */
	    {S("{\"a\":9007199254740992}")},
	    {S("{\"a\":-9007199254740992}")},
	    {S("{\"a\":9223372036854775808}")},
	    {S("{\"a\":99999999999999999999999999}")},
	    {S("{\"a\":01}")},
	    {S("{\"a\":00}")},
	    {S("{\"a\":-0}")},
	    {S("{\"a\":-01}")},
	    {S("{\"a\":+1}")},
	    {S("{\"a\":--1}")},
	    {S("{\"a\":1.0}")},
	    {S("{\"a\":1.}")},
	    {S("{\"a\":.5}")},
	    {S("{\"a\":1e3}")},
	    {S("{\"a\":1E400}")},
	    {S("{\"a\":0x1}")},
	    {S("{\"a\":12abc}")},
	    {S("{\"a\":1_0}")},
	    {S("{\"a\":1 0}")},
	    /* strings */
	    {S("{\"a\":'x'}")},
	    {S("{\"a\":x}")},
	    {S("{\"a\":\"x}")},
	    {S("{\"a\":\"x\ny\"}")},
	    {S("{\"a\":\"x\ty\"}")},
	    {S("{\"a\":\"\x1f\"}")},
	    {S("{\"a\":\"\0\"}")},
	    {S("{\"a\":\"\\u0000\"}")},
	    {S("{\"a\\u0000b\":1}")},
	    {S("{\"a\":\"\\x41\"}")},
	    {S("{\"a\":\"\\'\"}")},
	    {S("{\"a\":\"\\0\"}")},
	    {S("{\"a\":\"\\\0\"}")},
	    {S("{\"a\":\"\\a\"}")},
	    {S("{\"a\":\"\\U0041\"}")},
	    {S("{\"a\":\"\\u004\"}")},
	    {S("{\"a\":\"\\u00g1\"}")},
	    {S("{\"a\":\"\\u+041\"}")},
	    {S("{\"a\":\"\\u 041\"}")},
	    {S("{\"a\":\"\\u004\0\"}")},
	    {S("{\"a\":\"\\ud800\"}")},
	    {S("{\"a\":\"\\udc00\"}")},
	    {S("{\"a\":\"\\udbffx\"}")},
	    {S("{\"a\":\"\\ud800\\ud800\"}")},
	    {S("{\"a\":\"\\udc00\\ud800\"}")},
	    {S("{\"a\":\"\\ud800\\u0041\"}")},
	    {S("{\"a\":\"\\ud800\\n\"}")},
	    {S("{\"\\ud800\":1}")},
	    {S("{\"a\":\"\xff\"}")},
	    {S("{\"a\":\"\xc3\"}")},
	    {S("{\"a\":\"\xed\xa0\x80\"}")},
	    {S("{\"a\":\"\xc0\x80\"}")},
	    {S("{\"\xff\":1}")},
	    /* five deep */
	    {S("{\"a\":[[[[]]]]}")},
	    {S("{\"a\":{\"b\":{\"c\":{\"d\":{}}}}}")},
	};

	(void)state; /* MEM-2 */
	for (size_t i = 0; i < N_ROWS(rows); i++) {
		struct json_object *object = NULL;

		assert_err(rows[i].text,
		    csign_json_parse(rows[i].text, rows[i].len, &object),
		    CSIGN_E_FORMAT);
		assert_null(object);
	}
}

/* {"a":[1,1 ...],"b":[ ...] ...} with these numbers of elements. */
static struct csign_buf *
make_arrays(const unsigned int *counts, size_t n)
{
	struct csign_buf *text = NULL;

	assert_ok(csign_buf_new(2048, &text));
	for (size_t i = 0; i < n; i++) {
		assert_ok(csign_buf_putf(
		    text, "%s\"%c\":[", i > 0 ? "," : "{", 'a' + (int)i));
		for (unsigned int j = 0; j < counts[i]; j++)
			assert_ok(csign_buf_put_str(text, j > 0 ? ",1" : "1"));
		assert_ok(csign_buf_put_str(text, "]"));
	}
	assert_ok(csign_buf_put_str(text, "}"));
	return text;
}

static void
members_have_a_limit(void **state)
{
	static const struct {
		const char *name;
		unsigned int counts[5];
		enum csign_err want;
	} rows[] = {
	    {"64 in an array", {64}, CSIGN_OK},
	    {"65 in an array", {65}, CSIGN_E_FORMAT},
	    {"65 in the last", {0, 0, 0, 0, 65}, CSIGN_E_FORMAT},
	    {"256 in all", {64, 64, 64, 59, 0}, CSIGN_OK},
	    {"257 in all", {64, 64, 64, 59, 1}, CSIGN_E_FORMAT},
	};

	(void)state; /* MEM-2 */
	for (size_t i = 0; i < N_ROWS(rows); i++) {
		struct json_object *object = NULL;
		struct csign_buf *text =
		    make_arrays(rows[i].counts, N_ROWS(rows[i].counts));

		assert_err(rows[i].name,
		    csign_json_parse(
			csign_buf_data(text), csign_buf_len(text), &object),
		    rows[i].want);
		json_object_put(object);
		csign_buf_free(&text);
	}
}

static void
an_object_has_64_members(void **state)
{
	struct json_object *object = NULL;
	char text[2048];
	size_t len = 0;

	(void)state;
	for (unsigned int n = 1; n <= 65; n++) {
		len += (size_t)snprintf(text + len, sizeof(text) - len,
		    "%s\"%u\":0", n == 1 ? "{" : ",", n);
		text[len] = '}';
		object = NULL;
		assert_err("members", csign_json_parse(text, len + 1, &object),
		    n <= 64 ? CSIGN_OK : CSIGN_E_FORMAT);
		json_object_put(object);
	}
}

static void
the_size_has_a_limit(void **state)
{
	static char text[CSIGN_JSON_MAX + 1];
	struct json_object *object = NULL;

	(void)state;
	memset(text, ' ', sizeof(text));
	memcpy(text, "{}", 2);
	assert_err("one too many",
	    csign_json_parse(text, sizeof(text), &object), CSIGN_E_TOO_LONG);
	assert_null(object);
	assert_ok(csign_json_parse(text, sizeof(text) - 1, &object));
	json_object_put(object);

	object = NULL;
	memset(text, '[', sizeof(text));
	memcpy(text, "{\"a\":", 5);
	assert_err("deep", csign_json_parse(text, sizeof(text) - 1, &object),
	    CSIGN_E_FORMAT);
}

/* Nothing behind its end is read: each length is a block of its own. */
static void
text_needs_no_nul(void **state)
{
	static const char text[] =
	    "{\"a\":[1,-2,true,null,\"\\ud83d\\udcf1\xc3\xa9\"]}";

	(void)state;
	for (size_t len = 0; len < sizeof(text); len++) {
		struct json_object *object = NULL;
		char *block = malloc(len == 0 ? 1 : len);

		assert_non_null(block);
		memcpy(block, text, len);
		assert_err("prefix", csign_json_parse(block, len, &object),
		    len == sizeof(text) - 1 ? CSIGN_OK : CSIGN_E_FORMAT);
		json_object_put(object);
		free(block);
	}
}

static void
no_memory_is_an_error(void **state)
{
	struct json_object *object = NULL;

	(void)state;
	fake.no_tokener = true;
	assert_err(
	    "tokener", csign_json_parse("{}", 2, &object), CSIGN_E_NOMEM);
	fake.no_tokener = false;
	fake.no_tree = true;
	assert_err("tree", csign_json_parse("{}", 2, &object), CSIGN_E_NOMEM);
	fake.no_tree = false;
	assert_null(object);
}

static struct json_object *
parse(const char *text)
{
	struct json_object *object = NULL;

	assert_ok(csign_json_parse(text, strlen(text), &object));
	return object;
}

static void
strings_are_of_that_type_and_size(void **state)
{
	static const struct {
		const char *name;
		size_t max;
		const char *want;
	} rows[] = {
	    {"s", 3, "abc"},
	    {"s", 2, NULL},
	    {"s", SIZE_MAX, "abc"},
	    {"empty", 0, ""},
	    {"u", 4, "\xf0\x9f\x93\xb1"},
	    {"u", 3, NULL},
	    {"n", 9, NULL},
	    {"b", 9, NULL},
	    {"null", 9, NULL},
	    {"array", 9, NULL},
	    {"object", 9, NULL},
	    {"x", 9, NULL},
	    {"S", 9, NULL},
	};
	struct json_object *object =
	    parse("{\"s\":\"abc\",\"empty\":\"\",\"u\":\"\\ud83d\\udcf1\","
		  "\"n\":5,\"b\":true,\"null\":null,\"array\":[\"x\"],"
		  "\"object\":{\"x\":\"y\"}}");

	(void)state;
	for (size_t i = 0; i < N_ROWS(rows); i++) {
		const char *str =
		    csign_json_str(object, rows[i].name, rows[i].max);

		if (rows[i].want == NULL)
			assert_null(str);
		else
			assert_string_equal(str, rows[i].want);
	}
	assert_null(csign_json_str(NULL, "s", 9));
	assert_null(
	    csign_json_str(json_object_object_get(object, "array"), "x", 9));
	json_object_put(object);
}

/* Whoever made the tree. */
static void
strings_hold_no_nul(void **state)
{
	struct json_object *object = json_object_new_object();

	(void)state;
	assert_non_null(object);
	assert_int_equal(json_object_object_add(object, "s",
			     json_object_new_string_len("a\0b", 3)),
	    0);
	assert_null(csign_json_str(object, "s", 9));
	json_object_put(object);
}

static void
integers_are_of_that_type_and_range(void **state)
{
	static const struct {
		const char *name;
		int64_t min, max;
		bool want;
		int64_t value;
	} rows[] = {
	    {"n", 0, 9, true, 5},
	    {"n", 5, 5, true, 5},
	    {"n", 6, 9, false, 0},
	    {"n", 0, 4, false, 0},
	    {"minus", INT64_MIN, INT64_MAX, true, -7},
	    {"minus", 0, 9, false, 0},
	    {"big", 0, INT64_MAX, true, CSIGN_JSON_INT_MAX},
	    {"s", INT64_MIN, INT64_MAX, false, 0},
	    {"word", INT64_MIN, INT64_MAX, false, 0},
	    {"b", INT64_MIN, INT64_MAX, false, 0},
	    {"null", INT64_MIN, INT64_MAX, false, 0},
	    {"array", INT64_MIN, INT64_MAX, false, 0},
	    {"x", INT64_MIN, INT64_MAX, false, 0},
	};
	struct json_object *object =
	    parse("{\"n\":5,\"minus\":-7,\"big\":9007199254740991,"
		  "\"s\":\"5\",\"word\":\"12abc\",\"b\":true,\"null\":null,"
		  "\"array\":[5]}");

	(void)state;
	for (size_t i = 0; i < N_ROWS(rows); i++) {
		int64_t value = 99;

		assert_int_equal(csign_json_int(object, rows[i].name,
				     rows[i].min, rows[i].max, &value),
		    rows[i].want);
		assert_int_equal(value, rows[i].want ? rows[i].value : 99);
	}
	assert_false(csign_json_int(NULL, "n", 0, 9, NULL));
	json_object_put(object);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(good_objects_are_read),
	    cmocka_unit_test(everything_else_is_refused),
	    cmocka_unit_test(members_have_a_limit),
	    cmocka_unit_test(an_object_has_64_members),
	    cmocka_unit_test(the_size_has_a_limit),
	    cmocka_unit_test(text_needs_no_nul),
	    cmocka_unit_test(no_memory_is_an_error),
	    cmocka_unit_test(strings_are_of_that_type_and_size),
	    cmocka_unit_test(strings_hold_no_nul),
	    cmocka_unit_test(integers_are_of_that_type_and_range),
	};

	return cmocka_run_group_tests_name("json", tests, NULL, NULL);
}
