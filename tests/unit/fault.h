/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory that runs out, and memory that is given back with a secret in it.
 * A test that uses this has FAULT_FILES among its sources and FAULT_LINK.
 */
#ifndef FAULT_H
#define FAULT_H

#include <stdbool.h>
#include <stddef.h>

/* The nth allocation from now, counted from 0, fails; -1: none does. */
void fault_alloc(long nth);
/* Whether an allocation has failed since fault_alloc(). */
bool fault_hit(void);
/* Blocks that were allocated and not freed since fault_alloc(). */
long fault_live(void);
/* What freed blocks are searched for from now on; NULL: nothing. */
void fault_canary(const char *canary);
/* How many had it. */
unsigned int fault_canaries(void);

/*
 * Calls run with the first, second, third ... allocation failing, until one
 * run completes without.  run returns what the function under test returned:
 * it must be CSIGN_E_NOMEM whenever an allocation failed, and free all.
 */
void fault_loop(int (*run)(void));

#endif
