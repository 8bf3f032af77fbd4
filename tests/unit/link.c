/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"

#include <errno.h>
#include <sys/random.h>

#include "link.h"
#include "vectors.h"

static bool random_fails;

ssize_t __real_getrandom(void *buf, size_t len, unsigned int flags);
ssize_t __wrap_getrandom(void *buf, size_t len, unsigned int flags);

ssize_t
__wrap_getrandom(void *buf, size_t len, unsigned int flags)
{
	if (random_fails) {
		errno = ENOSYS;
		return -1;
	}
	return __real_getrandom(buf, len, flags);
}

static void
test_vector(void **state)
{
	struct json_object *v = vec(vectors(), "basic");
	unsigned char secret[CSIGN_SECRET_LEN], key[CSIGN_KEY_LEN];
	struct csign_link *link = NULL, *read = NULL;
	char text[CSIGN_LINK_MAX + 1], *origin = NULL;

	(void)state;
	vec_hex(v, "secret", secret, sizeof(secret));
	assert_ok(csign_link_from_secret(crypto, secret, &link));
	assert_memory_equal(csign_link_secret(link), secret, sizeof(secret));
	assert_string_equal(csign_link_id(link), vec_str(v, "linkId"));
	vec_hex(v, "contentKey", key, sizeof(key));
	assert_memory_equal(csign_link_content_key(link), key, sizeof(key));
	vec_hex(v, "answerKey", key, sizeof(key));
	assert_memory_equal(csign_link_answer_key(link), key, sizeof(key));
	assert_ok(csign_link_text(link, vec_str(v, "origin"), false, text));
	assert_string_equal(text, vec_str(v, "link"));
	assert_ok(csign_link_text(link, vec_str(v, "origin"), true, text));
	assert_string_equal(text, vec_str(v, "qr"));

	/* and back, from the QR code's form */
	assert_ok(csign_link_parse(crypto, text, &read, &origin));
	assert_string_equal(origin, vec_str(v, "origin"));
	assert_string_equal(csign_link_id(read), vec_str(v, "linkId"));
	assert_memory_equal(csign_link_secret(read), secret, sizeof(secret));
	free(origin);
	csign_link_free(&read);
	csign_link_free(&link);
	assert_null(link);
	csign_link_free(&link);
}

/* The approval behind an enrolment has a link of its own, from the same S. */
static void
test_for_test(void **state)
{
	struct json_object *v = vec(vectors(), "testLink");
	unsigned char secret[CSIGN_SECRET_LEN];
	struct csign_link *link = NULL, *test = NULL;

	(void)state;
	vec_hex(v, "secret", secret, sizeof(secret));
	assert_ok(csign_link_from_secret(crypto, secret, &link));
	assert_ok(csign_link_for_test(crypto, link, &test));
	vec_hex(v, "testSecret", secret, sizeof(secret));
	assert_memory_equal(csign_link_secret(test), secret, sizeof(secret));
	assert_string_equal(csign_link_id(test), vec_str(v, "linkId"));
	csign_link_free(&link);
	csign_link_free(&test);
}

static void
test_fresh(void **state)
{
	struct csign_link *a = NULL, *b = NULL;

	(void)state;
	assert_ok(csign_link_new(crypto, &a));
	assert_ok(csign_link_new(crypto, &b));
	assert_memory_not_equal(
	    csign_link_secret(a), csign_link_secret(b), CSIGN_SECRET_LEN);
	assert_string_not_equal(csign_link_id(a), csign_link_id(b));
	csign_link_free(&a);
	csign_link_free(&b);
	random_fails = true;
	assert_err(
	    "no random bytes", csign_link_new(crypto, &a), CSIGN_E_RANDOM);
	random_fails = false;
	assert_null(a);
}

#define LABEL63                                                                \
	"a23456789012345678901234567890123456789012345678901234567890123"

static void
test_origins(void **state)
{
	static const struct {
		const char *url, *host;
	} rows[] = {
	    {"https://approve.example.org", "approve.example.org"},
	    {"https://a", "a"},
	    {"https://approve.example.org:8443", "approve.example.org"},
	    {"https://x-1.example.org:65535", "x-1.example.org"},
	    {"https://xn--bcher-kva.example", "xn--bcher-kva.example"},
	    {"https://192.0.2.1", "192.0.2.1"},
	    {"https://[2001:db8::1]", "[2001:db8::1]"},
	    {"https://[2001:db8::1]:8443", "[2001:db8::1]"},
	    {"https://" LABEL63 ".org", LABEL63 ".org"},
	    {"http://localhost", "localhost"},
	    {"http://localhost:8080", "localhost"},
	    {"http://127.0.0.1:8080", "127.0.0.1"},
	    {"http://127.1.2.3", "127.1.2.3"},
	    {"http://[::1]:8080", "[::1]"},
	    /* and what is none */
	    {"", NULL},
	    {"https://", NULL},
	    {"https:/a", NULL},
	    {"https//a", NULL},
	    {"approve.example.org", NULL},
	    {"ftp://a", NULL},
	    {"HTTPS://a", NULL},
	    {"https://A.example.org", NULL},
	    {"https://a/", NULL},
	    {"https://a/path", NULL},
	    {"https://a?x", NULL},
	    {"https://a#x", NULL},
	    {"https://user@a", NULL},
	    {"https://user:pw@a", NULL},
	    {"https://a b", NULL},
	    {" https://a", NULL},
	    {"https://a\n", NULL},
	    {"https://a.", NULL},
	    {"https://.a", NULL},
	    {"https://a..b", NULL},
	    {"https://-a", NULL},
	    {"https://a-", NULL},
	    {"https://a_b", NULL},
	    {"https://b\xc3\xbc"
	     "cher.example",
		NULL},
	    {"https://a" LABEL63 ".org", NULL},
	    {"https://1.2.3", NULL},
	    {"https://256.1.1.1", NULL},
	    {"https://1.2.3.04", NULL},
	    {"https://0x7f000001", "0x7f000001"},
	    {"https://a:", NULL},
	    {"https://a:0", NULL},
	    {"https://a:65536", NULL},
	    {"https://a:08443", NULL},
	    {"https://a:+1", NULL},
	    {"https://a:1 ", NULL},
	    {"https://a:443", NULL}, /* browsers leave it out */
	    {"http://localhost:80", NULL},
	    {"https://localhost:80", "localhost"},
	    {"https://[::1", NULL},
	    {"https://::1", NULL},
	    {"https://[]", NULL},
	    {"https://[0:0:0:0:0:0:0:1]", NULL},
	    {"https://[::1]x", NULL},
	    {"https://[::1]x8443", NULL},
	    {"https://[1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa]",
		NULL},
	    {"https://[fe80::1%eth0]", NULL},
	    /* http for loopback alone */
	    {"http://approve.example.org", NULL},
	    {"http://localhost.example.org", NULL},
	    {"http://127.0.0.1.example.org", NULL},
	    {"http://127.example.org", NULL},
	    {"http://128.0.0.1", NULL},
	    {"http://0.0.0.0", NULL},
	    {"http://[::2]", NULL},
	    {"http://[::ffff:127.0.0.1]", NULL},
	};
	char host[CSIGN_HOST_MAX + 1];

	(void)state;
	for (size_t i = 0; i < N_ROWS(rows); i++) {
		enum csign_err want =
		    rows[i].host == NULL ? CSIGN_E_FORMAT : CSIGN_OK;

		assert_err(rows[i].url, csign_origin_check(rows[i].url), want);
		assert_err(
		    rows[i].url, csign_origin_host(rows[i].url, host), want);
		if (want == CSIGN_OK)
			assert_string_equal(host, rows[i].host);
	}
}

/* The longest host name there is, and one byte more. */
static void
test_origin_length(void **state)
{
	char url[400] = "https://", host[CSIGN_HOST_MAX + 1];

	(void)state;
	for (int i = 0; i < 249; i++)
		url[8 + i] = i % 2 == 0 ? 'a' : '.';
	assert_err("beyond the limit of URLs", csign_origin_check(url),
	    CSIGN_E_FORMAT);
	url[strlen(url) - 2] = '\0';
	assert_ok(csign_origin_host(url, host));
	assert_string_equal(host, url + 8);
}

static void
test_parse_refused(void **state)
{
	static const struct {
		const char *name, *text;
	} rows[] = {
	    {"empty", ""},
	    {"secret alone", "AAAQEAYEAUDAOCAJBIFQYDIOB4"},
	    {"no origin", "/#AAAQEAYEAUDAOCAJBIFQYDIOB4"},
	    {"no slash", "https://a#AAAQEAYEAUDAOCAJBIFQYDIOB4"},
	    {"no slash, but a letter", "https://ab#AAAQEAYEAUDAOCAJBIFQYDIOB4"},
	    {"path", "https://a/x/#AAAQEAYEAUDAOCAJBIFQYDIOB4"},
	    {"query", "https://a/?AAAQEAYEAUDAOCAJBIFQYDIOB4"},
	    {"25 characters", "https://a/#AAAQEAYEAUDAOCAJBIFQYDIOB"},
	    {"27 characters", "https://a/#AAAQEAYEAUDAOCAJBIFQYDIOB4A"},
	    {"lower case", "https://a/#aaaqeayeaudaocajbifqydiob4"},
	    {"padding", "https://a/#AAAQEAYEAUDAOCAJBIFQYDIOB4======"},
	    {"unused bits", "https://a/#AAAQEAYEAUDAOCAJBIFQYDIOB5"},
	    {"0 and 1", "https://a/#0AAQEAYEAUDAOCAJBIFQYDIOB1"},
	    {"more behind", "https://a/#AAAQEAYEAUDAOCAJBIFQYDIOB4 "},
	    {"plain http", "http://a/#AAAQEAYEAUDAOCAJBIFQYDIOB4"},
	    {"other scheme", "javascript://a/#AAAQEAYEAUDAOCAJBIFQYDIOB4"},
	    {"user", "https://a@b/#AAAQEAYEAUDAOCAJBIFQYDIOB4"},
	};
	struct csign_link *link = NULL;
	char *origin = NULL, text[400];

	(void)state;
	for (size_t i = 0; i < N_ROWS(rows); i++)
		assert_err(rows[i].name,
		    csign_link_parse(crypto, rows[i].text, &link, &origin),
		    CSIGN_E_FORMAT);
	memset(text, 'a', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	assert_err("long", csign_link_parse(crypto, text, &link, &origin),
	    CSIGN_E_FORMAT);
	assert_null(link);
	assert_null(origin);
	assert_ok(csign_link_parse(crypto,
	    "HTTP://[::1]:8080/#AAAQEAYEAUDAOCAJBIFQYDIOB4", &link, &origin));
	assert_string_equal(origin, "http://[::1]:8080");
	assert_err("not an origin",
	    csign_link_text(link, "https://a/", false, text), CSIGN_E_INVALID);
	free(origin);
	csign_link_free(&link);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_vector),
	    cmocka_unit_test(test_for_test),
	    cmocka_unit_test(test_fresh),
	    cmocka_unit_test(test_origins),
	    cmocka_unit_test(test_origin_length),
	    cmocka_unit_test(test_parse_refused),
	};

	return cmocka_run_group_tests_name("link", tests, setup, teardown);
}
