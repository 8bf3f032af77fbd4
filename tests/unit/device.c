/* SPDX-License-Identifier: BSD-2-Clause */
/* Devices and the text of countersign-devices(5). */
#include "unit.h"

#include "people.h"
#include "scratch.h"

/* --- small things --------------------------------------------------------- */

static void
ids_come_from_the_key(void **state)
{
	/* SHA-256 of the point of the scalar 1, by another implementation. */
	static const char id[] = "ngf6uy64isruizr7";
	struct csign_device device;
	char shown[20];

	(void)state;
	people_device(1, &device);
	assert_string_equal(device.id, id);
	csign_device_id_show("4hx2k7q3m5rj6wza", shown);
	assert_string_equal(shown, "4hx2-k7q3-m5rj-6wza");
}

static void
kinds_have_names(void **state)
{
	(void)state;
	assert_string_equal(csign_kind_name(CSIGN_KIND_WEBAUTHN), "webauthn");
	assert_string_equal(csign_kind_name(CSIGN_KIND_P256), "p256");
	assert_string_equal(csign_kind_name(CSIGN_KIND_UNSIGNED), "unsigned");
}

static void
devices_are_found_by_id(void **state)
{
	struct csign_device_list list;

	(void)state;
	people_list(1, 3, &list);
	for (size_t i = 0; i < 3; i++)
		assert_ptr_equal(csign_device_by_id(&list, list.items[i].id),
		    &list.items[i]);
	assert_null(csign_device_by_id(&list, "4hx2k7q3m5rj6wza"));
	assert_null(csign_device_by_id(&list, ""));
	csign_device_list_clear(&list);
	assert_null(list.items);
	assert_int_equal(list.n, 0);
	csign_device_list_clear(&list);
}

static void
names_can_be_shown_as_they_are(void **state)
{
	char longest[66];

	(void)state;
	memset(longest, 'a', sizeof(longest));
	longest[65] = '\0';
	assert_err("65", csign_device_name_check(longest), CSIGN_E_FORMAT);
	longest[64] = '\0';
	assert_ok(csign_device_name_check(longest));
	assert_ok(csign_device_name_check(""));
	assert_ok(csign_device_name_check("a \"b\" \\ \xc3\xbc"));
	assert_err("newline", csign_device_name_check("a\nb"), CSIGN_E_FORMAT);
	assert_err(
	    "escape", csign_device_name_check("\x1b[2J"), CSIGN_E_FORMAT);
	assert_err(
	    "bidi", csign_device_name_check("a\xe2\x80\xae"), CSIGN_E_FORMAT);
	assert_err("UTF-8", csign_device_name_check("a\xff"), CSIGN_E_FORMAT);
}

/* --- there and back ------------------------------------------------------- */

static enum csign_err
parse(const char *text, size_t len, const struct csign_account *account,
    struct csign_device_list *list, struct csign_why *why)
{
	return csign_devices_parse(
	    people_crypto, "/d/alice", text, len, account, list, why);
}

static struct csign_buf *
format(const struct csign_device_list *list, const struct csign_account *who)
{
	struct csign_buf *text = NULL;

	assert_ok(csign_buf_new(CSIGN_FILE_MAX, &text));
	assert_ok(csign_devices_format(list, who, text));
	return text;
}

static void
all_that_a_device_has_comes_back(void **state)
{
	struct csign_device_list list, again;
	struct csign_buf *text = NULL;

	(void)state;
	for (size_t n = 1; n <= CSIGN_DEVICES_MAX; n++) {
		people_list(1, n, &list);
		text = format(&list, &bob);
		assert_ok(parse(csign_buf_str(text), csign_buf_len(text), &bob,
		    &again, NULL));
		assert_int_equal(again.n, n);
		for (size_t i = 0; i < n; i++)
			assert_memory_equal(&again.items[i], &list.items[i],
			    sizeof(list.items[i]));
		csign_device_list_clear(&again);
		csign_device_list_clear(&list);
		csign_buf_free(&text);
	}
}

static void
the_largest_devices_fit_into_a_file(void **state)
{
	struct csign_device_list list, again;
	struct csign_buf *text = NULL;

	(void)state;
	people_list(1, CSIGN_DEVICES_MAX, &list);
	for (size_t i = 0; i < list.n; i++) {
		struct csign_device *device = &list.items[i];

		people_device(2 * (unsigned)i + 1, device);
		device->credential_len = CSIGN_CREDENTIAL_MAX;
		memset(device->credential, (int)i, CSIGN_CREDENTIAL_MAX);
		memset(device->name, '"', CSIGN_DEVICE_NAME_MAX);
		memset(device->by, 'a', CSIGN_FILE_NAME_MAX);
	}
	text = format(&list, &alice);
	assert_ok(parse(
	    csign_buf_str(text), csign_buf_len(text), &alice, &again, NULL));
	assert_int_equal(again.n, list.n);
	csign_device_list_clear(&again);
	csign_device_list_clear(&list);
	csign_buf_free(&text);
}

static void
what_cannot_be_read_back_is_not_written(void **state)
{
	struct csign_device_list list;
	struct csign_buf *text = NULL;

	(void)state;
	assert_ok(csign_buf_new(CSIGN_FILE_MAX, &text));
	people_list(1, CSIGN_DEVICES_MAX + 1, &list);
	assert_err(
	    "17", csign_devices_format(&list, &alice, text), CSIGN_E_INVALID);
	list.n = 0;
	assert_err(
	    "0", csign_devices_format(&list, &alice, text), CSIGN_E_INVALID);
	list.n = 1;
	strcpy(list.items[0].name, "two\nlines");
	assert_err(
	    "name", csign_devices_format(&list, &alice, text), CSIGN_E_INVALID);
	people_device(1, &list.items[0]);
	strcpy(list.items[0].by, "");
	assert_err(
	    "by", csign_devices_format(&list, &alice, text), CSIGN_E_INVALID);
	people_device(1, &list.items[0]);
	list.items[0].kind = CSIGN_KIND_UNSIGNED;
	assert_err(
	    "kind", csign_devices_format(&list, &alice, text), CSIGN_E_INVALID);
	list.n = CSIGN_DEVICES_MAX + 1;
	csign_device_list_clear(&list);
	csign_buf_free(&text);
}

/* C7: a file that was cut off anywhere has no devices at all. */
static void
cut_anywhere_it_is_no_devices_file(void **state)
{
	struct csign_device_list list, none = {NULL, 0};
	struct csign_buf *text = NULL;
	struct csign_why why;

	(void)state;
	people_list(1, 3, &list);
	text = format(&list, &alice);
	for (size_t len = 0; len < csign_buf_len(text); len++) {
		memset(&why, 0, sizeof(why));
		if (parse(csign_buf_str(text), len, &alice, &none, &why) !=
			CSIGN_E_DEVICES ||
		    none.items != NULL)
			fail_msg("cut after %zu bytes", len);
		assert_int_equal(strncmp(why.text, "/d/alice:", 9), 0);
	}
	csign_device_list_clear(&list);
	csign_buf_free(&text);
}

/* And so has one with any byte changed, or it has the same devices. */
static void
changed_anywhere_no_key_changes(void **state)
{
	struct csign_device_list list, changed = {NULL, 0};
	struct csign_buf *text = NULL;
	char *copy = NULL;

	(void)state;
	people_list(1, 2, &list);
	text = format(&list, &alice);
	copy = malloc(csign_buf_len(text));
	assert_non_null(copy);
	for (size_t at = 0; at < csign_buf_len(text); at++) {
		memcpy(copy, csign_buf_str(text), csign_buf_len(text));
		copy[at] ^= 1;
		if (parse(copy, csign_buf_len(text), &alice, &changed, NULL) !=
		    CSIGN_OK)
			continue;
		for (size_t i = 0; i < changed.n; i++) {
			assert_string_equal(
			    changed.items[i].id, list.items[i].id);
			assert_memory_equal(changed.items[i].point,
			    list.items[i].point, CSIGN_POINT_LEN);
		}
		csign_device_list_clear(&changed);
	}
	free(copy);
	csign_device_list_clear(&list);
	csign_buf_free(&text);
}

/* --- what is wrong with a line -------------------------------------------- */

/*
 * Each row replaces a part of a good file by something else.  The file:
 *
 * # countersign-devices 1 user=alice uid=1001 devices=2
 * webauthn ID KEY cred=... rp=approve.example.org origin=https://... be=1 bs=1
 *     aaguid=... seal=KEY added=2025-11-21T10:02:12Z by=%53ome... name="..."
 * p256 ID KEY added=2025-11-21T10:02:13Z by=root name=""
 */
static const struct {
	const char *from, *to;
	const char *why; /* after "/d/alice:" */
} edits[] = {
    {"# countersign-devices 1", "# countersign-devices 2",
	"1: this was written by a newer version"},
    {"# countersign-devices 1", "# countersign-devices 0",
	"1: the header has no user="},
    {"# countersign-devices 1", "# countersign-devices 01",
	"1: this is not a devices file"},
    {"# countersign-devices", "# countersign", "1: this is not a devices"},
    {"# ", "#", "1: this is not a devices file"},
    {"user=alice", "user=bob", "1: the header names another account"},
    {"user=alice", "user=alic%65", "1: the header names another account"},
    {"uid=1001", "uid=1002", "1: the header names another account"},
    {"uid=1001", "uid=01001", "1: the header has no uid="},
    {" uid=1001", "", "1: the header has no uid="},
    {"user=alice ", "", "1: the header has no user="},
    {"devices=2", "devices=1", "3: the header counts other devices"},
    {"devices=2", "devices=3", "3: the header counts other devices"},
    {"devices=2", "devices=2 x=1", "1: the header ends in something else"},
    {"devices=2", "device=2", "1: the header ends in something else"},
    {"devices=2", "devices=17", "1: the header ends in something else"},
    {"devices=2\n", "devices=2\n\n", "2: this is not a device"},
    {"devices=2\n", "devices=2\n# a comment\n",
	"2: there is no kind of device \"#\""},
    {"webauthn ", "Webauthn ", "2: there is no kind of device \"Webauthn\""},
    {"webauthn ", "unsigned ", "2: there is no kind of device"},
    {"webauthn ", " webauthn ", "2: this is not a device"},
    {"webauthn ", "webauthn  ", "2: there is no id"},
    {"webauthn ", "p256 ", "2: this kind of device has no member \"cred\""},
    {"p256 ", "webauthn ", "3: there is no \"cred\""},
    {"p256 ", "p256 x ", "3: not a key:"},
    {" rp=", " RP=", "2: there is no member \"RP\""},
    {" rp=", " colour=red rp=", "2: there is no member \"colour\""},
    {" be=1", " be=1 be=1", "2: given twice: \"be\""},
    {" be=1", "", "2: there is no \"be\""},
    {" be=1", " be=2", "2: not a valid value of \"be\""},
    {" be=1", " be=", "2: not a valid value of \"be\""},
    {" be=1", " be", "2: this is not a \"name=value\": \"be\""},
    {" be=1", " be=0", "2: bs=1 needs be=1"},
    {" bs=1", " bs=true", "2: not a valid value of \"bs\""},
    {" rp=approve.example.org", "", "2: there is no \"rp\""},
    {" rp=approve.example.org", " rp=", "2: not a valid value of \"rp\""},
    {" rp=approve.example.org", " rp=example.com",
	"2: rp does not belong to origin"},
    {" rp=approve.example.org", " rp=rove.example.org",
	"2: rp does not belong to origin"},
    {" rp=approve.example.org", " rp=x.approve.example.org",
	"2: rp does not belong to origin"},
    {"origin=https:", "origin=http:", "2: not a valid value of \"origin\""},
    {"origin=https://approve.example.org", "origin=approve.example.org",
	"2: not a valid value of \"origin\""},
    {" cred=AQEB", " cred=AQE", "2: not a valid value of \"cred\""},
    {" cred=", " cred==", "2: not a valid value of \"cred\""},
    {" aaguid=paW", " aaguid=", "2: not a valid value of \"aaguid\""},
    {" seal=B", " seal=A", "2: not a valid value of \"seal\""},
    {" added=2025-11-21T", " added=2025-11-31T",
	"2: not a valid value of \"added\""},
    {" added=2025-11-21T", " added=2025-11-21 ",
	"2: not a valid value of \"added\""},
    {" by=root", " by=", "3: not a valid value of \"by\""},
    {" by=root", " by=Root", "3: not a valid value of \"by\""},
    {" by=root", "", "3: there is no \"by\""},
    {" by=root", "  by=root", "3: members have one space between them"},
    {" by=root", "\tby=root", "3: not a valid value of \"added\""},
    {" name=\"\"", "", "3: there is no \"name\""},
    {" name=\"\"", " name=x", "3: not a valid value of \"name\""},
    {" name=\"\"", " name=\"", "3: members have one space between them"},
    {" name=\"\"", " name=\"a\"b\"", "3: members have one space"},
    {" name=\"\"", " name=\"a\"b\"c\"", "3: not a valid value"},
    {" name=\"\"", " name=\"a\"\"b\"", "3: not a valid value of \"name\""},
    {" name=\"\"", " name=\"\\a\"", "3: not a valid value of \"name\""},
    {" name=\"\"", " name=\"\\\"", "3: members have one space"},
    {" name=\"\"", " name=\"a\x1b\"", "3: not a valid value of \"name\""},
    {" name=\"\"", " name=\"a\xe2\x80\xae\"",
	"3: not a valid value of \"name\""},
    {" name=\"\"", " name=\"\" ", "3: members have one space"},
    {" name=\"\"\n", " name=\"\"\r\n", "3: not a valid value of \"name\""},
    {" name=\"\"\n", " name=\"\"\n\n", "4: this is not a device"},
};

/* The good file with the first from, at or behind start, as to. */
static char *
edit(const char *text, const char *from, const char *to, size_t *ret_len)
{
	const char *at = strstr(text, from);
	size_t before = 0, rest = 0;
	char *edited = NULL;

	if (at == NULL)
		fail_msg("nothing to edit: %s", from);
	before = (size_t)(at - text);
	rest = strlen(at + strlen(from));
	edited = malloc(before + strlen(to) + rest + 1);
	assert_non_null(edited);
	memcpy(edited, text, before);
	memcpy(edited + before, to, strlen(to));
	memcpy(edited + before + strlen(to), at + strlen(from), rest + 1);
	*ret_len = before + strlen(to) + rest;
	return edited;
}

static void
each_error_has_its_line_and_reason(void **state)
{
	struct csign_device_list list, none = {NULL, 0};
	struct csign_buf *text = NULL;
	char *edited = NULL;
	size_t len = 0;

	(void)state;
	people_list(1, 2, &list);
	text = format(&list, &alice);
	for (size_t i = 0; i < N_ROWS(edits); i++) {
		struct csign_why why = {""};
		char want[CSIGN_WHY_SIZE];

		edited =
		    edit(csign_buf_str(text), edits[i].from, edits[i].to, &len);
		(void)snprintf(want, sizeof(want), "/d/alice:%s", edits[i].why);
		assert_err(edits[i].to, parse(edited, len, &alice, &none, &why),
		    CSIGN_E_DEVICES);
		if (strncmp(why.text, want, strlen(want)) != 0)
			fail_msg("\"%s\" instead of \"%s\"", why.text, want);
		free(edited);
	}
	csign_device_list_clear(&list);
	csign_buf_free(&text);
}

/* Not as it is written, but as it may be. */
static void
some_freedom_is_left(void **state)
{
	static const struct {
		const char *from, *to;
	} rows[] = {
	    {" devices=2", ""},
	    {" bs=1", ""},
	    {" bs=1", " bs=0"},
	    {" rp=approve.example.org", " rp=example.org"},
	    {" by=root name=\"\"", " name=\"\" by=root"},
	    {" be=1 bs=1", " bs=1 be=1"},
	    {" name=\"\"", " name=\"a name\""},
	    {" name=\"\"", " name=\"a \\\" \\\\ b=c\""},
	};
	struct csign_device_list list, again;
	struct csign_buf *text = NULL;
	char *edited = NULL;
	size_t len = 0;

	(void)state;
	people_list(1, 2, &list);
	text = format(&list, &alice);
	for (size_t i = 0; i < N_ROWS(rows); i++) {
		edited =
		    edit(csign_buf_str(text), rows[i].from, rows[i].to, &len);
		assert_err(rows[i].to, parse(edited, len, &alice, &again, NULL),
		    CSIGN_OK);
		assert_int_equal(again.n, 2);
		csign_device_list_clear(&again);
		free(edited);
	}
	csign_device_list_clear(&list);
	csign_buf_free(&text);
}

/* A list with a defect that only another writer could have made. */
static void
assert_refused(const struct csign_device_list *list, const char *reason)
{
	struct csign_device_list none = {NULL, 0};
	struct csign_buf *text = format(list, &alice);
	struct csign_why why = {""};

	assert_err(reason,
	    parse(
		csign_buf_str(text), csign_buf_len(text), &alice, &none, &why),
	    CSIGN_E_DEVICES);
	if (strstr(why.text, reason) == NULL)
		fail_msg("\"%s\" instead of \"%s\"", why.text, reason);
	csign_buf_free(&text);
}

static void
keys_are_points_and_ids_are_theirs(void **state)
{
	struct csign_device_list list;

	(void)state;
	people_list(1, 2, &list);
	list.items[1].point[64] ^= 1; /* off the curve */
	assert_refused(&list, ":3: not a key:");
	people_device(2, &list.items[1]);
	list.items[1].point[0] = 6;
	assert_refused(&list, ":3: not a key:");
	people_device(2, &list.items[1]);
	memset(list.items[1].point + 1, 0, 64);
	assert_refused(&list, ":3: not a key:");
	people_device(2, &list.items[1]);
	strcpy(list.items[1].id, list.items[0].id);
	assert_refused(&list, ":3: the id is not that of the key");
	strcpy(list.items[1].id, "4hx2k7q3");
	assert_refused(&list, ":3: the id is not that of the key");
	people_device(2, &list.items[1]);
	list.items[0].seal[64] ^= 1;
	assert_refused(&list, ":2: not a valid value of \"seal\"");
	csign_device_list_clear(&list);
}

static void
nothing_is_there_twice(void **state)
{
	struct csign_device_list list;

	(void)state;
	people_list(1, 3, &list);
	people_device(1, &list.items[2]);
	assert_refused(&list, ":4: the device was there before");
	people_device(3, &list.items[2]);
	list.items[2].credential_len = list.items[0].credential_len;
	memcpy(list.items[2].credential, list.items[0].credential,
	    sizeof(list.items[2].credential));
	assert_refused(&list, ":4: the device was there before");
	csign_device_list_clear(&list);
}

static void
sixteen_devices_are_enough(void **state)
{
	struct csign_device_list list, none = {NULL, 0};
	struct csign_buf *text = NULL, *more = NULL;
	struct csign_why why;

	(void)state;
	people_list(1, CSIGN_DEVICES_MAX, &list);
	text = format(&list, &alice);
	csign_device_list_clear(&list);
	people_list(17, 1, &list);
	more = format(&list, &alice);
	assert_ok(
	    csign_buf_put_str(text, strchr(csign_buf_str(more), '\n') + 1));
	assert_err("17",
	    parse(
		csign_buf_str(text), csign_buf_len(text), &alice, &none, &why),
	    CSIGN_E_DEVICES);
	assert_string_equal(
	    why.text, "/d/alice:18: there are too many devices");
	csign_device_list_clear(&list);
	csign_buf_free(&text);
	csign_buf_free(&more);
}

static void
lines_have_a_bound(void **state)
{
	static char text[CSIGN_LINE_MAX + 256];
	struct csign_device_list none = {NULL, 0};
	struct csign_why why;
	int n = snprintf(text, sizeof(text),
	    "# countersign-devices 1 user=alice uid=1001\nwebauthn ");

	(void)state;
	memset(text + n, 'x', CSIGN_LINE_MAX);
	text[n + CSIGN_LINE_MAX] = '\n';
	assert_err("long",
	    parse(text, (size_t)n + CSIGN_LINE_MAX + 1, &alice, &none, &why),
	    CSIGN_E_DEVICES);
	assert_string_equal(why.text, "/d/alice:2: the line is too long");
}

static void
a_file_is_its_account_s(void **state)
{
	struct csign_account account = alice;
	struct csign_device_list list, again = {NULL, 0};
	struct csign_buf *text = NULL;

	(void)state;
	people_list(1, 1, &list);
	text = format(&list, &alice);
	assert_err("bob",
	    parse(csign_buf_str(text), csign_buf_len(text), &bob, &again, NULL),
	    CSIGN_E_DEVICES);
	account.uid = 1002; /* the name was given to somebody else */
	assert_err("uid",
	    parse(csign_buf_str(text), csign_buf_len(text), &account, &again,
		NULL),
	    CSIGN_E_DEVICES);
	account.uid = CSIGN_UID_ANY;
	assert_ok(parse(
	    csign_buf_str(text), csign_buf_len(text), &account, &again, NULL));
	csign_device_list_clear(&again);
	account = bob;
	account.uid = CSIGN_UID_ANY;
	assert_err("another's",
	    parse(csign_buf_str(text), csign_buf_len(text), &account, &again,
		NULL),
	    CSIGN_E_DEVICES);
	csign_device_list_clear(&list);
	csign_buf_free(&text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(ids_come_from_the_key),
	    cmocka_unit_test(kinds_have_names),
	    cmocka_unit_test(devices_are_found_by_id),
	    cmocka_unit_test(names_can_be_shown_as_they_are),
	    cmocka_unit_test(all_that_a_device_has_comes_back),
	    cmocka_unit_test(the_largest_devices_fit_into_a_file),
	    cmocka_unit_test(what_cannot_be_read_back_is_not_written),
	    cmocka_unit_test(cut_anywhere_it_is_no_devices_file),
	    cmocka_unit_test(changed_anywhere_no_key_changes),
	    cmocka_unit_test(each_error_has_its_line_and_reason),
	    cmocka_unit_test(some_freedom_is_left),
	    cmocka_unit_test(keys_are_points_and_ids_are_theirs),
	    cmocka_unit_test(nothing_is_there_twice),
	    cmocka_unit_test(sixteen_devices_are_enough),
	    cmocka_unit_test(lines_have_a_bound),
	    cmocka_unit_test(a_file_is_its_account_s),
	};

	return cmocka_run_group_tests(tests, people_setup, people_teardown);
}
