/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"

#include "codec.h"
#include "fault.h"
#include "transaction.h"
#include "vectors.h"

#define NONCE "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"

static char *
copy(const char *text)
{
	char *s = strdup(text);

	assert_non_null(s);
	return s;
}

static void
sample(struct csign_transaction *t)
{
	memset(t, 0, sizeof(*t));
	t->host = copy("web1.example.com");
	t->user = copy("alice");
	t->uid = 1001;
	t->service = copy("sudo");
	t->title = copy("t");
	t->choices[0] = copy("approve");
	t->n_choices = 1;
	t->code = copy("never");
	t->nonce = copy(NONCE);
	t->created = copy("2026-11-21T22:50:00Z");
	t->lifetime = 90;
}

static void
add_detail(struct csign_transaction *t, const char *label, const char *value)
{
	t->details[t->n_details].label = copy(label);
	t->details[t->n_details].value = copy(value);
	t->n_details++;
}

static void
replace(char **text, const char *with)
{
	free(*text);
	*text = copy(with);
}

/* The members of a vector as the host has them before it writes. */
static void
from_members(struct json_object *m, struct csign_transaction *t)
{
	struct json_object *list;

	sample(t);
	t->enrolment = strcmp(vec_str(m, "kind"), "enrolment") == 0;
	replace(&t->host, vec_str(m, "host"));
	replace(&t->user, vec_str(m, "user"));
	replace(&t->service, vec_str(m, "service"));
	replace(&t->title, vec_str(m, "title"));
	replace(&t->code, vec_str(m, "code"));
	replace(&t->nonce, vec_str(m, "nonce"));
	replace(&t->created, vec_str(m, "created"));
	t->uid = (uint32_t)json_object_get_int64(vec(m, "uid"));
	t->lifetime = (uint32_t)json_object_get_int64(vec(m, "lifetime"));
	list = vec(m, "details");
	for (size_t i = 0; i < json_object_array_length(list); i++) {
		struct json_object *pair = json_object_array_get_idx(list, i);

		add_detail(t,
		    json_object_get_string(json_object_array_get_idx(pair, 0)),
		    json_object_get_string(json_object_array_get_idx(pair, 1)));
	}
	free(t->choices[0]);
	list = vec(m, "choices");
	t->n_choices = json_object_array_length(list);
	for (size_t i = 0; i < t->n_choices; i++)
		t->choices[i] = copy(
		    json_object_get_string(json_object_array_get_idx(list, i)));
}

static void
test_vectors(void **state)
{
	struct json_object *list = vec(vectors(), "transactions");

	(void)state;
	assert_true(json_object_array_length(list) >= 10);
	for (size_t i = 0; i < json_object_array_length(list); i++) {
		struct json_object *v = json_object_array_get_idx(list, i);
		const char *want = vec_str(v, "bytes");
		struct csign_transaction t, back = {0};
		struct csign_buf *out = NULL;
		bool cut = false;

		from_members(vec(v, "members"), &t);
		assert_ok(csign_buf_new(4096, &out));
		assert_err(vec_str(v, "name"),
		    csign_transaction_write(&t, out, &cut), CSIGN_OK);
		assert_bytes(vec_str(v, "name"), csign_buf_data(out),
		    csign_buf_len(out), want, strlen(want));
		assert_true(
		    cut == json_object_get_boolean(vec(v, "firstValueCut")));

		/* The phone reads what the host wrote. */
		assert_err(vec_str(v, "name"),
		    csign_transaction_read(
			csign_buf_data(out), csign_buf_len(out), &back),
		    CSIGN_OK);
		assert_true(back.enrolment == t.enrolment);
		assert_int_equal(back.uid, t.uid);
		assert_int_equal(back.lifetime, t.lifetime);
		assert_string_equal(back.host, t.host);
		assert_string_equal(back.user, t.user);
		assert_string_equal(back.service, t.service);
		assert_string_equal(back.code, t.code);
		assert_string_equal(back.nonce, t.nonce);
		assert_string_equal(back.created, t.created);
		assert_int_equal(back.n_choices, t.n_choices);
		csign_transaction_clear(&back);
		csign_transaction_clear(&t);
		csign_buf_free(&out);
	}
}

static void
test_choices(void **state)
{
	static const struct {
		const char *choice;
		bool good;
	} rows[] = {
	    {"approve", true},
	    {"a", true},
	    {"a-1-b", true},
	    {"abcdefghijklmnopqrstuvwxyz012345", true},
	    {"abcdefghijklmnopqrstuvwxyz0123456", false},
	    {"", false},
	    {"1a", false},
	    {"-a", false},
	    {"A", false},
	    {"aB", false},
	    {"a b", false},
	    {"a_b", false},
	    {"a\"", false},
	    {"\xc3\xa4", false},
	    {"deny", false},
	    {"not-me", false},
	    {"enroll", false},
	    {"remove", false},
	    {"deny2", true},
	    {"not-m", true},
	};

	(void)state;
	for (size_t i = 0; i < N_ROWS(rows); i++)
		if (csign_choice_valid(rows[i].choice) != rows[i].good)
			fail_msg("%s", rows[i].choice);
}

static enum csign_err
write_it(const struct csign_transaction *t)
{
	struct csign_buf *out = NULL;
	enum csign_err r;

	assert_ok(csign_buf_new(4096, &out));
	r = csign_transaction_write(t, out, NULL);
	assert_true((csign_buf_len(out) > 0) == (r == CSIGN_OK));
	assert_true(csign_buf_len(out) <= CSIGN_TRANSACTION_MAX);
	csign_buf_free(&out);
	return r;
}

/* One member of a good transaction is replaced. */
static void
test_members(void **state)
{
	static const struct {
		const char *name;
		size_t offset;
		const char *value;
		enum csign_err want;
	} rows[] = {
#define M(member, value, want)                                                 \
	{#member " " value, offsetof(struct csign_transaction, member), value, \
	    want}
	    M(code, "never", CSIGN_OK),
	    M(code, "inbox", CSIGN_OK),
	    M(code, "always", CSIGN_OK),
	    M(code, "tap", CSIGN_OK),
	    M(code, "", CSIGN_E_INVALID),
	    M(code, "Never", CSIGN_E_INVALID),
	    M(code, "sometimes", CSIGN_E_INVALID),
	    M(nonce, "", CSIGN_E_INVALID),
	    M(nonce, "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh",
		CSIGN_E_INVALID),
	    M(nonce, "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh9",
		CSIGN_E_INVALID),
	    M(nonce, "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh+",
		CSIGN_E_INVALID),
	    M(created, "", CSIGN_E_INVALID),
	    M(created, "2026-11-21 22:50:00Z", CSIGN_E_INVALID),
	    M(created, "2026-11-21T22:50:00+00:00", CSIGN_E_INVALID),
	    M(created, "2026-02-29T22:50:00Z", CSIGN_E_INVALID),
	    M(host, "", CSIGN_E_INVALID),
	    M(user, "", CSIGN_E_INVALID),
	    M(service, "", CSIGN_E_INVALID),
	    M(title, "", CSIGN_E_INVALID),
#undef M
	};
	struct csign_transaction t;

	(void)state;
	for (size_t i = 0; i < N_ROWS(rows); i++) {
		char **slot;

		sample(&t);
		slot = (char **)(void *)((char *)&t + rows[i].offset);
		replace(slot, rows[i].value);
		assert_err(rows[i].name, write_it(&t), rows[i].want);
		free(*slot);
		*slot = NULL;
		if (slot == &t.host || slot == &t.user || slot == &t.service ||
		    slot == &t.title)
			assert_err("missing", write_it(&t), CSIGN_E_INVALID);
		csign_transaction_clear(&t);
	}
}

static void
test_lifetimes(void **state)
{
	static const struct {
		bool enrolment;
		uint32_t lifetime;
		enum csign_err want;
	} rows[] = {
	    {false, 0, CSIGN_E_INVALID},
	    {false, 29, CSIGN_E_INVALID},
	    {false, 30, CSIGN_OK},
	    {false, 300, CSIGN_OK},
	    {false, 301, CSIGN_E_INVALID},
	    {true, 59, CSIGN_E_INVALID},
	    {true, 60, CSIGN_OK},
	    {true, 600, CSIGN_OK},
	    {true, 601, CSIGN_E_INVALID},
	    {true, UINT32_MAX, CSIGN_E_INVALID},
	};
	struct csign_transaction t;

	(void)state;
	for (size_t i = 0; i < N_ROWS(rows); i++) {
		sample(&t);
		t.enrolment = rows[i].enrolment;
		if (t.enrolment) {
			free(t.choices[0]);
			t.n_choices = 0;
		}
		t.lifetime = rows[i].lifetime;
		assert_err("lifetime", write_it(&t), rows[i].want);
		csign_transaction_clear(&t);
	}
}

static void
test_choice_lists(void **state)
{
	struct csign_transaction t;

	(void)state;
	sample(&t);
	t.enrolment = true;
	assert_err("an enrolment has none", write_it(&t), CSIGN_E_INVALID);
	t.enrolment = false;
	replace(&t.choices[0], "deny");
	assert_err("reserved", write_it(&t), CSIGN_E_INVALID);
	replace(&t.choices[0], "approve");
	t.choices[1] = copy("approve");
	t.n_choices = 2;
	assert_err("twice", write_it(&t), CSIGN_E_INVALID);
	for (size_t i = 1; i < CSIGN_CHOICES_MAX; i++) {
		char name[] = "choice-0";

		name[7] = (char)('0' + i);
		free(t.choices[i]);
		t.choices[i] = copy(name);
	}
	t.n_choices = CSIGN_CHOICES_MAX;
	assert_err("eight", write_it(&t), CSIGN_OK);
	t.n_choices = CSIGN_CHOICES_MAX + 1;
	assert_err("nine", write_it(&t), CSIGN_E_INVALID);
	t.n_choices = 0;
	assert_err("none", write_it(&t), CSIGN_E_INVALID);
	t.n_choices = CSIGN_CHOICES_MAX;
	csign_transaction_clear(&t);
}

/* Exactly at the limit nothing is cut; one byte more, and something is. */
static void
test_exact_limit(void **state)
{
	struct csign_transaction t;
	struct csign_buf *out = NULL;
	char value[CSIGN_VALUE_MAX + 1];
	size_t missing;
	bool cut = true;

	(void)state;
	assert_ok(csign_buf_new(4096, &out));
	sample(&t);
	memset(value, 'x', sizeof(value));
	value[CSIGN_VALUE_MAX] = '\0';
	for (int i = 0; i < 6; i++)
		add_detail(&t, "Label", value);
	assert_ok(csign_transaction_write(&t, out, &cut));
	missing = CSIGN_TRANSACTION_MAX - csign_buf_len(out);
	assert_true(missing > 20 && missing < 200);
	value[missing - strlen(",[\"Label\",\"\"]")] = '\0';
	add_detail(&t, "Label", value);
	csign_buf_clear(out);
	assert_ok(csign_transaction_write(&t, out, &cut));
	assert_int_equal(csign_buf_len(out), CSIGN_TRANSACTION_MAX);
	assert_null(strstr(csign_buf_str(out), "left out"));
	assert_false(cut);
	replace(&t.title, "tt");
	csign_buf_clear(out);
	assert_ok(csign_transaction_write(&t, out, &cut));
	assert_non_null(strstr(csign_buf_str(out), "characters left out"));
	/* the longest first, and of equals the one at the head */
	assert_true(cut);
	csign_transaction_clear(&t);
	csign_buf_free(&out);
}

static void
test_bounds(void **state)
{
	struct csign_transaction t;
	char text[2049];

	(void)state;
	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	sample(&t);
	text[CSIGN_HOST_MAX] = '\0';
	replace(&t.host, text);
	assert_err("host", write_it(&t), CSIGN_OK);
	text[CSIGN_HOST_MAX] = 'x';
	text[CSIGN_HOST_MAX + 1] = '\0';
	replace(&t.host, text);
	assert_err("longer host", write_it(&t), CSIGN_E_TOO_LONG);
	replace(&t.host, "h");
	text[CSIGN_SERVICE_MAX] = '\0';
	replace(&t.service, text);
	assert_err("service", write_it(&t), CSIGN_OK);
	text[CSIGN_SERVICE_MAX] = 'x';
	text[CSIGN_SERVICE_MAX + 1] = '\0';
	replace(&t.service, text);
	assert_err("longer service", write_it(&t), CSIGN_E_TOO_LONG);
	replace(&t.service, "s");
	text[CSIGN_SERVICE_MAX + 1] = 'x';
	replace(&t.title, text);
	assert_err("any title", write_it(&t), CSIGN_OK);
	text[CSIGN_LABEL_MAX + 1] = '\0';
	add_detail(&t, text, "v");
	assert_err("longer label", write_it(&t), CSIGN_E_TOO_LONG);
	text[CSIGN_LABEL_MAX] = '\0';
	replace(&t.details[0].label, text);
	assert_err("label", write_it(&t), CSIGN_OK);
	replace(&t.details[0].label, "");
	assert_err("empty label", write_it(&t), CSIGN_E_INVALID);
	replace(&t.details[0].label, "l");
	replace(&t.details[0].value, "");
	assert_err("empty value", write_it(&t), CSIGN_OK);
	free(t.details[0].value);
	t.details[0].value = NULL;
	assert_err("no value", write_it(&t), CSIGN_E_INVALID);
	t.details[0].value = copy("v");
	while (t.n_details < CSIGN_DETAILS_MAX)
		add_detail(&t, "l", "v");
	assert_err("12 details", write_it(&t), CSIGN_OK);
	t.n_details = CSIGN_DETAILS_MAX + 1;
	assert_err("13 details", write_it(&t), CSIGN_E_INVALID);
	t.n_details = CSIGN_DETAILS_MAX;
	csign_transaction_clear(&t);
}

/* What cannot be cut is refused: the caller's buffer stays as it is. */
static void
test_cannot_be_cut(void **state)
{
	struct csign_transaction t;
	char text[4 * 256 + 1];

	(void)state;
	sample(&t);
	for (size_t i = 0; i < 256; i++)
		memcpy(text + 4 * i, "\xf0\x9f\x98\x80", 4);
	text[4 * 253] = '\0';
	replace(&t.title, text);
	assert_err("long title", write_it(&t), CSIGN_OK);
	replace(&t.user, text);
	assert_err("long user as well", write_it(&t), CSIGN_E_TOO_LONG);
	add_detail(&t, "Command", "id");
	add_detail(&t, "Directory", "/");
	assert_err("and details", write_it(&t), CSIGN_E_TOO_LONG);
	csign_transaction_clear(&t);
}

/* --- the phone's reader ----------------------------------------------------
 */

static const char good[] =
    "{\"v\":1,\"kind\":\"approval\",\"host\":\"h\",\"user\":\"u\",\"uid\":0,"
    "\"service\":\"s\",\"title\":\"t\",\"details\":[[\"l\",\"v\"]],"
    "\"choices\":[\"approve\"],\"code\":\"never\",\"nonce\":\"" NONCE "\","
    "\"created\":\"2026-11-21T22:50:00Z\",\"lifetime\":90}";

static void
test_read_strict(void **state)
{
	static const struct {
		const char *name, *from, *to;
	} rows[] = {
	    {"v 2", "\"v\":1", "\"v\":2"},
	    {"v as text", "\"v\":1", "\"v\":\"1\""},
	    {"no v", "\"v\":1,", ""},
	    {"unknown kind", "approval", "approval2"},
	    {"kind of another type", "\"approval\"", "1"},
	    {"enrolment with choices", "approval", "enrolment"},
	    {"unknown member", "\"lifetime\":90", "\"lifetime\":90,\"x\":1"},
	    {"unknown member in front", "{\"v\"", "{\"x\":1,\"v\""},
	    {"member twice", "\"uid\":0", "\"uid\":0,\"uid\":0"},
	    {"other order", "\"host\":\"h\",\"user\":\"u\"",
		"\"user\":\"u\",\"host\":\"h\""},
	    {"uid negative", "\"uid\":0", "\"uid\":-1"},
	    {"uid too large", "\"uid\":0", "\"uid\":4294967296"},
	    {"uid as text", "\"uid\":0", "\"uid\":\"0\""},
	    {"empty host", "\"host\":\"h\"", "\"host\":\"\""},
	    {"host null", "\"host\":\"h\"", "\"host\":null"},
	    {"title missing", "\"title\":\"t\",", ""},
	    {"details an object", "[[\"l\",\"v\"]]", "{\"l\":\"v\"}"},
	    {"detail of one", "[\"l\",\"v\"]", "[\"l\"]"},
	    {"detail of three", "[\"l\",\"v\"]", "[\"l\",\"v\",\"w\"]"},
	    {"detail a text", "[\"l\",\"v\"]", "\"lv\""},
	    {"value a number", "[\"l\",\"v\"]", "[\"l\",1]"},
	    {"empty label", "[\"l\",\"v\"]", "[\"\",\"v\"]"},
	    {"label of 33", "[\"l\"", "[\"123456789012345678901234567890123\""},
	    {"NUL in a value", "\"v\"]", "\"v\\u0000w\"]"},
	    {"no choice", "[\"approve\"]", "[]"},
	    {"choice twice", "[\"approve\"]", "[\"a\",\"a\"]"},
	    {"choice deny", "\"approve\"", "\"deny\""},
	    {"choice enroll", "\"approve\"", "\"enroll\""},
	    {"choice with a space", "\"approve\"", "\"app rove\""},
	    {"choice a number", "\"approve\"", "1"},
	    {"nine choices", "\"approve\"",
		"\"a\",\"b\",\"c\",\"d\",\"e\",\"f\",\"g\",\"h\",\"i\""},
	    {"unknown code", "never", "maybe"},
	    {"short nonce", NONCE, "AAEC"},
	    {"bad time", "2026-11-21T", "2026-13-21T"},
	    {"short life", ":90}", ":29}"},
	    {"long life", ":90}", ":301}"},
	    {"fraction", ":90}", ":90.5}"},
	    {"byte behind", ":90}", ":90}x"},
	    {"array", "{\"v\"", "[{\"v\""},
	};
	struct csign_transaction t = {0};
	char text[1024];

	(void)state;
	assert_ok(csign_transaction_read(good, strlen(good), &t));
	assert_string_equal(t.details[0].value, "v");
	csign_transaction_clear(&t);
	for (size_t i = 0; i < N_ROWS(rows); i++) {
		const char *at = strstr(good, rows[i].from);

		assert_non_null(at);
		(void)snprintf(text, sizeof(text), "%.*s%s%s", (int)(at - good),
		    good, rows[i].to, at + strlen(rows[i].from));
		assert_err(rows[i].name,
		    csign_transaction_read(text, strlen(text), &t),
		    CSIGN_E_FORMAT);
		assert_null(t.host);
	}
	for (size_t i = 0; i < strlen(good); i++)
		assert_err(
		    "cut", csign_transaction_read(good, i, &t), CSIGN_E_FORMAT);
}

/* Each text at its limit, and one character more. */
static void
test_read_bounds(void **state)
{
	static const struct {
		const char *from;
		size_t max;
	} rows[] = {
	    {"\"h\"", CSIGN_HOST_MAX},
	    {"\"u\"", CSIGN_USER_MAX},
	    {"\"s\"", CSIGN_SERVICE_MAX},
	    {"\"t\"", CSIGN_TITLE_MAX},
	    {"\"l\"", CSIGN_LABEL_MAX},
	    {"\"v\"]", CSIGN_VALUE_MAX},
	};
	struct csign_transaction t = {0};
	char text[1024], value[512];

	(void)state;
	memset(value, 'x', sizeof(value));
	for (size_t i = 0; i < N_ROWS(rows); i++) {
		const char *at = strstr(good, rows[i].from);

		assert_non_null(at);
		for (size_t more = 0; more < 2; more++) {
			(void)snprintf(text, sizeof(text), "%.*s\"%.*s\"%s",
			    (int)(at - good), good, (int)(rows[i].max + more),
			    value, at + 3);
			assert_err(rows[i].from,
			    csign_transaction_read(text, strlen(text), &t),
			    more == 0 ? CSIGN_OK : CSIGN_E_FORMAT);
			csign_transaction_clear(&t);
		}
	}
}

static void
test_read_length(void **state)
{
	struct csign_transaction t = {0};
	char text[CSIGN_TRANSACTION_MAX + 2];

	(void)state;
	memset(text, ' ', sizeof(text));
	memcpy(text, good, strlen(good));
	assert_ok(csign_transaction_read(text, CSIGN_TRANSACTION_MAX, &t));
	csign_transaction_clear(&t);
	assert_err("2,049 bytes",
	    csign_transaction_read(text, CSIGN_TRANSACTION_MAX + 1, &t),
	    CSIGN_E_FORMAT);
}

/* --- the content -----------------------------------------------------------
 */

static void
device(struct csign_device *d, enum csign_kind kind, const char *id, size_t len)
{
	memset(d, 0, sizeof(*d));
	d->kind = kind;
	memcpy(d->id, id, strlen(id) + 1);
	for (size_t i = 0; i < len; i++)
		d->credential[i] = (unsigned char)i;
	d->credential_len = len;
}

static void
test_content_vectors(void **state)
{
	struct json_object *list = vec(vectors(), "contents");

	(void)state;
	for (size_t i = 0; i < json_object_array_length(list); i++) {
		struct json_object *v = json_object_array_get_idx(list, i);
		const char *bytes =
		    vec_str(vec_named(vec(vectors(), "transactions"),
				vec_str(v, "transaction")),
			"bytes");
		struct json_object *credentials = vec(v, "credentials");
		struct csign_device devices[2];
		struct csign_device_list of = {devices, 1};
		struct csign_buf *out = NULL;

		device(&devices[0], CSIGN_KIND_P256, "aaaabbbbccccdddd", 0);
		if (json_object_array_length(credentials) > 0) {
			struct json_object *pair =
			    json_object_array_get_idx(credentials, 0);

			device(&devices[1], CSIGN_KIND_WEBAUTHN,
			    json_object_get_string(
				json_object_array_get_idx(pair, 0)),
			    32);
			of.n = 2;
		}
		assert_ok(csign_buf_new(8192, &out));
		assert_ok(csign_content_write(bytes, strlen(bytes), &of, out));
		assert_string_equal(csign_buf_str(out), vec_str(v, "content"));
		csign_buf_free(&out);
		assert_ok(csign_buf_new(2048, &out));
		assert_ok(csign_content_read(
		    vec_str(v, "content"), strlen(vec_str(v, "content")), out));
		assert_string_equal(csign_buf_str(out), bytes);
		csign_buf_free(&out);
	}
}

/* As many credentials as fit, and a full content is still a whole one. */
static void
test_content_full(void **state)
{
	static unsigned char transaction[CSIGN_TRANSACTION_MAX + 1];
	static struct csign_device devices[CSIGN_DEVICES_MAX];
	struct csign_device_list list = {devices, CSIGN_DEVICES_MAX};
	struct csign_buf *out = NULL, *back = NULL;
	size_t n = 0;

	(void)state;
	for (size_t i = 0; i < CSIGN_DEVICES_MAX; i++)
		device(&devices[i], CSIGN_KIND_WEBAUTHN, "aaaabbbbccccdddd",
		    CSIGN_CREDENTIAL_MAX);
	devices[CSIGN_DEVICES_MAX - 1].credential_len = 16;
	assert_ok(csign_buf_new(10000, &out));
	assert_ok(csign_buf_new(CSIGN_TRANSACTION_MAX, &back));
	assert_ok(csign_content_write(
	    transaction, CSIGN_TRANSACTION_MAX, &list, out));
	assert_true(
	    csign_buf_len(out) <= CSIGN_CONTENT_MAX - CSIGN_SEAL_OVERHEAD);
	for (const char *p = csign_buf_str(out);
	     (p = strstr(p, "\"aaaabbbbccccdddd\"")) != NULL; p++)
		n++;
	assert_int_equal(n, 4); /* three long ones, and the short one */
	assert_ok(
	    csign_content_read(csign_buf_data(out), csign_buf_len(out), back));
	assert_int_equal(csign_buf_len(back), CSIGN_TRANSACTION_MAX);
	assert_err("transaction too long",
	    csign_content_write(transaction, sizeof(transaction), &list, out),
	    CSIGN_E_TOO_LONG);
	csign_buf_free(&out);
	csign_buf_free(&back);
}

static void
test_content_strict(void **state)
{
	static const char *const rows[] = {
	    "",
	    "{}",
	    "{\"transaction\":\"AA\"}",
	    "{\"transaction\":1,\"credentials\":[]}",
	    "{\"transaction\":\"A\",\"credentials\":[]}",
	    "{\"transaction\":\"AB\",\"credentials\":[]}",
	    "{\"transaction\":\"AA==\",\"credentials\":[]}",
	    "{\"transaction\":\"AA\",\"credentials\":[],\"x\":1}",
	    "{\"credentials\":[],\"transaction\":\"AA\"}",
	    "{\"transaction\":\"AA\",\"credentials\":[]} x",
	};
	struct csign_buf *out = NULL;

	(void)state;
	assert_ok(csign_buf_new(100, &out));
	for (size_t i = 0; i < N_ROWS(rows); i++)
		assert_err(rows[i],
		    csign_content_read(rows[i], strlen(rows[i]), out),
		    CSIGN_E_FORMAT);
	assert_int_equal(csign_buf_len(out), 0);
	csign_buf_free(&out);
}

/* --- memory ----------------------------------------------------------------
 */

static struct csign_transaction held;

static int
write_held(void)
{
	struct csign_buf *out = NULL;
	enum csign_err r;

	if ((r = csign_buf_new(4096, &out)) != CSIGN_OK)
		return (int)r;
	r = csign_transaction_write(&held, out, NULL);
	csign_buf_free(&out);
	return (int)r;
}

static void
test_no_memory(void **state)
{
	(void)state;
	sample(&held);
	add_detail(&held, "Command", "id");
	add_detail(&held, "Directory", "/");
	fault_loop(write_held);
	csign_transaction_clear(&held);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_vectors),
	    cmocka_unit_test(test_choices),
	    cmocka_unit_test(test_members),
	    cmocka_unit_test(test_lifetimes),
	    cmocka_unit_test(test_choice_lists),
	    cmocka_unit_test(test_exact_limit),
	    cmocka_unit_test(test_bounds),
	    cmocka_unit_test(test_cannot_be_cut),
	    cmocka_unit_test(test_read_strict),
	    cmocka_unit_test(test_read_bounds),
	    cmocka_unit_test(test_read_length),
	    cmocka_unit_test(test_content_vectors),
	    cmocka_unit_test(test_content_full),
	    cmocka_unit_test(test_content_strict),
	    cmocka_unit_test(test_no_memory),
	};

	return cmocka_run_group_tests_name(
	    "transaction", tests, setup, teardown);
}
