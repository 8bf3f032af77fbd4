/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>

#include "faults_impl.h"
#include "lot.h"

#define TURNS_MAX 32
#define LIVE_MAX (1U << 16) /* a power of two */

struct faults faults;
bool (*faults_outside)(void);

static struct {
	struct faults_plan plan;
	bool on;
	bool asked; /* by the test, for a call that it plays */
	struct {
		const char *function;
		bool yes;
	} turns[TURNS_MAX]; /* who is interrupted next */
	uint64_t random;
	struct {
		void *block;
		const void *by;
	} live[LIVE_MAX];
} now;

static bool
outside(void)
{
	return !now.on || (faults_outside != NULL && faults_outside());
}

/* --- blocks that are alive ------------------------------------------------ */

static size_t
slot_of(const void *block)
{
	return ((uintptr_t)block >> 4) * UINT64_C(0x9e3779b97f4a7c15) >> 48;
}

static void
born(void *block, const void *by)
{
	size_t i = slot_of(block);

	if (block == NULL || outside())
		return;
	while (now.live[i].block != NULL)
		i = (i + 1) % LIVE_MAX;
	now.live[i].block = block;
	now.live[i].by = by;
	faults.live++;
}

static void
died(const void *block)
{
	size_t i = slot_of(block), hole, home;

	if (block == NULL || faults.live == 0)
		return;
	while (now.live[i].block != block) {
		if (now.live[i].block == NULL)
			return; /* from before, or of another allocator */
		i = (i + 1) % LIVE_MAX;
	}
	faults.live--;
	for (hole = i;;) {
		now.live[hole].block = NULL;
		do {
			i = (i + 1) % LIVE_MAX;
			if (now.live[i].block == NULL)
				return;
			home = slot_of(now.live[i].block);
		} while (hole <= i ? hole < home && home <= i
				   : hole < home || home <= i);
		now.live[hole] = now.live[i];
		hole = i;
	}
}

/* --- who fails ------------------------------------------------------------ */

static void
hit(const char *function, enum faults_class class, const struct way *way,
    unsigned int ways)
{
	if (faults.hits++ == 0) {
		faults.function = function;
		faults.class = class;
		faults.ways = ways;
		faults.how = way->how;
	}
	if (class == FAULTS_MEMORY)
		faults.memory = true;
	else
		faults.other = true;
}

/* Every other call of a function. */
static bool
its_turn(const char *function)
{
	size_t i = 0;

	while (i < TURNS_MAX - 1 && now.turns[i].function != NULL &&
	       strcmp(now.turns[i].function, function) != 0)
		i++;
	now.turns[i].function = function;
	now.turns[i].yes = !now.turns[i].yes;
	return now.turns[i].yes;
}

const struct way *
faults_way(const char *function, enum faults_class class,
    const struct way *ways, unsigned int n)
{
	const struct way *way = NULL;
	unsigned long number;

	if (!now.on || (outside() && !now.asked) ||
	    (now.plan.function != NULL &&
		strcmp(now.plan.function, function) != 0))
		return NULL;
	number = faults.calls++;
	switch (now.plan.mode) {
	case FAULTS_COUNT:
		return NULL;
	case FAULTS_LOT:
		if (lot_draw(&now.random) % now.plan.one_in != 0)
			return NULL;
		way = &ways[lot_draw(&now.random) % n];
		break;
	case FAULTS_EINTR:
		while (way == NULL && n > 0)
			if (ways[--n].error == EINTR)
				way = &ways[n];
		/* Again, as a caller that is right does: then it goes well. */
		if (way == NULL || !its_turn(function))
			return NULL;
		break;
	case FAULTS_KILL:
		if (number == now.plan.at)
			(void)raise(SIGKILL);
		return NULL;
	case FAULTS_NTH:
	case FAULTS_ONLY:
		if (number != now.plan.at)
			return NULL;
		way = &ways[now.plan.way % n];
		break;
	}
	hit(function, class, way, n);
	return way;
}

int
faults_error(const char *function)
{
	static const struct {
		const char *function;
		enum faults_class class;
		struct way ways[3];
		unsigned int n;
	} played[] = {
	    {"clock_gettime", FAULTS_SYSTEM, {E(-1, EINVAL)}, 1},
	    {"poll", FAULTS_SYSTEM, {E(-1, EINTR), E(-1, ENOMEM)}, 2},
	    {"nanosleep", FAULTS_SYSTEM, {E(-1, EINTR)}, 1},
	    {"getpwnam_r", FAULTS_SYSTEM,
		{E(-1, EIO), E(-1, EMFILE), E(-1, ENOMEM)}, 3},
	    {"getpwuid_r", FAULTS_SYSTEM,
		{E(-1, EIO), E(-1, EMFILE), E(-1, ENOMEM)}, 3},
	    {"csign_spawn", FAULTS_SYSTEM, {E(-1, EAGAIN)}, 1},
	};
	static const struct way pam = {-1, EIO, "fails"};
	const struct way *way = NULL;
	size_t i = 0;

	now.asked = true;
	while (i < sizeof(played) / sizeof(played[0]) &&
	       strcmp(played[i].function, function) != 0)
		i++;
	way = i == sizeof(played) / sizeof(played[0])
		  ? faults_way(function, FAULTS_PAM, &pam, 1)
		  : faults_way(played[i].function, played[i].class,
			played[i].ways, played[i].n);
	now.asked = false;
	return way == NULL ? 0 : way->error;
}

void
faults_begin(const struct faults_plan *plan)
{
	memset(&faults, 0, sizeof(faults));
	memset(now.live, 0, sizeof(now.live));
	now.plan = *plan;
	now.random = plan->seed;
	now.on = true;
}

void
faults_end(void)
{
	now.on = false;
	for (size_t i = 0; i < LIVE_MAX && faults.live > 0; i++)
		if (now.live[i].block != NULL)
			faults.leak = now.live[i].by;
}

/* --- memory --------------------------------------------------------------- */

#define MEMORY(type, name, params, args)                                       \
	type __real_##name params;                                             \
	type __wrap_##name params;                                             \
	type __wrap_##name params                                              \
	{                                                                      \
		static const struct way ways[] = {E(0, ENOMEM)};               \
		type block;                                                    \
                                                                               \
		if (faults_way(#name, FAULTS_MEMORY, ways, 1) != NULL) {       \
			errno = ENOMEM;                                        \
			return NULL;                                           \
		}                                                              \
		block = __real_##name args;                                    \
		born(block, __builtin_return_address(0));                      \
		return block;                                                  \
	}

MEMORY(void *, malloc, (size_t size), (size))
MEMORY(void *, calloc, (size_t n, size_t size), (n, size))
MEMORY(char *, strdup, (const char *str), (str))
MEMORY(char *, strndup, (const char *str, size_t n), (str, n))

void *__real_realloc(void *block, size_t size);
void *__wrap_realloc(void *block, size_t size);
void *__wrap_reallocarray(void *block, size_t n, size_t size);
void __real_free(void *block);
void __wrap_free(void *block);
int __wrap_asprintf(char **ret, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
int __wrap___asprintf_chk(char **ret, int flag, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void *
again(const char *function, void *block, size_t size, const void *by)
{
	static const struct way ways[] = {E(0, ENOMEM)};
	void *other;

	if (faults_way(function, FAULTS_MEMORY, ways, 1) != NULL) {
		errno = ENOMEM;
		return NULL;
	}
	died(block);
	other = __real_realloc(block, size);
	born(other, by);
	return other;
}

void *
__wrap_realloc(void *block, size_t size)
{
	return again("realloc", block, size, __builtin_return_address(0));
}

void *
__wrap_reallocarray(void *block, size_t n, size_t size)
{
	return again(
	    "reallocarray", block, n * size, __builtin_return_address(0));
}

void
__wrap_free(void *block)
{
	died(block);
	__real_free(block);
}

static int __attribute__((format(printf, 2, 0)))
print(char **ret, const char *format, va_list ap, const void *by)
{
	static const struct way ways[] = {E(-1, ENOMEM)};
	int n;

	if (faults_way("asprintf", FAULTS_MEMORY, ways, 1) != NULL) {
		errno = ENOMEM;
		return -1;
	}
	n = vasprintf(ret, format, ap);
	if (n >= 0)
		born(*ret, by);
	return n;
}

int
__wrap_asprintf(char **ret, const char *format, ...)
{
	va_list ap;
	int n;

	va_start(ap, format);
	n = print(ret, format, ap, __builtin_return_address(0));
	va_end(ap);
	return n;
}

int
__wrap___asprintf_chk(char **ret, int flag, const char *format, ...)
{
	va_list ap;
	int n;

	(void)flag;
	va_start(ap, format);
	n = print(ret, format, ap, __builtin_return_address(0));
	va_end(ap);
	return n;
}

/*
 * The memory of libcrypto, which says no more than that something failed; what
 * it keeps from one use to the next is not counted.  There is so much of it
 * that it fails only by lot, or where it is asked for.
 */

static bool
crypto_fails(const char *function)
{
	static const struct way ways[] = {E(0, ENOMEM)};

	return (now.plan.mode == FAULTS_ONLY || now.plan.mode == FAULTS_LOT) &&
	       faults_way(function, FAULTS_CRYPTO, ways, 1) != NULL;
}

static void *
crypto_malloc(size_t size, const char *file, int line)
{
	(void)file;
	(void)line;
	if (size == 0 || crypto_fails("CRYPTO_malloc"))
		return NULL;
	return __real_realloc(NULL, size);
}

static void *
crypto_realloc(void *block, size_t size, const char *file, int line)
{
	(void)file;
	(void)line;
	if (size == 0) {
		__real_free(block);
		return NULL;
	}
	return crypto_fails("CRYPTO_malloc") ? NULL
					     : __real_realloc(block, size);
}

static void
crypto_free(void *block, const char *file, int line)
{
	(void)file;
	(void)line;
	__real_free(block);
}

void
faults_own_crypto(void)
{
	if (CRYPTO_set_mem_functions(
		crypto_malloc, crypto_realloc, crypto_free) != 1)
		abort();
}
