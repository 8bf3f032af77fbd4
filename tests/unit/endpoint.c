/* SPDX-License-Identifier: BSD-2-Clause */
/* Where phones may be rung (SVC-6), and what push services answer. */
#include "unit.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/un.h>

#include "service/endpoint.h"
#include "service/push_verdict.h"

#define HOSTS "ntfy.example.org push.home:8443 10.0.0.5:9443"

static void
test_allowed(void **state)
{
	static const struct {
		const char *url, *host, *origin;
		uint16_t port;
		bool listed, web_push;
	} rows[] = {
	    {"https://fcm.googleapis.com/fcm/send/abc:def",
		"fcm.googleapis.com", "https://fcm.googleapis.com", 443, false,
		true},
	    {"https://fcm.googleapis.com:443/x", "fcm.googleapis.com",
		"https://fcm.googleapis.com", 443, false, true},
	    {"https://FCM.googleapis.COM/x", "fcm.googleapis.com",
		"https://fcm.googleapis.com", 443, false, true},
	    {"https://updates.push.services.mozilla.com/wpush/v2/g",
		"updates.push.services.mozilla.com",
		"https://updates.push.services.mozilla.com", 443, false, true},
	    {"https://web.push.apple.com/Q", "web.push.apple.com",
		"https://web.push.apple.com", 443, false, true},
	    {"https://wns2-par02p.notify.windows.com/w/?token=B%3d",
		"wns2-par02p.notify.windows.com",
		"https://wns2-par02p.notify.windows.com", 443, false, true},
	    {"https://ntfy.example.org/upABC?up=1", "ntfy.example.org",
		"https://ntfy.example.org", 443, true, false},
	    {"https://push.home:8443/a@b", "push.home",
		"https://push.home:8443", 8443, true, false},
	    {"https://10.0.0.5:9443/", "10.0.0.5", "https://10.0.0.5:9443",
		9443, true, false},
	};

	(void)state;
	for (size_t i = 0; i < N_ROWS(rows); i++) {
		struct endpoint endpoint;

		assert_err(rows[i].url,
		    endpoint_read(rows[i].url, HOSTS, NULL, &endpoint),
		    CSIGN_OK);
		assert_string_equal(endpoint.host, rows[i].host);
		assert_string_equal(endpoint.origin, rows[i].origin);
		assert_int_equal(endpoint.port, rows[i].port);
		assert_int_equal(endpoint.listed, rows[i].listed);
		assert_int_equal(endpoint.web_push, rows[i].web_push);
	}
}

static void
test_refused(void **state)
{
	static const char *const urls[] = {
	    "",
	    "https://",
	    "https:///",
	    "https://fcm.googleapis.com",
	    "http://fcm.googleapis.com/x",
	    "HTTPS://fcm.googleapis.com/x",
	    "https:/fcm.googleapis.com/x",
	    "//fcm.googleapis.com/x",
	    "ftp://fcm.googleapis.com/x",
	    "file:///etc/passwd",
	    "gopher://fcm.googleapis.com/x",
	    /* another host than it looks like */
	    "https://user@fcm.googleapis.com/x",
	    "https://fcm.googleapis.com@127.0.0.1/x",
	    "https://fcm.googleapis.com:x@127.0.0.1/x",
	    "https://127.0.0.1\\@fcm.googleapis.com/x",
	    "https://127.0.0.1#@fcm.googleapis.com/x",
	    "https://127.0.0.1?@fcm.googleapis.com/x",
	    "https://fcm.googleapis.com?x",
	    "https://fcm.googleapis.com#/",
	    "https://fcm.googleapis.com.evil.example/x",
	    "https://fcm.googleapis.com./x",
	    "https://.fcm.googleapis.com/x",
	    "https://evilfcm.googleapis.com/x",
	    "https://fcm..googleapis.com/x",
	    "https://xfcm.googleapis.com/x",
	    "https://a.fcm.googleapis.com/x",
	    "https://evil.example/fcm.googleapis.com/",
	    "https://fcm%2egoogleapis.com/x",
	    "https://fcm.googleapis.com%00/x",
	    "https://\xef\xbd\x86"
	    "cm.googleapis.com/x",
	    /* one label, not none, two or a strange one */
	    "https://push.apple.com/x",
	    "https://.push.apple.com/x",
	    "https://a.b.push.apple.com/x",
	    "https://-a.push.apple.com/x",
	    "https://a-.push.apple.com/x",
	    "https://a_b.push.apple.com/x",
	    "https://*.push.apple.com/x",
	    "https://webpush.apple.com/x",
	    "https://web.push.apple.com.evil.example/x",
	    "https://evil.example/.push.apple.com",
	    "https://notify.windows.com/x",
	    /* ports */
	    "https://fcm.googleapis.com:80/x",
	    "https://fcm.googleapis.com:/x",
	    "https://fcm.googleapis.com:0443/x",
	    "https://fcm.googleapis.com:65979/x",
	    "https://fcm.googleapis.com:443:443/x",
	    "https://fcm.googleapis.com:-1/x",
	    "https://fcm.googleapis.com:+443/x",
	    "https://push.home/x",
	    "https://push.home:443/x",
	    "https://ntfy.example.org:8443/x",
	    "https://10.0.0.5/x",
	    /* this machine and its neighbours, by any name */
	    "https://localhost/x",
	    "https://127.0.0.1/x",
	    "https://127.1/x",
	    "https://2130706433/x",
	    "https://0x7f.0.0.1/x",
	    "https://0/x",
	    "https://0177.0.0.1/x",
	    "https://[::1]/x",
	    "https://[::ffff:127.0.0.1]/x",
	    "https://169.254.169.254/x",
	    "https://10.0.0.1/x",
	    "https://metadata.google.internal/x",
	    /* text */
	    " https://fcm.googleapis.com/x",
	    "https://fcm.googleapis.com/x ",
	    "https://fcm.googleapis.com/a b",
	    "https://fcm.googleapis.com/\r\nX:",
	    "https://fcm.googleapis.com/\t",
	    "https://fcm.googleapis.com/\x7f",
	    "https://fcm.googleapis.com/\xc3\xa4",
	    "https://fcm.googleapis.com/a\"b",
	    "https://fcm.googleapis.com/a\\b",
	    "https://fcm.googleapis.com/a#b",
	    "https://fcm.googleapis.com/{a}",
	};
	struct endpoint endpoint;

	(void)state;
	for (size_t i = 0; i < N_ROWS(urls); i++) {
		struct csign_why why = {""};

		assert_err(urls[i],
		    endpoint_read(urls[i], HOSTS, &why, &endpoint),
		    CSIGN_E_INVALID);
		assert_true(why.text[0] != '\0');
	}
	assert_err("not listed",
	    endpoint_read("https://ntfy.example.org/x", NULL, NULL, &endpoint),
	    CSIGN_E_INVALID);
}

static void
test_long_hosts(void **state)
{
	struct endpoint endpoint;
	char url[600];

	(void)state;
	(void)snprintf(url, sizeof(url), "https://%063d.push.apple.com/", 0);
	assert_err("63", endpoint_read(url, NULL, NULL, &endpoint), CSIGN_OK);
	(void)snprintf(url, sizeof(url), "https://%064d.push.apple.com/", 0);
	assert_err(
	    "64", endpoint_read(url, NULL, NULL, &endpoint), CSIGN_E_INVALID);
	(void)snprintf(url, sizeof(url), "https://%0500d/", 0);
	assert_err(
	    "500", endpoint_read(url, NULL, NULL, &endpoint), CSIGN_E_INVALID);
}

static void
test_words_of_push_hosts(void **state)
{
	static const struct {
		const char *word;
		enum csign_err want;
	} rows[] = {
	    {"ntfy.example.org", CSIGN_OK},
	    {"ntfy.example.org:8443", CSIGN_OK},
	    {"localhost", CSIGN_OK},
	    {"192.0.2.1:1", CSIGN_OK},
	    {"https://ntfy.example.org", CSIGN_E_CONFIG},
	    {"ntfy.example.org/", CSIGN_E_CONFIG},
	    {"ntfy.example.org:", CSIGN_E_CONFIG},
	    {"ntfy.example.org:0", CSIGN_E_CONFIG},
	    {"ntfy.example.org:65536", CSIGN_E_CONFIG},
	    {"*.example.org", CSIGN_E_CONFIG},
	    {"a@b", CSIGN_E_CONFIG},
	    {"[::1]:443", CSIGN_E_CONFIG},
	    {".", CSIGN_E_CONFIG},
	    {"", CSIGN_E_CONFIG},
	};

	(void)state;
	for (size_t i = 0; i < N_ROWS(rows); i++)
		assert_err(rows[i].word,
		    endpoint_host_check(
			rows[i].word, strlen(rows[i].word), NULL),
		    rows[i].want);
}

static bool
is_public(const char *text)
{
	struct sockaddr_in in = {.sin_family = AF_INET};
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6};

	if (inet_pton(AF_INET, text, &in.sin_addr) == 1)
		return endpoint_address_public(
		    (const struct sockaddr *)&in, sizeof(in));
	if (inet_pton(AF_INET6, text, &in6.sin6_addr) != 1)
		fail_msg("%s is no address", text);
	return endpoint_address_public(
	    (const struct sockaddr *)&in6, sizeof(in6));
}

static void
test_addresses(void **state)
{
	static const char *const yes[] = {"8.8.8.8", "1.1.1.1", "9.255.255.255",
	    "11.0.0.0", "100.63.255.255", "100.128.0.0", "126.255.255.255",
	    "128.0.0.0", "169.253.255.255", "169.255.0.0", "172.15.255.255",
	    "172.32.0.0", "192.0.1.0", "192.167.255.255", "192.169.0.0",
	    "198.17.255.255", "198.20.0.0", "223.255.255.255", "142.250.1.1",
	    "2606:4700::1111", "2a00:1450::1", "2001:4860:4860::8888",
	    "2001:200::1", "3fff:ffff::1", "::ffff:8.8.8.8",
	    "64:ff9b::8.8.8.8"};
	static const char *const no[] = {"0.0.0.0", "0.1.2.3", "10.0.0.0",
	    "10.255.255.255", "100.64.0.0", "100.127.255.255", "127.0.0.1",
	    "127.255.255.255", "169.254.0.0", "169.254.169.254", "172.16.0.0",
	    "172.31.255.255", "192.0.0.1", "192.0.0.170", "192.88.99.1",
	    "192.168.0.0", "192.168.255.255", "198.18.0.0", "198.19.255.255",
	    "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255",
	    "::", "::1", "::127.0.0.1", "::8.8.8.8", "::ffff:127.0.0.1",
	    "::ffff:10.1.2.3", "::ffff:0:8.8.8.8", "64:ff9b::127.0.0.1",
	    "64:ff9b::192.168.1.1", "64:ff9b:1::8.8.8.8", "100::1", "2001::1",
	    "2001:0:4136:e378:8000:63bf:3fff:fdd2", "2001:2::1", "2001:10::1",
	    "2001:1ff:ffff::1", "2002:7f00:1::1", "2002:808:808::", "4000::1",
	    "5f00::1", "fc00::1", "fd12:3456::1", "fe80::1", "febf::1",
	    "fec0::1", "ff02::1", "ffff::1"};
	struct sockaddr_un un = {.sun_family = AF_UNIX, .sun_path = "/x"};
	struct sockaddr_in in = {.sin_family = AF_INET};

	(void)state;
	for (size_t i = 0; i < N_ROWS(yes); i++)
		if (!is_public(yes[i]))
			fail_msg("%s is refused", yes[i]);
	for (size_t i = 0; i < N_ROWS(no); i++)
		if (is_public(no[i]))
			fail_msg("%s is called", no[i]);
	assert_false(
	    endpoint_address_public((const struct sockaddr *)&un, sizeof(un)));
	in.sin_addr.s_addr = htonl(0x08080808);
	assert_false(endpoint_address_public((const struct sockaddr *)&in, 4));
}

static void
test_verdicts(void **state)
{
	static const struct {
		int status;
		enum push_verdict want;
	} rows[] = {
	    {200, PUSH_TAKEN},
	    {201, PUSH_TAKEN},
	    {202, PUSH_TAKEN},
	    {204, PUSH_TAKEN},
	    {203, PUSH_REFUSED},
	    {301, PUSH_REFUSED},
	    {302, PUSH_REFUSED},
	    {307, PUSH_REFUSED},
	    {400, PUSH_REFUSED},
	    {401, PUSH_REFUSED},
	    {403, PUSH_REFUSED},
	    {404, PUSH_GONE},
	    {405, PUSH_REFUSED},
	    {410, PUSH_GONE},
	    {413, PUSH_REFUSED},
	    {429, PUSH_LATER},
	    {500, PUSH_LATER},
	    {503, PUSH_LATER},
	    {999, PUSH_LATER},
	    {0, PUSH_LATER},
	};
	struct push_reply reply = {.reason = "no answer"};
	const char *meaning = NULL;

	(void)state;
	for (size_t i = 0; i < N_ROWS(rows); i++) {
		reply.status = rows[i].status;
		if (push_verdict(&reply, &meaning) != rows[i].want)
			fail_msg("%d", rows[i].status);
		assert_true(strlen(meaning) > 0);
	}
	reply.forbidden = true;
	assert_int_equal(push_verdict(&reply, &meaning), PUSH_REFUSED);
}

static void
test_retry_after(void **state)
{
	/* Sun, 06 Nov 1994 08:49:37 GMT */
	const uint64_t then = UINT64_C(784111777000);
	static const struct {
		const char *text;
		int64_t before_ms; /* now is so long before that date */
		int64_t want;      /* -1: it says nothing */
	} rows[] = {
	    {"0", 0, 0},
	    {"1", 0, 1000},
	    {"120", 0, 120000},
	    {"86400", 0, 86400000},
	    {"86401", 0, 86400000},
	    {"99999999999999999999", 0, 86400000},
	    {"1.5", 0, 86400000},
	    {"Sun, 06 Nov 1994 08:49:37 GMT", 30000, 30000},
	    {"Sunday, 06-Nov-94 08:49:37 GMT", 30000, 30000},
	    {"Sun Nov  6 08:49:37 1994", 30000, 30000},
	    {"Sun, 06 Nov 1994 08:49:37 GMT", 0, 0},
	    {"Sun, 06 Nov 1994 08:49:37 GMT", -30000, 0},
	    {"", 0, -1},
	    {"soon", 0, -1},
	    {"-1", 0, -1},
	    {"+1", 0, -1},
	};

	(void)state;
	for (size_t i = 0; i < N_ROWS(rows); i++) {
		uint64_t ms = 0;
		bool got = push_retry_after(rows[i].text,
		    (uint64_t)((int64_t)then - rows[i].before_ms), &ms);

		if (got != (rows[i].want >= 0))
			fail_msg("\"%s\": %d", rows[i].text, got);
		if (got && ms != (uint64_t)rows[i].want)
			fail_msg("\"%s\": %ju ms", rows[i].text, (uintmax_t)ms);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_allowed),
	    cmocka_unit_test(test_refused),
	    cmocka_unit_test(test_long_hosts),
	    cmocka_unit_test(test_words_of_push_hosts),
	    cmocka_unit_test(test_addresses),
	    cmocka_unit_test(test_verdicts),
	    cmocka_unit_test(test_retry_after),
	};

	return cmocka_run_group_tests_name("endpoint", tests, NULL, NULL);
}
