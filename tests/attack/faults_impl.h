/* SPDX-License-Identifier: BSD-2-Clause */
/* How a call is wrapped: what the parts of faults.h share. */
#ifndef FAULTS_IMPL_H
#define FAULTS_IMPL_H

#include <errno.h>

#include "faults.h"

/* One way of failing. */
struct way {
	intptr_t result;
	int error; /* 0: errno stays as it is */
	const char *how;
};

/* The way in which this call fails, NULL: it does not. */
const struct way *faults_way(const char *function, enum faults_class class,
    const struct way *ways, unsigned int n);

#define N_WAYS(ways) ((unsigned int)(sizeof(ways) / sizeof((ways)[0])))

/* One that fails by its result, and errno if that is not 0. */
#define WRAP(class, type, name, params, args, ...)                             \
	type __real_##name params;                                             \
	type __wrap_##name params;                                             \
	type __wrap_##name params                                              \
	{                                                                      \
		static const struct way ways[] = {__VA_ARGS__};                \
		const struct way *way =                                        \
		    faults_way(#name, FAULTS_##class, ways, N_WAYS(ways));     \
                                                                               \
		if (way == NULL)                                               \
			return __real_##name args;                             \
		if (way->error != 0)                                           \
			errno = way->error;                                    \
		return (type)way->result;                                      \
	}

#define E(result, error)                                                       \
	{                                                                      \
		result, error, #error                                          \
	}
#define SAYS(result)                                                           \
	{                                                                      \
		result, 0, "says " #result                                     \
	}
#define NO SAYS(0)
/* What libcrypto's functions say, and what they never say. */
#define SAYS_NO                                                                \
	{0, 0, "says 0"}, {-1, 0, "says -1"},                                  \
	{                                                                      \
		2, 0, "says 2"                                                 \
	}
#define SYS(type, name, params, args, ...)                                     \
	WRAP(SYSTEM, type, name, params, args, __VA_ARGS__)
#define SSL(type, name, params, args)                                          \
	WRAP(CRYPTO, type, name, params, args, SAYS_NO)
#define SSL_NEW(type, name, params, args)                                      \
	WRAP(CRYPTO, type *, name, params, args, NO)

#endif
