/* SPDX-License-Identifier: BSD-2-Clause */
/* How many connections somebody has, and which of them goes first. */
#include "unit.h"

#include "service/shares.h"

#define MANY 5000

static struct shares *shares;

static int
set_up(void **state)
{
	(void)state;
	return shares_new(&shares) == CSIGN_OK ? 0 : -1;
}

static int
tear_down(void **state)
{
	(void)state;
	shares_free(&shares);
	assert_null(shares);
	return 0;
}

static struct share_owner
owner_of(enum share_kind kind, uint32_t number)
{
	struct share_owner owner = {.kind = kind};

	memcpy(owner.key, &number, sizeof number);
	return owner;
}

static void
join(struct share_member *member, enum share_kind kind, uint32_t number,
    enum share_doing doing)
{
	const struct share_owner owner = owner_of(kind, number);

	assert_ok(shares_join(shares, &owner, doing, member));
}

static void
leave(struct share_member *members, size_t n)
{
	for (size_t i = 0; i < n; i++)
		shares_leave(shares, &members[i]);
}

static void
nobodys_is_not_counted(void **state)
{
	struct share_member member = {.share = NULL};

	(void)state;
	assert_int_equal(shares_count(&member), 0);
	assert_null(shares_owner(&member));
	assert_null(shares_first(&member, SHARE_IDLE));
	shares_do(&member, SHARE_BUSY);
	shares_leave(shares, &member);
	assert_int_equal(shares_count(&member), 0);
}

static void
each_owner_counts_apart(void **state)
{
	static const struct {
		enum share_kind kind;
		uint32_t number;
		size_t count; /* in the end */
	} rows[] = {
	    {SHARE_ADDRESS, 1, 3},
	    {SHARE_ADDRESS, 2, 2},
	    {SHARE_HOST, 1, 1},
	    {SHARE_ADDRESS, 1, 3},
	    {SHARE_ACCOUNT, 1, 1},
	    {SHARE_ADDRESS, 2, 2},
	    {SHARE_ADDRESS, 1, 3},
	};
	struct share_member members[N_ROWS(rows)] = {{.share = NULL}};

	(void)state;
	for (size_t i = 0; i < N_ROWS(rows); i++)
		join(&members[i], rows[i].kind, rows[i].number, SHARE_IDLE);
	for (size_t i = 0; i < N_ROWS(rows); i++) {
		const struct share_owner owner =
		    owner_of(rows[i].kind, rows[i].number);
		const struct share_owner *found = shares_owner(&members[i]);

		assert_int_equal(shares_count(&members[i]), rows[i].count);
		assert_int_equal(found->kind, owner.kind);
		assert_memory_equal(found->key, owner.key, SHARE_KEY_LEN);
	}
	leave(members, N_ROWS(rows));
}

/* All bytes of the key: two networks of 64 bits that differ in the last one. */
static void
the_whole_key_tells_owners_apart(void **state)
{
	struct share_owner owner = {.kind = SHARE_ADDRESS};
	struct share_member members[SHARE_KEY_LEN + 1] = {{.share = NULL}};

	(void)state;
	assert_ok(shares_join(shares, &owner, SHARE_IDLE, &members[0]));
	for (size_t i = 0; i < SHARE_KEY_LEN; i++) {
		owner.key[i] = 1;
		assert_ok(
		    shares_join(shares, &owner, SHARE_IDLE, &members[i + 1]));
		owner.key[i] = 0;
	}
	for (size_t i = 0; i < N_ROWS(members); i++)
		assert_int_equal(shares_count(&members[i]), 1);
	leave(members, N_ROWS(members));
}

static void
leaving_counts_once(void **state)
{
	struct share_member members[2] = {{.share = NULL}};

	(void)state;
	join(&members[0], SHARE_HOST, 7, SHARE_READING);
	join(&members[1], SHARE_HOST, 7, SHARE_READING);
	shares_leave(shares, &members[1]);
	shares_leave(shares, &members[1]);
	assert_int_equal(shares_count(&members[0]), 1);
	/* As a connection does that turns out to be somebody else's. */
	join(&members[1], SHARE_HOST, 8, SHARE_READING);
	assert_int_equal(shares_count(&members[0]), 1);
	assert_int_equal(shares_count(&members[1]), 1);
	leave(members, 2);
}

static void
the_oldest_is_first_and_never_oneself(void **state)
{
	struct share_member m[4] = {{.share = NULL}};
	struct share_member other = {.share = NULL};

	(void)state;
	for (size_t i = 0; i < N_ROWS(m); i++)
		join(&m[i], SHARE_ADDRESS, 1, SHARE_READING);
	join(&other, SHARE_ADDRESS, 2, SHARE_IDLE);
	assert_null(shares_first(&m[0], SHARE_IDLE));
	assert_ptr_equal(shares_first(&m[3], SHARE_READING), &m[0]);
	assert_ptr_equal(shares_first(&m[0], SHARE_READING), &m[1]);
	/* Idle in this order: 2, 0. */
	shares_do(&m[2], SHARE_IDLE);
	shares_do(&m[0], SHARE_IDLE);
	assert_ptr_equal(shares_first(&m[3], SHARE_IDLE), &m[2]);
	assert_ptr_equal(shares_first(&m[2], SHARE_IDLE), &m[0]);
	assert_ptr_equal(shares_first(&m[3], SHARE_READING), &m[1]);
	/* What it does anew begins anew. */
	shares_do(&m[2], SHARE_IDLE);
	assert_ptr_equal(shares_first(&m[3], SHARE_IDLE), &m[0]);
	shares_do(&m[0], SHARE_BUSY);
	shares_leave(shares, &m[2]);
	assert_null(shares_first(&m[3], SHARE_IDLE));
	assert_int_equal(shares_count(&m[3]), 3);
	leave(m, N_ROWS(m));
	leave(&other, 1);
}

static void
many_owners(void **state)
{
	static struct share_member members[2 * MANY];

	(void)state;
	for (uint32_t i = 0; i < 2 * MANY; i++)
		join(&members[i], SHARE_ADDRESS, i % MANY, SHARE_BUSY);
	for (size_t i = 0; i < 2 * MANY; i++)
		assert_int_equal(shares_count(&members[i]), 2);
	leave(members, MANY);
	for (size_t i = MANY; i < 2 * MANY; i++)
		assert_int_equal(shares_count(&members[i]), 1);
	leave(members, 2 * MANY);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(nobodys_is_not_counted),
	    cmocka_unit_test(each_owner_counts_apart),
	    cmocka_unit_test(the_whole_key_tells_owners_apart),
	    cmocka_unit_test(leaving_counts_once),
	    cmocka_unit_test(the_oldest_is_first_and_never_oneself),
	    cmocka_unit_test(many_owners),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
