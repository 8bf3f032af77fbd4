/* SPDX-License-Identifier: BSD-2-Clause */
/* AUD-2, AUD-3: one record, one line, or an error that denies. */
#include "unit.h"

#include <errno.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "audit.h"
#include "audit_syslog.h"
#include "bounds.h"
#include "clock.h"
#include "json.h"
#include "scratch.h"

#define NAME "audit.log"

/* --- the system, played --------------------------------------------------- */

static struct {
	int write_error, sync_error;
	bool write_short, no_clock;
	enum csign_err log_says;
	size_t n_messages;
	enum csign_log_level levels[4];
	uint32_t timeouts[4];
	char messages[4][CSIGN_AUDIT_MAX];
} world;

enum csign_err __wrap_csign_syslog_put(const char *const *addresses,
    enum csign_log_level level, const char *line, uint32_t timeout_ms,
    struct csign_why *why);

enum csign_err
__wrap_csign_syslog_put(const char *const *addresses,
    enum csign_log_level level, const char *line, uint32_t timeout_ms,
    struct csign_why *why)
{
	size_t n = world.n_messages++;

	assert_ptr_equal(addresses, csign_syslog_addresses);
	assert_true(n < N_ROWS(world.messages));
	world.levels[n] = level;
	world.timeouts[n] = timeout_ms;
	(void)snprintf(world.messages[n], CSIGN_AUDIT_MAX, "%s", line);
	if (world.log_says != CSIGN_OK)
		csign_why_set(why, "the log is away");
	return world.log_says;
}

enum csign_err __wrap_csign_clock_wall(uint64_t *ret_ms);
int __real_fdatasync(int fd);
int __wrap_fdatasync(int fd);
ssize_t __real_write(int fd, const void *bytes, size_t len);
ssize_t __wrap_write(int fd, const void *bytes, size_t len);

enum csign_err
__wrap_csign_clock_wall(uint64_t *ret_ms)
{
	if (world.no_clock)
		return CSIGN_E_CLOCK;
	*ret_ms = UINT64_C(1763719331999);
	return CSIGN_OK;
}

int
__wrap_fdatasync(int fd)
{
	errno = world.sync_error;
	return world.sync_error != 0 ? -1 : __real_fdatasync(fd);
}

ssize_t
__wrap_write(int fd, const void *bytes, size_t len)
{
	errno = world.write_error;
	if (world.write_error != 0)
		return -1;
	return __real_write(fd, bytes, world.write_short ? len / 2 : len);
}

static int
reset(void **state)
{
	memset(&world, 0, sizeof(world));
	return scratch_empty(state);
}

/* --- records -------------------------------------------------------------- */

static const struct csign_audit usual = {
    .event = "approval",
    .result = "granted",
    .reason = CSIGN_OK,
    .user = "alice",
    .uid = 1001,
    .service = "sshd",
    .tty = "ssh",
    .rhost = "192.0.2.7",
    .device = "4hx2k7q3m5rj6wza",
    .device_name = "Alice's \"Pixel\" \\ \xc3\xbc",
    .choice = "approve",
    .by = "root",
    .replaces = "m2v6t8zq4c3xh5sd",
    .codes_left = "7",
    .question = "AAECAwQFBgcI",
    .flags = 5,
    .counter = 4000000000U,
    .latency_ms = 4321,
    .config_hash = "0123456789abcdef",
    .evidence = "rJk0cHf1V0m5Qd0mUo7xTw",
    .trouble = "tls",
};

static enum csign_err
append(const struct csign_audit *record, struct csign_why *why)
{
	char path[SCRATCH_PATH];
	struct csign_settings set = {.audit_file = path};

	(void)snprintf(path, sizeof(path), "%s", scratch(NAME));
	return csign_audit_write(&set, record, why);
}

static void
a_record_is_a_line_of_json(void **state)
{
	struct stat st;

	(void)state;
	assert_ok(append(&usual, NULL));
	scratch_assert_text(NAME,
	    "{\"v\":1,\"time\":\"2025-11-21T10:02:11Z\",\"event\":\"approval\","
	    "\"result\":\"granted\",\"reason\":\"OK\",\"uid\":1001,"
	    "\"user\":\"alice\",\"service\":\"sshd\",\"tty\":\"ssh\","
	    "\"rhost\":\"192.0.2.7\",\"device\":\"4hx2k7q3m5rj6wza\","
	    "\"deviceName\":\"Alice's \\\"Pixel\\\" \\\\ \xc3\xbc\","
	    "\"choice\":\"approve\",\"by\":\"root\","
	    "\"replaces\":\"m2v6t8zq4c3xh5sd\","
	    "\"question\":\"AAECAwQFBgcI\",\"config\":\"0123456789abcdef\","
	    "\"evidence\":\"rJk0cHf1V0m5Qd0mUo7xTw\",\"trouble\":\"tls\","
	    "\"codesLeft\":7,\"flags\":5,\"counter\":4000000000,\"latencyMs\":"
	    "4321}\n");
	assert_int_equal(stat(scratch(NAME), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
}

static void
what_is_unknown_is_left_out(void **state)
{
	const struct csign_audit record = {
	    .event = "approval",
	    .result = "failed",
	    .reason = CSIGN_E_UNKNOWN_USER,
	    .uid = -1,
	};

	(void)state;
	assert_ok(append(&record, NULL));
	scratch_assert_text(NAME,
	    "{\"v\":1,\"time\":\"2025-11-21T10:02:11Z\",\"event\":\"approval\","
	    "\"result\":\"failed\",\"reason\":\"UNKNOWN_USER\","
	    "\"flags\":0,\"counter\":0,\"latencyMs\":0}\n");
}

static void
root_is_not_unknown(void **state)
{
	struct csign_audit record = usual;
	char *text = NULL;

	(void)state;
	record.uid = 0;
	assert_ok(append(&record, NULL));
	text = scratch_get(NAME, NULL);
	assert_non_null(strstr(text, "\"uid\":0,"));
	free(text);
}

/* The one line of the file, parsed; it is removed. */
static struct json_object *
take_line(void)
{
	struct json_object *object = NULL;
	size_t len = 0;
	char *text = scratch_get(NAME, &len);

	assert_true(len >= 2 && len <= CSIGN_AUDIT_MAX);
	assert_ptr_equal(memchr(text, '\n', len), text + len - 1);
	for (size_t i = 0; i + 1 < len; i++)
		assert_true((unsigned char)text[i] >= 0x20);
	assert_ok(csign_json_parse(text, len - 1, &object));
	free(text);
	assert_int_equal(unlink(scratch(NAME)), 0);
	return object;
}

static void
hostile_text_stays_inside_its_string(void **state)
{
	static const struct {
		const char *text, *shown;
	} rows[] = {
	    {"a\",\"uid\":0,\"x\":\"", "a\",\"uid\":0,\"x\":\""},
	    {"a\n{\"v\":1}", "a\\u{0a}{\"v\":1}"},
	    {"\x1b]52;c;\x07", "\\u{1b}]52;c;\\u{07}"},
	    {"a\xe2\x80\xae"
	     "b",
		"a\\u{202e}b"},
	    {"\xff", "\\u{ff}"},
	    {"\\u0041", "\\u0041"},
	    {"\xe2\x80\xa8", "\\u{2028}"},
	};

	(void)state;
	for (size_t i = 0; i < N_ROWS(rows); i++) {
		struct csign_audit record = usual;
		struct json_object *object = NULL;

		record.rhost = rows[i].text;
		assert_ok(append(&record, NULL));
		object = take_line();
		assert_string_equal(
		    csign_json_str(object, "rhost", 2048), rows[i].shown);
		assert_string_equal(
		    csign_json_str(object, "user", 2048), "alice");
		json_object_put(object);
	}
}

/* Every text as long and as hostile as can be, and still one line. */
static void
a_record_never_exceeds_its_line(void **state)
{
	static const char *const units[] = {
	    "\x01", "\"", "\xf0\x9f\x94\x91", "\xff", "\\", "a"};
	char text[5000];

	(void)state;
	for (size_t u = 0; u < N_ROWS(units); u++) {
		for (size_t n = 1; n < 4096; n = n * 3 / 2 + 1) {
			struct csign_audit record = usual;
			struct json_object *object = NULL;
			size_t len = 0;

			while (len < n) {
				memcpy(text + len, units[u], strlen(units[u]));
				len += strlen(units[u]);
			}
			text[len] = '\0';
			record.user = record.service = text;
			record.tty = record.rhost = record.device = text;
			record.device_name = record.choice = text;
			record.by = record.question = text;
			record.config_hash = text;
			record.uid = UINT32_MAX - 1;
			record.flags = record.counter = UINT32_MAX;
			record.latency_ms = UINT32_MAX;
			assert_ok(append(&record, NULL));
			object = take_line();
			assert_non_null(
			    csign_json_str(object, "question", 2048));
			json_object_put(object);
		}
	}
}

static void
a_long_text_loses_its_tail(void **state)
{
	struct csign_audit record = usual;
	struct json_object *object = NULL;
	char text[600];
	const char *shown = NULL;

	(void)state;
	memset(text, 'a', sizeof(text));
	text[255] = '\xc3'; /* the 256th byte is half a character */
	text[256] = '\xbc';
	text[599] = '\0';
	record.rhost = text;
	assert_ok(append(&record, NULL));
	object = take_line();
	shown = csign_json_str(object, "rhost", 2048);
	assert_int_equal(strlen(shown), 255 + 3);
	assert_string_equal(shown + 250, "aaaaa...");
	json_object_put(object);
	text[256] = '\0';
	text[255] = 'b';
	assert_ok(append(&record, NULL));
	object = take_line();
	assert_string_equal(csign_json_str(object, "rhost", 2048), text);
	json_object_put(object);
}

/* --- failures ------------------------------------------------------------- */

static void
no_record_is_an_error(void **state)
{
	char path[SCRATCH_PATH];
	const struct csign_settings set = {.audit_file = path};
	struct csign_why why;

	world.write_error = ENOSPC;
	assert_err("full", append(&usual, &why), CSIGN_E_AUDIT);
	assert_non_null(strstr(why.text, "No space left"));
	reset(state);
	world.write_short = true;
	assert_err("short", append(&usual, &why), CSIGN_E_AUDIT);
	assert_non_null(strstr(why.text, "no room"));
	reset(state);
	world.sync_error = EIO;
	assert_err("sync", append(&usual, NULL), CSIGN_E_AUDIT);
	reset(state);
	world.no_clock = true;
	assert_err("clock", append(&usual, NULL), CSIGN_E_AUDIT);
	reset(state);
	assert_int_equal(symlink("nowhere", scratch(NAME)), 0);
	assert_err("link", append(&usual, NULL), CSIGN_E_AUDIT);
	reset(state);
	scratch_put_text(NAME, 0620, "");
	assert_err("mode", append(&usual, NULL), CSIGN_E_AUDIT);
	(void)snprintf(path, sizeof(path), "%s", scratch("none/audit.log"));
	assert_err(
	    "folder", csign_audit_write(&set, &usual, NULL), CSIGN_E_AUDIT);
	reset(state);
	assert_ok(append(&usual, NULL));
}

/* After a record for which there was no room, the next is whole again. */
static void
half_a_record_spoils_no_other(void **state)
{
	char *text = NULL, *line = NULL;
	struct json_object *object = NULL;

	(void)state;
	world.write_short = true;
	assert_err("short", append(&usual, NULL), CSIGN_E_AUDIT);
	world.write_short = false;
	assert_ok(append(&usual, NULL));
	text = scratch_get(NAME, NULL);
	line = strchr(text, '\n');
	assert_non_null(line);
	assert_ok(csign_json_parse(line + 1, strlen(line + 1) - 1, &object));
	json_object_put(object);
	free(text);
}

/* --- two sinks ------------------------------------------------------------ */

/* What each setting and each failure means: AUD-2. */
static void
one_of_two_has_to_take_it(void **state)
{
	static const struct {
		const char *name;
		bool file, log;             /* that are configured */
		bool file_fails, log_fails; /* of these */
		size_t messages;
		enum csign_err want;
		const char *why;
	} rows[] = {
	    {"both", true, true, false, false, 1, CSIGN_OK, NULL},
	    {"file", true, false, false, false, 0, CSIGN_OK, NULL},
	    {"log", false, true, false, false, 1, CSIGN_OK, NULL},
	    {"no log", true, true, false, true, 1, CSIGN_OK, NULL},
	    {"no file", true, true, true, false, 2, CSIGN_OK, NULL},
	    {"neither", true, true, true, true, 1, CSIGN_E_AUDIT, "No space"},
	    {"file alone", true, false, true, false, 0, CSIGN_E_AUDIT,
		"No space"},
	    {"log alone", false, true, false, true, 1, CSIGN_E_AUDIT,
		"the log is away"},
	};

	for (size_t i = 0; i < N_ROWS(rows); i++) {
		char path[SCRATCH_PATH];
		struct csign_settings set = {.audit_syslog = rows[i].log};
		struct csign_why why = {"before"};

		reset(state);
		(void)snprintf(path, sizeof(path), "%s", scratch(NAME));
		set.audit_file = rows[i].file ? path : NULL;
		world.write_error = rows[i].file_fails ? ENOSPC : 0;
		world.log_says = rows[i].log_fails ? CSIGN_E_FILE : CSIGN_OK;
		assert_err(rows[i].name, csign_audit_write(&set, &usual, &why),
		    rows[i].want);
		if (world.n_messages != rows[i].messages)
			fail_msg(
			    "%s: %zu messages", rows[i].name, world.n_messages);
		if (rows[i].want == CSIGN_OK)
			assert_string_equal(why.text, "before");
		else if (strstr(why.text, rows[i].why) == NULL)
			fail_msg("%s: %s", rows[i].name, why.text);
		if (rows[i].file && rows[i].log && !rows[i].file_fails) {
			strcat(world.messages[0], "\n");
			scratch_assert_text(NAME, world.messages[0]);
		}
		if (rows[i].messages == 2) {
			assert_int_equal(world.levels[1], CSIGN_LOG_ERR);
			assert_non_null(strstr(
			    world.messages[1], "not in the audit file: "));
			assert_non_null(
			    strstr(world.messages[1], "No space left"));
		}
	}
}

/* Of a set-id program it is its caller's, who may ignore SIGXFSZ, too. */
static void
who_brings_a_limit_keeps_no_record_out_of_the_file(void **state)
{
	char path[SCRATCH_PATH];
	const struct csign_settings set = {
	    .audit_file = path, .audit_syslog = true};
	struct rlimit before, limit;

	(void)state;
	(void)snprintf(path, sizeof(path), "%s", scratch(NAME));
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	limit = (struct rlimit){1 << 20, before.rlim_max};
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	assert_ok(csign_audit_write(&set, &usual, NULL));
	assert_int_equal(world.n_messages, 1);
	world.write_error = EFBIG;
	assert_err(
	    "limit", csign_audit_write(&set, &usual, NULL), CSIGN_E_AUDIT);
	assert_int_equal(world.n_messages, 3);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
}

static void
a_result_has_its_level(void **state)
{
	static const struct {
		const char *result;
		enum csign_log_level level;
	} rows[] = {
	    {"granted", CSIGN_LOG_INFO},
	    {"denied", CSIGN_LOG_NOTICE},
	    {"refused", CSIGN_LOG_WARNING},
	    {"failed", CSIGN_LOG_WARNING},
	    {"push-paused", CSIGN_LOG_WARNING},
	    {"push-stopped", CSIGN_LOG_WARNING},
	};
	const struct csign_settings set = {.audit_syslog = true};

	for (size_t i = 0; i < N_ROWS(rows); i++) {
		struct csign_audit record = usual;

		reset(state);
		record.result = rows[i].result;
		assert_ok(csign_audit_write(&set, &record, NULL));
		assert_int_equal(world.levels[0], rows[i].level);
	}
}

#define TEST(f) cmocka_unit_test_setup(f, reset)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_record_is_a_line_of_json),
	    TEST(what_is_unknown_is_left_out),
	    TEST(root_is_not_unknown),
	    TEST(hostile_text_stays_inside_its_string),
	    TEST(a_record_never_exceeds_its_line),
	    TEST(a_long_text_loses_its_tail),
	    TEST(no_record_is_an_error),
	    TEST(half_a_record_spoils_no_other),
	    TEST(one_of_two_has_to_take_it),
	    TEST(who_brings_a_limit_keeps_no_record_out_of_the_file),
	    TEST(a_result_has_its_level),
	};

	return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
