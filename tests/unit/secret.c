/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"

#include <errno.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/types.h>

#include "fault.h"
#include "secret.h"

#define CANARY "canary-in-a-secret"

void *__real_mmap(
    void *at, size_t len, int prot, int flags, int fd, off_t offset);
void *__wrap_mmap(
    void *at, size_t len, int prot, int flags, int fd, off_t offset);
int __real_munmap(void *at, size_t len);
int __wrap_munmap(void *at, size_t len);
int __wrap_mlock(const void *at, size_t len);
int __real_madvise(void *at, size_t len, int advice);
int __wrap_madvise(void *at, size_t len, int advice);
ssize_t __real_getrandom(void *bytes, size_t len, unsigned int flags);
ssize_t __wrap_getrandom(void *bytes, size_t len, unsigned int flags);

static struct {
	bool mmap_fails;
	int maps; /* now */
	size_t locked;
	size_t not_dumped;
	bool unmapped_dirty;
	/* Calls of getrandom() until one goes wrong, -1: none does. */
	int random_left;
	int random_errno;        /* 0: it is short by a byte instead */
	unsigned int interrupts; /* calls that are interrupted first */
} fake;

void *
__wrap_mmap(void *at, size_t len, int prot, int flags, int fd, off_t offset)
{
	if (fake.mmap_fails) {
		errno = ENOMEM;
		return MAP_FAILED;
	}
	fake.maps++;
	return __real_mmap(at, len, prot, flags, fd, offset);
}

int
__wrap_munmap(void *at, size_t len)
{
	const unsigned char *bytes = at;

	for (size_t i = 0; i < len; i++)
		fake.unmapped_dirty |= bytes[i] != 0;
	fake.maps--;
	return __real_munmap(at, len);
}

/* As in a process with a small RLIMIT_MEMLOCK. */
int
__wrap_mlock(const void *at, size_t len)
{
	(void)at;
	fake.locked = len;
	errno = ENOMEM;
	return -1;
}

int
__wrap_madvise(void *at, size_t len, int advice)
{
	if (advice == MADV_DONTDUMP)
		fake.not_dumped = len;
	return __real_madvise(at, len, advice);
}

ssize_t
__wrap_getrandom(void *bytes, size_t len, unsigned int flags)
{
	/* Neither GRND_NONBLOCK nor GRND_RANDOM. */
	assert_int_equal(flags, 0);
	if (fake.interrupts > 0) {
		fake.interrupts--;
		errno = EINTR;
		return -1;
	}
	if (fake.random_left >= 0 && fake.random_left-- == 0) {
		if (fake.random_errno == 0)
			return __real_getrandom(bytes, len - 1, flags);
		errno = fake.random_errno;
		return -1;
	}
	return __real_getrandom(bytes, len, flags);
}

static int
reset(void **state)
{
	(void)state;
	memset(&fake, 0, sizeof(fake));
	fake.random_left = -1;
	fault_alloc(-1);
	fault_canary(NULL);
	return 0;
}

static void
capacity_has_bounds(void **state)
{
	static const struct {
		size_t capacity;
		enum csign_err want;
	} rows[] = {{0, CSIGN_E_INVALID}, {1, CSIGN_OK}, {16, CSIGN_OK},
	    {65536, CSIGN_OK}, {65537, CSIGN_E_INVALID},
	    {SIZE_MAX, CSIGN_E_INVALID}};

	(void)state;
	for (size_t i = 0; i < N_ROWS(rows); i++) {
		struct csign_secret *secret = NULL;

		assert_err("capacity",
		    csign_secret_new(rows[i].capacity, &secret), rows[i].want);
		assert_int_equal(secret != NULL, rows[i].want == CSIGN_OK);
		if (secret == NULL)
			continue;
		assert_int_equal(
		    csign_secret_capacity(secret), rows[i].capacity);
		for (size_t j = 0; j < rows[i].capacity; j++)
			assert_int_equal(csign_secret_data(secret)[j], 0);
		csign_secret_free(&secret);
		assert_null(secret);
	}
}

static void
free_wipes_the_whole_capacity(void **state)
{
	struct csign_secret *secret = NULL;

	(void)state;
	assert_ok(csign_secret_new(5000, &secret));
	memset(csign_secret_data(secret), 0xa5, 5000);
	csign_secret_free(&secret);
	assert_int_equal(fake.maps, 0);
	assert_false(fake.unmapped_dirty);
	csign_secret_free(&secret);
	csign_secret_free(NULL);
}

static void
is_locked_and_not_dumped(void **state)
{
	struct csign_secret *secret = NULL;

	(void)state;
	/* The lock fails here, and that is no error. */
	assert_ok(csign_secret_new(16, &secret));
	assert_int_equal(fake.locked, 16);
	assert_int_equal(fake.not_dumped, 16);
	csign_secret_free(&secret);
}

static int
new_and_free(void)
{
	struct csign_secret *secret = NULL;
	enum csign_err r = csign_secret_new(16, &secret);

	csign_secret_free(&secret);
	return (int)r;
}

static void
no_memory_is_an_error(void **state)
{
	(void)state;
	fault_loop(new_and_free);
	assert_int_equal(fake.maps, 0);
	fake.mmap_fails = true;
	fault_alloc(-1);
	assert_int_equal(new_and_free(), CSIGN_E_NOMEM);
	assert_int_equal(fault_live(), 0);
}

static void
wipe_leaves_zeros(void **state)
{
	unsigned char bytes[] = "xxSECRETxx";

	(void)state;
	csign_wipe(bytes + 2, 6);
	assert_memory_equal(bytes, "xx\0\0\0\0\0\0xx", 10);
	csign_wipe(bytes, 0);
	assert_int_equal(bytes[0], 'x');
	csign_wipe(NULL, 0);
}

static void
wiped_strings_are_freed_empty(void **state)
{
	char *str = strdup("a password with a " CANARY);

	(void)state;
	fault_canary(CANARY);
	csign_wipe_str(&str);
	assert_null(str);
	assert_int_equal(fault_canaries(), 0);
	csign_wipe_str(&str);
	csign_wipe_str(NULL);
	/* And the search would have found it. */
	str = strdup(CANARY);
	free(str);
	assert_int_equal(fault_canaries(), 1);
}

static void
equal_compares_every_byte(void **state)
{
	static const struct {
		const char *a;
		const char *b;
		size_t len;
		bool want;
	} rows[] = {{"", "", 0, true}, {"a", "b", 0, true},
	    {"abc", "abc", 3, true}, {"abc", "abd", 3, false},
	    {"abc", "bbc", 3, false}, {"abc", "abd", 2, true},
	    {"a\0b", "a\0c", 3, false}, {"\x80", "\x00", 1, false}};

	(void)state;
	for (size_t i = 0; i < N_ROWS(rows); i++)
		assert_int_equal(csign_equal(rows[i].a, rows[i].b, rows[i].len),
		    rows[i].want);
	assert_true(csign_equal(NULL, NULL, 0));
}

static void
random_fills_all_of_it(void **state)
{
	static const size_t lens[] = {0, 1, 16, 255, 256, 257, 512, 1000};
	unsigned char seen[1001];

	(void)state;
	for (size_t i = 0; i < N_ROWS(lens); i++) {
		memset(seen, 0, sizeof(seen));
		/* Each byte is other than 0 in one of 16 attempts. */
		for (int n = 0; n < 16; n++) {
			unsigned char bytes[1001] = {0};

			assert_ok(csign_random(bytes, lens[i]));
			for (size_t j = 0; j < sizeof(bytes); j++)
				seen[j] |= bytes[j];
		}
		for (size_t j = 0; j < sizeof(seen); j++)
			assert_int_equal(seen[j] != 0, j < lens[i]);
	}
}

static void
random_trouble_is_an_error(void **state)
{
	static const struct {
		const char *name;
		size_t len;
		int left;
		int errnum;
		unsigned int interrupts;
		enum csign_err want;
	} rows[] = {
	    {"none", 32, 0, ENOSYS, 0, CSIGN_E_RANDOM},
	    {"blocked", 32, 0, EAGAIN, 0, CSIGN_E_RANDOM},
	    {"short", 32, 0, 0, 0, CSIGN_E_RANDOM},
	    {"second chunk", 300, 1, EIO, 0, CSIGN_E_RANDOM},
	    {"short in the second chunk", 300, 1, 0, 0, CSIGN_E_RANDOM},
	    {"interrupted, then fine", 32, -1, 0, 3, CSIGN_OK},
	    {"interrupted, then not", 32, 0, ENOSYS, 3, CSIGN_E_RANDOM},
	};

	(void)state; /* TX-1 */
	for (size_t i = 0; i < N_ROWS(rows); i++) {
		unsigned char bytes[300];
		bool any = false;

		fake.random_left = rows[i].left;
		fake.random_errno = rows[i].errnum;
		fake.interrupts = rows[i].interrupts;
		memset(bytes, 0xa5, sizeof(bytes));
		assert_err(rows[i].name, csign_random(bytes, rows[i].len),
		    rows[i].want);
		assert_int_equal(fake.interrupts, 0);
		for (size_t j = 0; j < rows[i].len; j++)
			any |= bytes[j] != 0;
		/* Nothing half random to be used by mistake. */
		assert_int_equal(any, rows[i].want == CSIGN_OK);
		fake.random_left = -1;
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup(capacity_has_bounds, reset),
	    cmocka_unit_test_setup(free_wipes_the_whole_capacity, reset),
	    cmocka_unit_test_setup(is_locked_and_not_dumped, reset),
	    cmocka_unit_test_setup(no_memory_is_an_error, reset),
	    cmocka_unit_test_setup(wipe_leaves_zeros, reset),
	    cmocka_unit_test_setup(wiped_strings_are_freed_empty, reset),
	    cmocka_unit_test_setup(equal_compares_every_byte, reset),
	    cmocka_unit_test_setup(random_fills_all_of_it, reset),
	    cmocka_unit_test_setup(random_trouble_is_an_error, reset),
	};

	return cmocka_run_group_tests_name("secret", tests, NULL, NULL);
}
