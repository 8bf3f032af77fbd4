/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"

#include <malloc.h>

#include "fault.h"

#define LOOP_MAX 1000

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
char *__real_strdup(const char *str);
void __real_free(void *block);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
char *__wrap_strdup(const char *str);
void __wrap_free(void *block);

static struct {
	long left; /* allocations until one fails, -1: never */
	bool hit;
	long live;
	const char *canary;
	unsigned int canaries;
} fault = {.left = -1};

void
fault_alloc(long nth)
{
	fault.left = nth;
	fault.hit = false;
	fault.live = 0;
}

bool
fault_hit(void)
{
	return fault.hit;
}

long
fault_live(void)
{
	return fault.live;
}

void
fault_canary(const char *canary)
{
	fault.canary = canary;
	fault.canaries = 0;
}

unsigned int
fault_canaries(void)
{
	return fault.canaries;
}

void
fault_loop(int (*run)(void))
{
	for (long n = 0; n < LOOP_MAX; n++) {
		enum csign_err r;
		long live;
		bool hit;

		fault_alloc(n);
		r = (enum csign_err)run();
		live = fault_live();
		hit = fault_hit();
		fault_alloc(-1);
		assert_err(
		    "allocation loop", r, hit ? CSIGN_E_NOMEM : CSIGN_OK);
		assert_int_equal(live, 0);
		if (!hit) {
			/* A loop that never failed proves nothing. */
			assert_true(n > 0);
			return;
		}
	}
	fail_msg("still failing after %d runs", LOOP_MAX);
}

static bool
fails_now(void)
{
	if (fault.left < 0)
		return false;
	if (fault.left-- > 0)
		return false;
	fault.hit = true;
	return true;
}

static void *
alive(void *block)
{
	if (block != NULL)
		fault.live++;
	return block;
}

/* New memory holds what was there before: never zeros by luck. */
static void *
used(void *block, size_t size)
{
	if (block != NULL)
		memset(block, 0xa5, size);
	return block;
}

void *
__wrap_malloc(size_t size)
{
	return fails_now() ? NULL : alive(used(__real_malloc(size), size));
}

void *
__wrap_calloc(size_t n, size_t size)
{
	return fails_now() ? NULL : alive(__real_calloc(n, size));
}

char *
__wrap_strdup(const char *str)
{
	return fails_now() ? NULL : alive(__real_strdup(str));
}

void
__wrap_free(void *block)
{
	if (block != NULL) {
		fault.live--;
		if (fault.canary != NULL &&
		    memmem(block, malloc_usable_size(block), fault.canary,
			strlen(fault.canary)) != NULL)
			fault.canaries++;
	}
	__real_free(block);
}
