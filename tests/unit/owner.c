/* SPDX-License-Identifier: BSD-2-Clause */
/* Whose a connection is, and how many somebody may have. */
#include "unit.h"

#include <arpa/inet.h>

#include "service/owner.h"

/* --- doubles -------------------------------------------------------------- */

static bool has_room;
static struct share_owner claimed;
static unsigned n_refusals;

bool
http_belongs(struct http_conn *conn, const struct share_owner *owner)
{
	(void)conn;
	claimed = *owner;
	return has_room;
}

void
call_no_room(struct call *call)
{
	(void)call;
	n_refusals++;
}

uint64_t
call_boot_now(void)
{
	return 0;
}

/* --- whose ---------------------------------------------------------------- */

static struct http_peer
peer_at(const char *text)
{
	struct http_peer peer = {.local = false};

	if (strcmp(text, "unix") == 0) {
		peer.local = true;
	} else if (inet_pton(AF_INET6, text, &peer.address) != 1) {
		peer.address.s6_addr[10] = peer.address.s6_addr[11] = 0xff;
		assert_int_equal(
		    inet_pton(AF_INET, text, &peer.address.s6_addr[12]), 1);
	}
	return peer;
}

static bool
find_owner(const char *proxies, const char *address, uid_t uid,
    struct share_owner *owner)
{
	struct service *service = test_calloc(1, sizeof *service);
	struct http_peer peer = peer_at(address);
	struct csign_why why;
	bool found;

	peer.uid = uid;
	assert_ok(proxies_parse(proxies, &why, &service->proxies));
	memset(owner, 0, sizeof *owner);
	found = owner_of_peer(service, &peer, owner);
	test_free(service);
	return found;
}

static void
test_same_owner(void **state)
{
	static const struct {
		const char *one, *other;
		uid_t uid, other_uid;
		bool same;
	} rows[] = {
	    {"192.0.2.1", "192.0.2.1", 0, 0, true},
	    {"192.0.2.1", "192.0.2.2", 0, 0, false},
	    {"2001:db8::1", "2001:db8::ffff:ffff:ffff:ffff", 0, 0, true},
	    {"2001:db8::1", "2001:db8:0:1::1", 0, 0, false},
	    {"192.0.2.1", "2001:db8::1", 0, 0, false},
	    {"::1", "unix", 0, 0, false},
	    {"unix", "unix", 1000, 1000, true},
	    {"unix", "unix", 1000, 1001, false},
	};

	(void)state;
	for (size_t i = 0; i < N_ROWS(rows); i++) {
		struct share_owner a, b;
		bool same;

		assert_true(find_owner(NULL, rows[i].one, rows[i].uid, &a));
		assert_true(
		    find_owner(NULL, rows[i].other, rows[i].other_uid, &b));
		same = a.kind == b.kind &&
		       memcmp(a.key, b.key, SHARE_KEY_LEN) == 0;
		if (same != rows[i].same)
			fail_msg("%s and %s", rows[i].one, rows[i].other);
	}
}

static void
test_trusted_proxies_are_nobodys(void **state)
{
	static const struct {
		const char *proxies, *address;
		bool owned;
	} rows[] = {
	    {"192.0.2.1", "192.0.2.1", false},
	    {"192.0.2.1", "192.0.2.2", true},
	    {"10.0.0.0/8", "10.1.2.3", false},
	    {"2001:db8::/32", "2001:db8:1::1", false},
	    {"2001:db8::/32", "2001:db9::1", true},
	    {"unix", "unix", false},
	    {"192.0.2.1", "unix", true},
	    {"unix", "192.0.2.1", true},
	};

	(void)state;
	for (size_t i = 0; i < N_ROWS(rows); i++) {
		struct share_owner owner;

		if (find_owner(rows[i].proxies, rows[i].address, 5, &owner) !=
		    rows[i].owned)
			fail_msg(
			    "%s among %s", rows[i].address, rows[i].proxies);
	}
}

static void
test_a_host_is_asked_for_and_refused(void **state)
{
	struct service *service = test_calloc(1, sizeof *service);
	struct call call = {.service = service};
	struct share_owner first;

	(void)state;
	assert_ok(rate_new(1, &service->log_rate));
	has_room = true;
	n_refusals = 0;
	assert_true(owner_is_host(&call, 1));
	first = claimed;
	assert_int_equal(first.kind, SHARE_HOST);
	assert_true(owner_is_host(&call, INT64_C(1) << 40 | 1));
	assert_memory_not_equal(first.key, claimed.key, SHARE_KEY_LEN);
	assert_int_equal(n_refusals, 0);
	has_room = false;
	assert_false(owner_is_host(&call, 1));
	assert_int_equal(n_refusals, 1);
	rate_free(&service->log_rate);
	test_free(service);
}

/* --- how many ------------------------------------------------------------- */

static void
test_shares(void **state)
{
	static const struct {
		uint32_t all, address, pending;
		size_t of_address, of_host;
	} rows[] = {
	    {16384, 0, 50, 2048, 164},
	    {16384, 100, 1, 100, 66},
	    {512, 0, 50, 64, 164},
	    {520, 0, 50, 65, 164},
	    {16, 0, 50, 64, 164},
	    {16, 8, 10000, 8, 20064},
	    {25000, 1000000, 1000000, 1000000, 2000064},
	};

	(void)state;
	for (size_t i = 0; i < N_ROWS(rows); i++) {
		const struct settings settings = {
		    .max_connections = rows[i].all,
		    .max_connections_address = rows[i].address,
		    .max_pending_host = rows[i].pending,
		};

		assert_int_equal(
		    owner_share(&settings, SHARE_ADDRESS), rows[i].of_address);
		assert_int_equal(
		    owner_share(&settings, SHARE_ACCOUNT), rows[i].of_address);
		assert_int_equal(
		    owner_share(&settings, SHARE_HOST), rows[i].of_host);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_same_owner),
	    cmocka_unit_test(test_trusted_proxies_are_nobodys),
	    cmocka_unit_test(test_a_host_is_asked_for_and_refused),
	    cmocka_unit_test(test_shares),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
