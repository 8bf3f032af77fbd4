/* SPDX-License-Identifier: BSD-2-Clause */
/* countersign.conf(5): the table, the rules beyond it, and the man page. */
#include "unit.h"

#include <ctype.h>
#include <errno.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "bounds.h"
#include "scratch.h"
#include "settings.h"

#define NAME "countersign.conf"
#define SERVICE "service = https://approve.example.org\n"
#define PIN "sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
#define KEY "dGhpcyBpcyBhbiBhY2Nlc3Mga2V5IG9mIDMyIGJ5dGU"

static struct {
	bool fails;
	const char *nodename;
} names;

int __wrap_uname(struct utsname *name);

int
__wrap_uname(struct utsname *name)
{
	if (names.fails)
		return -1;
	memset(name, 0, sizeof(*name));
	(void)snprintf(
	    name->nodename, sizeof(name->nodename), "%s", names.nodename);
	return 0;
}

static int
reset(void **state)
{
	names.fails = false;
	names.nodename = "web1";
	return scratch_empty(state);
}

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
load(const char *text, const char *section, struct csign_settings *settings,
    struct csign_why *why)
{
	memset(&findings, 0, sizeof(findings));
	scratch_put_text(NAME, 0644, text);
	return csign_settings_load(
	    NULL, scratch(NAME), section, settings, why, note, &findings);
}

/* --- every key ------------------------------------------------------------ */

/* One valid value, other than the default, for keys with a rule of their own.
 */
static const struct {
	const char *key, *value, *wrong;
} samples[] = {
    {"courier_user", "nobody", "no body"},
    {"page_url", "https://page.example.org:8443", "page.example.org"},
    {"pins", PIN " " PIN, "sha256//AAAA"},
    {"proxy", "http://proxy.example.org:3128", "http://proxy.example.org"},
    {"service", "https://other.example.org", "https://other.example.org/x"},
    {"service_socket", "/run/countersignd/host.sock", "run/host.sock"},
    {"timestamp_timeout", "0", "1441"},
};

/* For all others their type tells what is valid and what is not. */
static void
sample(const struct csign_conf_key *key, char value[128], char wrong[128])
{
	for (size_t i = 0; i < N_ROWS(samples); i++) {
		if (strcmp(samples[i].key, key->name) != 0)
			continue;
		(void)snprintf(value, 128, "%s", samples[i].value);
		(void)snprintf(wrong, 128, "%s", samples[i].wrong);
		return;
	}
	if (key->check != NULL)
		fail_msg("%s has a rule and no sample here", key->name);
	(void)snprintf(wrong, 128, "no such word");
	switch (key->type) {
	case CSIGN_CONF_TEXT:
		(void)snprintf(value, 128, "x");
		memset(wrong, 0, 128);
		break;
	case CSIGN_CONF_PATH:
	case CSIGN_CONF_PATH_OR_NONE:
		(void)snprintf(value, 128, "/a/b");
		break;
	case CSIGN_CONF_U32:
		(void)snprintf(value, 128, "%u", key->max);
		(void)snprintf(wrong, 128, "%u", key->max + 1);
		break;
	case CSIGN_CONF_BOOL:
		(void)snprintf(value, 128, "%s",
		    strcmp(key->def, "yes") == 0 ? "no" : "yes");
		break;
	case CSIGN_CONF_CHOICE:
		(void)snprintf(value, 128, "%s", key->words[1]);
		break;
	case CSIGN_CONF_WORDS:
		(void)snprintf(value, 128, "one two");
		(void)snprintf(wrong, 128, "one  two");
		break;
	case CSIGN_CONF_SET:
		(void)snprintf(
		    value, 128, "%s %s", key->words[0], key->words[1]);
		break;
	case CSIGN_CONF_RETIRED:
		break;
	}
}

static void
value_of(const struct csign_settings *settings, const char *key, char out[512])
{
	assert_ok(
	    csign_conf_value(&csign_settings_table, settings, key, out, 512));
}

/* Setting one key sets its own member and no other. */
static void
assert_only(
    const struct csign_settings *settings, const char *key, const char *value)
{
	struct csign_settings usual = {0};
	char now[512], before[512];

	assert_ok(load(SERVICE, NULL, &usual, NULL));
	for (size_t i = 0; i < csign_settings_table.n_keys; i++) {
		const char *name = csign_settings_table.keys[i].name;

		value_of(settings, name, now);
		value_of(&usual, name, before);
		if (strcmp(name, key) == 0) {
			assert_string_equal(now, value);
			assert_string_not_equal(now, before);
		} else if (strcmp(name, "page_url") != 0) {
			/* whose default follows another key */
			assert_string_equal(now, before);
		}
	}
	csign_settings_clear(&usual);
}

static void
each_key_can_be_set(void **state)
{
	char value[128], wrong[128], text[512];
	struct csign_settings settings = {0};

	(void)state;
	for (size_t i = 0; i < csign_settings_table.n_keys; i++) {
		const struct csign_conf_key *key =
		    &csign_settings_table.keys[i];
		bool service = strcmp(key->name, "service") == 0;

		sample(key, value, wrong);
		(void)snprintf(text, sizeof(text), "%s%s = %s\n",
		    service ? "" : SERVICE, key->name, value);
		assert_err(text, load(text, NULL, &settings, NULL), CSIGN_OK);
		assert_only(&settings, key->name, value);
		csign_settings_clear(&settings);
	}
}

static void
each_key_refuses_a_wrong_value(void **state)
{
	char value[128], wrong[128], text[512], want[512];
	struct csign_settings settings = {0};
	struct csign_why why;

	(void)state;
	for (size_t i = 0; i < csign_settings_table.n_keys; i++) {
		const struct csign_conf_key *key =
		    &csign_settings_table.keys[i];

		sample(key, value, wrong);
		(void)snprintf(
		    text, sizeof(text), "\n%s = %s\n", key->name, wrong);
		(void)snprintf(want, sizeof(want), "%s:2: ", scratch(NAME));
		assert_err(
		    text, load(text, NULL, &settings, &why), CSIGN_E_CONFIG);
		if (strncmp(why.text, want, strlen(want)) != 0 ||
		    strstr(why.text, key->name) == NULL)
			fail_msg("%s: %s", key->name, why.text);
	}
	assert_null(settings.service);
}

static void
each_key_knows_its_place(void **state)
{
	char value[128], wrong[128], text[512], now[512];
	struct csign_settings settings = {0};

	(void)state;
	for (size_t i = 0; i < csign_settings_table.n_keys; i++) {
		const struct csign_conf_key *key =
		    &csign_settings_table.keys[i];

		sample(key, value, wrong);
		(void)snprintf(text, sizeof(text), SERVICE "[sudo]\n%s = %s\n",
		    key->name, value);
		assert_err(key->name, load(text, "sudo", &settings, NULL),
		    key->in_section ? CSIGN_OK : CSIGN_E_CONFIG);
		if (!key->in_section)
			continue;
		value_of(&settings, key->name, now);
		assert_string_equal(now, value);
		csign_settings_clear(&settings);
		assert_ok(load(text, "sshd", &settings, NULL));
		value_of(&settings, key->name, now);
		assert_string_not_equal(now, value);
		csign_settings_clear(&settings);
	}
}

static void
the_table_is_sorted_and_within_the_struct(void **state)
{
	const struct csign_conf_table *t = &csign_settings_table;

	(void)state;
	assert_int_equal(t->settings_size, sizeof(struct csign_settings));
	for (size_t i = 0; i < t->n_keys; i++) {
		assert_true(t->keys[i].offset < t->settings_size);
		if (i > 0)
			assert_true(
			    strcmp(t->keys[i - 1].name, t->keys[i].name) < 0);
	}
}

static void
the_defaults_are_the_careful_ones(void **state)
{
	struct csign_settings s = {0};

	(void)state;
	assert_ok(load(SERVICE, "sudo", &s, NULL));
	assert_int_equal(s.unenrolled, CSIGN_UNENROLLED_DENY);
	assert_false(s.enroll_root);
	assert_false(s.recovery_enroll);
	assert_true(s.recovery);
	assert_int_equal(s.self_enroll, CSIGN_SELF_ENROLL_NO);
	assert_null(s.ask_users);
	assert_null(s.ask_groups);
	assert_int_equal(s.device_kinds, CSIGN_KIND_BIT_WEBAUTHN);
	assert_int_equal(s.lifetime, 90);
	assert_int_equal(s.max_devices, 8);
	assert_int_equal(s.timestamp_timeout, 15);
	assert_null(s.require_groups);
	assert_null(s.exempt_groups);
	assert_null(s.proxy);
	assert_string_equal(s.courier_user, "countersign");
	assert_string_equal(
	    s.access_key_file, CSIGN_SYSCONFDIR "/countersign/access.key");
	assert_string_equal(
	    s.state_dir, CSIGN_LOCALSTATEDIR "/lib/countersign");
	assert_string_equal(
	    s.audit_file, CSIGN_LOCALSTATEDIR "/log/countersign/audit.log");
	assert_string_equal(s.courier, CSIGN_COURIER);
	csign_settings_clear(&s);
}

static void
words_have_the_numbers_of_their_enums(void **state)
{
	static const struct {
		const char *line;
		size_t offset;
		uint32_t value;
	} rows[] = {
#define AT(member) offsetof(struct csign_settings, member)
	    {"unenrolled = ignore", AT(unenrolled), CSIGN_UNENROLLED_IGNORE},
	    {"unenrolled = enroll", AT(unenrolled), CSIGN_UNENROLLED_ENROLL},
	    {"self_enroll = approve", AT(self_enroll),
		CSIGN_SELF_ENROLL_APPROVE},
	    {"device_bound = required", AT(device_bound), CSIGN_BOUND_REQUIRED},
	    {"cut_command = deny", AT(cut_command), CSIGN_CUT_DENY},
	    {"device_kinds = p256", AT(device_kinds), CSIGN_KIND_BIT_P256},
	    {"identity = ruser", AT(identity), 1},
	    {"present = prompt", AT(present), 1},
	    {"present = info", AT(present), 2},
	    {"present = none", AT(present), 3},
	    {"qr = ascii", AT(qr), 1},
	    {"qr = off", AT(qr), 2},
	};
	struct csign_settings s = {0};

	(void)state;
	for (size_t i = 0; i < N_ROWS(rows); i++) {
		char text[256];
		uint32_t value = UINT32_MAX;

		(void)snprintf(
		    text, sizeof(text), SERVICE "%s\n", rows[i].line);
		assert_ok(load(text, NULL, &s, NULL));
		memcpy(
		    &value, (const char *)&s + rows[i].offset, sizeof(value));
		if (value != rows[i].value)
			fail_msg("%s: %u", rows[i].line, value);
		csign_settings_clear(&s);
	}
}

/* --- rules of single keys ------------------------------------------------- */

static const struct {
	const char *lines;
	bool ok;
	const char *why; /* part of it, with the line */
} rules[] = {
    {"service = https://a.example", true, NULL},
    {"service = https://a.example:8443", true, NULL},
    {"service = http://127.0.0.1:8080", true, NULL},
    {"service = http://[::1]:8080", true, NULL},
    {"service = http://localhost:8080", true, NULL},
    {"service = http://a.example", false, ":1: service must be https://"},
    {"service = http://127.0.0.1.example", false, ":1: service must be"},
    {"service = http://10.0.0.1", false, ":1: service must be https://"},
    {"# x\nservice = http://a.example\npage_url = https://a.example", false,
	":2: service must be https://"},
    {"service = http://a.example\npage_url = https://a.example\n"
     "service_socket = /run/s",
	true, NULL},
    {"service = http://a.example\nservice_socket = /run/s", false,
	": page_url must be set"},
    {"service = ftp://a.example", false, ":1: service must be https://"},
    {"service = https://", false, ":1: service must be https://"},
    {"service = https://user@a.example", false, ":1: service must be"},
    {"service = https://a.example/", false, ":1: service must be"},
    {"service = https://a.example/api", false, ":1: service must be"},
    {"service = https://a.example?x", false, ":1: service must be"},
    {"service = https://a.example:0", false, ":1: service must be"},
    {"service = https://a.example:65536", false, ":1: service must be"},
    {"lifetime = 60", false, ": service is not set"},
    {SERVICE "page_url = http://a.example", false, ":2: page_url must be"},
    {SERVICE "page_url = http://a.example\nservice_socket = /run/s", false,
	":2: page_url must be"},
    {SERVICE "page_url = http://127.0.0.1:1", true, NULL},
    {SERVICE "proxy = https://p.example:3128", false, ":2: proxy must be"},
    {SERVICE "proxy = http://p.example", false, ":2: proxy must be"},
    {SERVICE "proxy = http://u:p@p.example:1", false, ":2: proxy must be"},
    {SERVICE "proxy = http://p.example:1/x", false, ":2: proxy must be"},
    {SERVICE "proxy = p.example:3128", false, ":2: proxy must be"},
    {SERVICE "proxy = http://10.1.2.3:3128", true, NULL},
    {SERVICE "pins = " PIN, true, NULL},
    {SERVICE "pins = sha1//AAAA", false, ":2: pins must be words"},
    {SERVICE "pins = " PIN "A", false, ":2: pins must be words"},
    {SERVICE "pins = " PIN " x", false, ":2: pins must be words"},
    {SERVICE "pins = sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB=",
	false, ":2: pins must be words"},
    {SERVICE "pins = sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==",
	false, ":2: pins must be words"},
    {SERVICE "pins = sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA-A=",
	false, ":2: pins must be words"},
    {SERVICE "lifetime = 29", false, ":2: lifetime must be a number"},
    {SERVICE "lifetime = 30", true, NULL},
    {SERVICE "lifetime = 300", true, NULL},
    {SERVICE "lifetime = 301", false, ":2: lifetime must be a number"},
    {SERVICE "max_devices = 0", false, ":2: max_devices must be"},
    {SERVICE "max_devices = 16", true, NULL},
    {SERVICE "max_devices = 17", false, ":2: max_devices must be"},
    {SERVICE "timestamp_timeout = 1440", true, NULL},
    {SERVICE "timestamp_timeout = 1441", false, ":2: timestamp_timeout"},
    {SERVICE "device_kinds = ", false, ":2: no value for"},
    {SERVICE "device_kinds = none", false, ":2: device_kinds must be"},
    {SERVICE "unenrolled = enroll", true, NULL},
    {SERVICE "unenrolled = enrol", false, ":2: unenrolled must be"},
    {SERVICE "self_enroll = yes", false, ":2: self_enroll must be"},
    {SERVICE "[sudo]\nself_enroll = no", false,
	":3: not allowed in a section: \"self_enroll\""},
    {SERVICE "[sudo]\nask_users = deploy", false,
	":3: not allowed in a section: \"ask_users\""},
    {SERVICE "courier_user = a:b", false, ":2: courier_user must be"},
    {SERVICE "fail_open = yes", false, ":2: there is no setting"},
};

static void
rules_hold(void **state)
{
	struct csign_settings s = {0};
	struct csign_why why;

	(void)state;
	for (size_t i = 0; i < N_ROWS(rules); i++) {
		char want[CSIGN_WHY_SIZE];

		assert_err(rules[i].lines, load(rules[i].lines, NULL, &s, &why),
		    rules[i].ok ? CSIGN_OK : CSIGN_E_CONFIG);
		if (rules[i].ok) {
			csign_settings_clear(&s);
			continue;
		}
		(void)snprintf(
		    want, sizeof(want), "%s%s", scratch(NAME), rules[i].why);
		if (strncmp(why.text, want, strlen(want)) != 0)
			fail_msg("\"%s\" instead of \"%s\"", why.text, want);
		assert_int_equal(findings.n, 1);
		assert_string_equal(findings.last, why.text);
	}
}

static void
a_socket_path_fits_its_address(void **state)
{
	char text[256] = SERVICE "service_socket = ";
	size_t len = strlen(text);
	struct csign_settings s = {0};

	(void)state;
	memset(text + len, 'a', 108);
	text[len] = '/';
	assert_err("108", load(text, NULL, &s, NULL), CSIGN_E_CONFIG);
	text[len + 107] = '\0';
	assert_err("107", load(text, NULL, &s, NULL), CSIGN_OK);
	csign_settings_clear(&s);
}

/* --- what is not in the file ---------------------------------------------- */

static void
page_and_host_are_completed(void **state)
{
	struct csign_settings s = {0};

	(void)state;
	assert_ok(load(SERVICE, NULL, &s, NULL));
	assert_string_equal(s.page_url, "https://approve.example.org");
	assert_string_equal(s.host, "web1");
	assert_string_equal(s.config_hash, "");
	csign_settings_clear(&s);
	assert_ok(load(SERVICE "host = web1.example.org\n", NULL, &s, NULL));
	assert_string_equal(s.host, "web1.example.org");
	csign_settings_clear(&s);
	names.nodename = "";
	assert_err("no name", load(SERVICE, NULL, &s, NULL), CSIGN_E_CONFIG);
	assert_non_null(strstr(findings.last, "host must be set"));
	names.fails = true;
	assert_err("no uname", load(SERVICE, NULL, &s, NULL), CSIGN_E_CONFIG);
}

static void
the_hash_is_of_the_file(void **state)
{
	struct csign_crypto *crypto = NULL;
	struct csign_settings s = {0};

	(void)state;
	assert_ok(csign_crypto_new(&crypto));
	scratch_put_text(NAME, 0644, SERVICE);
	assert_ok(csign_settings_load(
	    crypto, scratch(NAME), NULL, &s, NULL, NULL, NULL));
	/* printf 'service = https://approve.example.org\n' | sha256sum */
	assert_string_equal(s.config_hash, "329cee5834305d81");
	csign_settings_clear(&s);
	csign_crypto_free(&crypto);
}

static void
an_unsafe_or_missing_file_is_no_configuration(void **state)
{
	struct csign_settings s = {0};
	struct csign_why why;

	(void)state;
	assert_err("missing",
	    csign_settings_load(
		NULL, scratch("none"), NULL, &s, &why, note, &findings),
	    CSIGN_E_CONFIG);
	assert_non_null(strstr(why.text, "No such file"));
	assert_string_equal(findings.last, why.text);
	scratch_put_text(NAME, 0664, SERVICE);
	assert_err("writable",
	    csign_settings_load(
		NULL, scratch(NAME), NULL, &s, &why, note, &findings),
	    CSIGN_E_FILE);
	assert_non_null(strstr(findings.last, "mode 0664"));
	scratch_put_text(NAME, 0644, "");
	assert_err("empty",
	    csign_settings_load(
		NULL, scratch(NAME), NULL, &s, NULL, NULL, NULL),
	    CSIGN_E_FILE);
	assert_null(s.service);
}

/* --- the access key ------------------------------------------------------- */

static enum csign_err
read_key(mode_t mode, const char *text, struct csign_why *why)
{
	struct csign_settings s = {0};
	struct csign_secret *key = NULL;
	enum csign_err r = CSIGN_E_INTERNAL;
	char path[SCRATCH_PATH];

	(void)snprintf(path, sizeof(path), "%s", scratch("access.key"));
	s.access_key_file = path;
	if (text != NULL)
		scratch_put_text("access.key", mode, text);
	r = csign_settings_access_key(&s, why, &key);
	if (r == CSIGN_OK)
		assert_string_equal(csign_secret_data(key), KEY);
	else
		assert_null(key);
	csign_secret_free(&key);
	return r;
}

static void
the_access_key_is_one_line(void **state)
{
	static const struct {
		const char *text;
		enum csign_err want;
	} rows[] = {
	    {KEY "\n", CSIGN_OK},
	    {KEY, CSIGN_OK},
	    {KEY "\n\n", CSIGN_E_CONFIG},
	    {KEY "\r\n", CSIGN_E_CONFIG},
	    {" " KEY, CSIGN_E_CONFIG},
	    {KEY "A", CSIGN_E_CONFIG},
	    {"dGhpcyBpcyBhbiBhY2Nlc3Mga2V5IG9mIDMyIGJ5dGV", CSIGN_E_CONFIG},
	    {"dGhpcyBpcyBhbiBhY2Nlc3Mga2V5IG9mIDMyIGJ5d", CSIGN_E_CONFIG},
	    {"\n", CSIGN_E_CONFIG},
	    {"", CSIGN_E_FILE},
	};
	struct csign_why why;

	(void)state;
	for (size_t i = 0; i < N_ROWS(rows); i++)
		assert_err(rows[i].text, read_key(0600, rows[i].text, &why),
		    rows[i].want);
	assert_err("mode", read_key(0640, KEY, &why), CSIGN_E_FILE);
	assert_int_equal(unlink(scratch("access.key")), 0);
	assert_err("missing", read_key(0, NULL, &why), CSIGN_E_FILE);
	/* The key itself is in no message. */
	assert_err("wrong", read_key(0600, KEY "=", &why), CSIGN_E_CONFIG);
	assert_null(strstr(why.text, KEY));
}

/* --- the man page --------------------------------------------------------- */

/* "\n.It Cm lifetime = Ar seconds" -> "lifetime"; NULL at the end. */
static const char *
next_item(const char *page, char out[64])
{
	static const char item[] = "\n.It Cm ";
	size_t len = 0;

	page = strstr(page, item);
	if (page == NULL)
		return NULL;
	page += strlen(item);
	len = strcspn(page, " \n");
	assert_true(len < 64);
	memcpy(out, page, len);
	out[len] = '\0';
	return page;
}

static const struct csign_conf_key *
find_key(const char *name)
{
	for (size_t i = 0; i < csign_settings_table.n_keys; i++) {
		if (strcmp(csign_settings_table.keys[i].name, name) == 0)
			return &csign_settings_table.keys[i];
	}
	return NULL;
}

/* "The default is" and the table's default, before the next item. */
static void
assert_default_is_told(const struct csign_conf_key *key, const char *item)
{
	const char *end = strstr(item, "\n.It Cm "), *at = NULL;
	char text[64];
	size_t len = 0;

	/* Paths depend on where it is installed. */
	if (key->def == NULL || key->type == CSIGN_CONF_PATH ||
	    key->type == CSIGN_CONF_PATH_OR_NONE)
		return;
	at = strstr(item, "The default is");
	if (at == NULL || (end != NULL && at > end))
		fail_msg("no default of %s", key->name);
	at += strlen("The default is");
	at += strspn(at, " \n");
	if (strncmp(at, ".Cm ", 4) == 0)
		at += 4;
	len = strcspn(at, " .\n");
	assert_true(len < sizeof(text));
	memcpy(text, at, len);
	text[len] = '\0';
	if (strcmp(text, key->def) != 0)
		fail_msg("default of %s: %s", key->name, text);
}

static void
the_man_page_has_the_keys_and_no_others(void **state)
{
	static char page[CSIGN_FILE_MAX];
	const char *top = getenv("top_srcdir"), *at = page;
	bool met[64] = {false};
	char path[1024], name[64];
	FILE *file = NULL;

	(void)state;
	if (top == NULL)
		skip();
	(void)snprintf(path, sizeof(path), "%s/man/countersign.conf.5", top);
	file = fopen(path, "re");
	assert_non_null(file);
	page[fread(page, 1, sizeof(page) - 1, file)] = '\0';
	(void)fclose(file);
	while ((at = next_item(at, name)) != NULL) {
		const struct csign_conf_key *key = find_key(name);

		if (key == NULL)
			fail_msg("%s is in the page and not a key", name);
		met[key - csign_settings_table.keys] = true;
		assert_default_is_told(key, at);
	}
	for (size_t i = 0; i < csign_settings_table.n_keys; i++) {
		if (!met[i])
			fail_msg("%s is not in the page",
			    csign_settings_table.keys[i].name);
	}
}

#define TEST(f) cmocka_unit_test_setup(f, reset)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(each_key_can_be_set),
	    TEST(each_key_refuses_a_wrong_value),
	    TEST(each_key_knows_its_place),
	    TEST(the_table_is_sorted_and_within_the_struct),
	    TEST(the_defaults_are_the_careful_ones),
	    TEST(words_have_the_numbers_of_their_enums),
	    TEST(rules_hold),
	    TEST(a_socket_path_fits_its_address),
	    TEST(page_and_host_are_completed),
	    TEST(the_hash_is_of_the_file),
	    TEST(an_unsafe_or_missing_file_is_no_configuration),
	    TEST(the_access_key_is_one_line),
	    TEST(the_man_page_has_the_keys_and_no_others),
	};

	return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
