/* SPDX-License-Identifier: BSD-2-Clause */
/* SVC-8: how often the service rings a phone, and which phones that are. */
#include "unit.h"

#include "scratch.h"
#include "service/store.h"

#define SHORT_MAX 6
#define LONG_MAX 30
#define ALL_SHORT_MAX 12
#define ALL_LONG_MAX 100
#define SECOND UINT64_C(1000)
#define MINUTE (60 * SECOND)
#define HOUR (60 * MINUTE)
#define START (UINT64_C(1800000000) * SECOND)
#define ENDPOINT "https://updates.push.services.mozilla.com/wpush/"

/* A phone is its cookie: 32 times this byte. */
enum phone { ALICES = 'a', ALICES_TABLET, BOBS, STRANGERS };

static struct store *store;
static struct host host, other;

static const unsigned char *
cookie(enum phone phone)
{
	static unsigned char hash[STORE_HASH_LEN];

	memset(hash, (int)phone, sizeof hash);
	return hash;
}

static const char *
device(enum phone phone)
{
	static char id[CSIGN_DEVICE_ID_SIZE];

	memset(id, (int)phone, sizeof id - 1);
	return id;
}

static void
open_store(void)
{
	struct csign_why why = {""};

	if (store_open(scratch("db"), STORE_SERVE, &why, &store) != CSIGN_OK)
		fail_msg("%s", why.text);
}

static void
reopen(void)
{
	store_close(&store);
	open_store();
}

static void
add_host(const char *name, struct host *ret_host)
{
	unsigned char hash[STORE_HASH_LEN] = {0};

	memcpy(hash, name, strlen(name));
	assert_ok(store_host_add(store, name, NULL, RIGHTS_ALL, hash, START));
	assert_ok(store_host_by_name(store, name, ret_host));
}

/* A question's secrets, each another. */
static struct question
question(const struct host *asks, const char *username,
    char link_id[CSIGN_LINK_ID_SIZE], unsigned char token_hash[STORE_HASH_LEN])
{
	static unsigned count;
	const struct question q = {
	    .kind = KIND_APPROVAL,
	    .host = asks,
	    .username = username,
	    .link_id = link_id,
	    .content = "AAAA",
	    .created = START + count,
	    .ends = START + HOUR,
	    .max_host = 100,
	    .max_user = 100,
	};

	count++;
	(void)snprintf(link_id, CSIGN_LINK_ID_SIZE, "%022u", count);
	memset(token_hash, 0, STORE_HASH_LEN);
	memcpy(token_hash, &count, sizeof count);
	return q;
}

static void
change(struct approval *approval, enum approval_state state,
    enum approval_event event, const struct change *what)
{
	approval->state = state;
	approval->event = event;
	approval->sequence++;
	assert_ok(store_approval_change(store, approval, what, START));
}

static void
enrol(const struct host *asks, const char *username, enum phone phone,
    enum phone cookie_of)
{
	const struct change nothing = {NULL, NULL};
	const struct change granted = {.device_id = device(phone)};
	struct claim claim = {.device_id = device(phone), .name = "a phone"};
	unsigned char token_hash[STORE_HASH_LEN];
	char link_id[CSIGN_LINK_ID_SIZE];
	struct question q = question(asks, username, link_id, token_hash);
	char user_id[STORE_ID_SIZE] = "user-";
	struct creation creation;
	struct approval approval;
	struct user user;

	memcpy(user_id + 5, device(phone), CSIGN_DEVICE_ID_SIZE);
	assert_ok(store_user_ensure(
	    store, asks->space, username, user_id, START, &user));
	q.kind = KIND_ENROLMENT;
	q.user = &user;
	assert_ok(store_approval_create(store, &q, token_hash, &creation));
	assert_ok(store_approval_by_id(store, creation.id, &approval));
	memcpy(claim.cookie_hash, cookie(cookie_of), STORE_HASH_LEN);
	assert_ok(store_claim_put(store, &approval, &claim, START));
	change(&approval, STATE_ANSWERED, EVENT_ANSWERED, &nothing);
	change(&approval, STATE_GRANTED, EVENT_GRANTED, &granted);
}

static void
subscribe(enum phone phone, const char *endpoint)
{
	struct subscription s = {.created = START, .p256dh = "", .auth = ""};

	memcpy(s.cookie_hash, cookie(phone), STORE_HASH_LEN);
	(void)snprintf(s.endpoint, sizeof s.endpoint, "%s", endpoint);
	assert_ok(store_subscription_put(store, &s));
}

/* Two phones of Alice's and one of Bob's at a host, a stranger's elsewhere. */
static int
fresh(void **state)
{
	if (scratch_empty(state) != 0)
		return -1;
	open_store();
	add_host("web1", &host);
	add_host("web2", &other);
	enrol(&host, "alice", ALICES, ALICES);
	enrol(&host, "alice", ALICES_TABLET, ALICES_TABLET);
	enrol(&host, "bob", BOBS, BOBS);
	enrol(&other, "alice", STRANGERS, STRANGERS);
	subscribe(ALICES, ENDPOINT "alice");
	subscribe(BOBS, ENDPOINT "bob");
	return 0;
}

static int
done(void **state)
{
	(void)state;
	store_close(&store);
	return 0;
}

static enum csign_err
take_turn(enum phone phone, const struct host *asks, const char *username,
    uint64_t now, bool notice)
{
	static const struct ring_budget budget = {
	    SHORT_MAX, LONG_MAX, ALL_SHORT_MAX, ALL_LONG_MAX};
	const struct ring_turn turn = {
	    cookie(phone), asks->id, username, now, notice};

	return store_ring_take(store, &turn, &budget);
}

static enum csign_err
take(enum phone phone, const struct host *asks, const char *username,
    uint64_t now)
{
	return take_turn(phone, asks, username, now, false);
}

static void
take_n(unsigned n, uint64_t now)
{
	while (n-- > 0)
		assert_ok(take(ALICES, &host, "alice", now));
}

static void
assert_full(uint64_t now)
{
	assert_err("full", take(ALICES, &host, "alice", now), CSIGN_E_LIMIT);
}

/* --- budgets -------------------------------------------------------------- */

static void
six_in_ten_minutes(void **state)
{
	(void)state;
	take_n(1, START);
	take_n(5, START + MINUTE);
	assert_full(START + MINUTE);
	assert_full(START + 10 * MINUTE - 1);
	take_n(1, START + 10 * MINUTE);
	assert_full(START + 10 * MINUTE);
	take_n(5, START + 11 * MINUTE);
	assert_full(START + 11 * MINUTE);
}

static void
thirty_in_a_day(void **state)
{
	unsigned i;

	(void)state;
	for (i = 0; i < 5; i++)
		take_n(6, START + i * HOUR);
	assert_full(START + 5 * HOUR);
	assert_full(START + 24 * HOUR - 1);
	take_n(6, START + 24 * HOUR);
	assert_full(START + 24 * HOUR + 11 * MINUTE);
}

static void
a_restart_forgets_nothing(void **state)
{
	(void)state;
	take_n(3, START);
	reopen();
	take_n(3, START + MINUTE);
	reopen();
	assert_full(START + 2 * MINUTE);
	assert_ok(store_rings_expire(store, START + 2 * MINUTE));
	assert_full(START + 2 * MINUTE);
	take_n(3, START + 10 * MINUTE);
}

static void
what_was_refused_does_not_count(void **state)
{
	unsigned i;

	(void)state;
	take_n(6, START);
	for (i = 0; i < 50; i++)
		assert_full(START + MINUTE);
	take_n(6, START + 10 * MINUTE);
}

static void
the_budget_is_over_all_hosts(void **state)
{
	(void)state;
	take_n(3, START);
	assert_ok(take(ALICES, &other, "alice", START));
	assert_ok(take(ALICES, &other, "root", START));
	assert_ok(take(ALICES, &host, "root", START));
	assert_err("host", take(ALICES, &other, "x", START), CSIGN_E_LIMIT);
	assert_full(START);
}

static void
phones_have_their_own(void **state)
{
	(void)state;
	take_n(6, START);
	assert_ok(take(ALICES_TABLET, &host, "alice", START));
	assert_ok(take(BOBS, &host, "bob", START));
}

static void
one_endpoint_of_two_cookies(void **state)
{
	unsigned i;

	(void)state;
	/* A browser that lost its cookie and kept what it subscribed to. */
	subscribe(ALICES_TABLET, ENDPOINT "alice");
	take_n(3, START);
	for (i = 0; i < 3; i++)
		assert_ok(take(ALICES_TABLET, &host, "alice", START));
	assert_full(START);
	assert_err(
	    "other", take(ALICES_TABLET, &host, "alice", START), CSIGN_E_LIMIT);
	/* Another endpoint is no way around what the phone had. */
	subscribe(ALICES, ENDPOINT "other");
	take_n(3, START);
	assert_full(START);
}

static void
without_a_subscription_a_phone_counts_as_well(void **state)
{
	unsigned i;

	(void)state;
	for (i = 0; i < 6; i++)
		assert_ok(take(ALICES_TABLET, &host, "alice", START));
	assert_err("command", take(ALICES_TABLET, &host, "alice", START),
	    CSIGN_E_LIMIT);
}

static void
success_forgets_those_of_its_user_and_host(void **state)
{
	(void)state;
	take_n(4, START);
	assert_ok(take(ALICES, &host, "root", START));
	assert_ok(take(ALICES, &other, "alice", START));
	assert_full(START);
	assert_ok(store_rings_forgive(store, host.id, "alice"));
	take_n(4, START);
	assert_full(START);
	assert_ok(store_rings_forgive(store, other.id, "root"));
	assert_ok(store_rings_forgive(store, host.id, "bob"));
	assert_full(START);
}

/* The host that asks says itself that somebody got in. */
static void
what_is_forgiven_has_a_limit(void **state)
{
	uint64_t now = START;
	unsigned i;

	(void)state;
	for (i = 0; i < ALL_SHORT_MAX; i++) {
		take_n(1, START);
		assert_ok(store_rings_forgive(store, host.id, "alice"));
	}
	assert_full(START);
	for (; i < ALL_LONG_MAX; i++) {
		now = START + i * 10 * MINUTE;
		take_n(1, now);
		assert_ok(store_rings_forgive(store, host.id, "alice"));
	}
	assert_full(now + 10 * MINUTE);
}

static void
notices_count_among_all(void **state)
{
	unsigned i;

	(void)state;
	take_n(SHORT_MAX, START);
	for (i = SHORT_MAX; i < ALL_SHORT_MAX; i++)
		assert_ok(take_turn(ALICES, &host, "alice", START, true));
	assert_err("notice", take_turn(ALICES, &host, "alice", START, true),
	    CSIGN_E_LIMIT);
	assert_ok(store_rings_forgive(store, host.id, "alice"));
	assert_full(START);
	assert_ok(take(ALICES_TABLET, &host, "alice", START));
}

static void
a_clock_that_is_put_back(void **state)
{
	(void)state;
	take_n(6, START + 48 * HOUR);
	/* What was is not undone by it, and does not last for days. */
	assert_full(START);
	assert_ok(store_rings_expire(store, START));
	assert_full(START + 10 * MINUTE - 1);
	take_n(6, START + 10 * MINUTE);
}

static void
a_removed_host_takes_its_rings_along(void **state)
{
	(void)state;
	take_n(6, START);
	assert_ok(store_host_remove(store, "web1"));
	assert_ok(take(ALICES, &other, "alice", START));
}

/* --- who is rung ---------------------------------------------------------- */

struct seen {
	unsigned n;
	char phones[CSIGN_DEVICES_MAX + 1];
	char devices[CSIGN_DEVICES_MAX + 1];
};

static void
see(void *arg, const struct subscription *subscription)
{
	struct seen *seen = arg;

	seen->devices[seen->n] = subscription->device_id[0];
	seen->phones[seen->n++] = (char)subscription->cookie_hash[0];
	/* It may use the store. */
	assert_ok(store_rings_expire(store, START));
}

static void
see_phone(void *arg, const unsigned char cookie_hash[STORE_HASH_LEN])
{
	struct seen *seen = arg;

	seen->phones[seen->n++] = (char)cookie_hash[0];
	assert_ok(store_rings_expire(store, START));
}

/* A question of web1 to alice with a copy for each of these. */
static struct approval
ring(const char *phones, uint32_t kept)
{
	struct copy copies[CSIGN_DEVICES_MAX];
	char ids[CSIGN_DEVICES_MAX][CSIGN_DEVICE_ID_SIZE];
	unsigned char token_hash[STORE_HASH_LEN];
	char link_id[CSIGN_LINK_ID_SIZE];
	struct question q = question(&host, "alice", link_id, token_hash);
	struct creation creation;
	struct approval approval;
	size_t i;

	for (i = 0; phones[i] != '\0'; i++) {
		memcpy(ids[i], device((enum phone)phones[i]), sizeof ids[i]);
		copies[i].device_id = ids[i];
		copies[i].sealed = "BBBB";
	}
	q.copies = copies;
	q.n_copies = i;
	assert_ok(store_approval_create(store, &q, token_hash, &creation));
	assert_int_equal(creation.copies, kept);
	assert_ok(store_approval_by_id(store, creation.id, &approval));
	assert_string_equal(approval.username, "alice");
	return approval;
}

static void
assert_rings(const struct approval *approval, const char *who)
{
	struct seen seen = {.n = 0};

	assert_ok(store_subscription_each(store, approval->id, see, &seen));
	assert_string_equal(seen.phones, who);
}

/* Who hears that this device gave a grant. */
static void
assert_others(const char *device_id, const char *who)
{
	struct seen seen = {.n = 0};

	assert_ok(store_subscription_others(
	    store, host.space, device_id, see, &seen));
	assert_string_equal(seen.phones, who);
}

static void
phones_that_have_a_copy_and_a_subscription(void **state)
{
	struct approval approval = ring("abcd", 2);
	struct seen seen = {.n = 0};

	(void)state;
	assert_rings(&approval, "a");
	subscribe(ALICES_TABLET, ENDPOINT "tablet");
	assert_rings(&approval, "ab");
	assert_ok(store_inbox_phones(store, approval.id, see_phone, &seen));
	assert_string_equal(seen.phones, "ab");
	approval = ring("b", 1);
	assert_rings(&approval, "b");
	approval = ring("", 0);
	assert_rings(&approval, "");
}

/* Whether there was a copy for them or not. */
static void
all_but_the_one_that_gave_the_grant(void **state)
{
	(void)state;
	assert_others(device(ALICES), "");
	assert_others(device(ALICES_TABLET), "a");
	subscribe(ALICES_TABLET, ENDPOINT "tablet");
	assert_others(device(ALICES), "b");
	assert_others(device(ALICES_TABLET), "a");
	assert_others(device(BOBS), "");
	assert_others("no-such-device", "");
}

static void
one_phone_with_two_devices_rings_once(void **state)
{
	struct seen seen = {.n = 0};
	struct approval approval;

	(void)state;
	/* The tablet's device gets the phone's cookie. */
	assert_ok(store_authenticator_remove(
	    store, host.space, device(ALICES_TABLET)));
	enrol(&host, "alice", ALICES_TABLET, ALICES);
	approval = ring("ba", 2);
	assert_ok(store_subscription_each(store, approval.id, see, &seen));
	assert_string_equal(seen.phones, "a");
	assert_string_equal(seen.devices, "a");
	/* Whichever of them gave the grant, it was this phone. */
	assert_others("bbbbbbbbbbbbbbbb", "");
}

static void
a_device_that_is_to_go_is_not_rung(void **state)
{
	struct approval approval = ring("a", 1);

	(void)state;
	assert_ok(store_removal_put(
	    store, cookie(ALICES), device(ALICES), "note", START));
	assert_rings(&approval, "");
	assert_others(device(ALICES_TABLET), "");
	approval = ring("a", 0);
}

static void
only_the_subscription_that_is_gone(void **state)
{
	struct subscription found;

	(void)state;
	assert_ok(
	    store_subscription_drop(store, cookie(ALICES), ENDPOINT "older"));
	assert_ok(store_subscription_get(store, cookie(ALICES), &found));
	assert_string_equal(found.endpoint, ENDPOINT "alice");
	assert_ok(
	    store_subscription_drop(store, cookie(ALICES), ENDPOINT "alice"));
	assert_err("dropped",
	    store_subscription_get(store, cookie(ALICES), &found),
	    CSIGN_E_NOT_FOUND);
	assert_ok(store_subscription_get(store, cookie(BOBS), &found));
}

static void
a_phone_without_devices_has_no_subscription(void **state)
{
	struct subscription found;

	(void)state;
	subscribe((enum phone)'z', ENDPOINT "orphan");
	assert_ok(store_rings_expire(store, START));
	assert_err("orphan",
	    store_subscription_get(store, cookie((enum phone)'z'), &found),
	    CSIGN_E_NOT_FOUND);
	assert_ok(store_subscription_get(store, cookie(ALICES), &found));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, fresh, done)
	    TEST(six_in_ten_minutes),
	    TEST(thirty_in_a_day),
	    TEST(a_restart_forgets_nothing),
	    TEST(what_was_refused_does_not_count),
	    TEST(the_budget_is_over_all_hosts),
	    TEST(phones_have_their_own),
	    TEST(one_endpoint_of_two_cookies),
	    TEST(without_a_subscription_a_phone_counts_as_well),
	    TEST(success_forgets_those_of_its_user_and_host),
	    TEST(what_is_forgiven_has_a_limit),
	    TEST(notices_count_among_all),
	    TEST(a_clock_that_is_put_back),
	    TEST(a_removed_host_takes_its_rings_along),
	    TEST(phones_that_have_a_copy_and_a_subscription),
	    TEST(all_but_the_one_that_gave_the_grant),
	    TEST(one_phone_with_two_devices_rings_once),
	    TEST(a_device_that_is_to_go_is_not_rung),
	    TEST(only_the_subscription_that_is_gone),
	    TEST(a_phone_without_devices_has_no_subscription),
	};

	return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
