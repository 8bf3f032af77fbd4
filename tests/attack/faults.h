/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Calls that fail: every call of the library and the module that can, by the
 * linker's --wrap (faults.wrap) and by libcrypto's own hook for memory.  Which
 * one, and how, is counted, drawn by lot or said by a fuzzer.
 *
 * Only between faults_begin() and faults_end(), and not in what the test plays
 * itself (faults_outside).
 */
#ifndef FAULTS_H
#define FAULTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What is lacking; it decides which PAM code is right. */
enum faults_class {
	FAULTS_MEMORY,  /* memory */
	FAULTS_CRYPTO,  /* libcrypto says no, or something that it never says */
	FAULTS_SYSTEM,  /* files, clock, random, descriptors, processes */
	FAULTS_LIBRARY, /* json-c and qrencode */
	FAULTS_PAM,     /* libpam */
};

enum faults_mode {
	FAULTS_COUNT, /* only counts */
	FAULTS_NTH,   /* call number at fails in way number way */
	FAULTS_ONLY,  /* the same, and in libcrypto's memory, too */
	FAULTS_KILL,  /* at call number at the process is killed */
	FAULTS_LOT,   /* one in one_in fails, by a generator with this seed */
	FAULTS_EINTR, /* whatever a signal can interrupt is, every other time */
};

struct faults_plan {
	enum faults_mode mode;
	unsigned long at;     /* from 0 */
	unsigned int way;     /* below faults.ways */
	const char *function; /* only its calls count; NULL: all */
	uint64_t seed;
	uint32_t one_in;
};

struct faults {
	unsigned long calls; /* that counted */
	unsigned long hits;  /* that failed */
	/* The first that failed: */
	const char *function;
	enum faults_class class;
	unsigned int ways;  /* that it can fail in */
	const char *how;    /* in words */
	bool memory, other; /* classes that were hit: memory, any other */
	long live;          /* blocks that were allocated and not freed */
	const void *leak;   /* who allocated one of them */
};
extern struct faults faults;

/* Before anything in the process uses libcrypto. */
void faults_own_crypto(void);
void faults_begin(const struct faults_plan *plan);
/* live and leak are right from now on; nothing fails any more. */
void faults_end(void);
/*
 * A call that the test plays itself, and its errno, or 0: then it goes well.
 * function: one of faults_host.c, of libpam, or any other name.
 */
int faults_error(const char *function);
/* Is the test itself at work, whose calls go well?  NULL: never. */
extern bool (*faults_outside)(void);

#endif
