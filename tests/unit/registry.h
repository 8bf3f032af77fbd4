/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A host in the scratch folder with accounts, devices and states, and a system
 * below it that fails, or kills the process, at any step of a change of files.
 * A test that uses this has REGISTRY_FILES among its sources and REGISTRY_LINK.
 */
#ifndef REGISTRY_H
#define REGISTRY_H

#include "unit.h"

#include <sys/types.h>

#include "account.h"
#include "ctx.h"
#include "device.h"
#include "people.h"
#include "request.h"
#include "scratch.h"
#include "state.h"

#define STORE "store"
#define AUDIT "audit.log"

extern struct csign_ctx *registry; /* its context, configured */

/* Fixtures of a group, and of each test: alice and Bob, nobody enrolled. */
int registry_setup(void **state);
int registry_teardown(void **state);
int registry_fresh(void **state);
/* More lines of the configuration. */
void registry_configure(const char *more);
/* Empties state_dir, as a host that was set up again; accounts stay. */
void registry_reinstall(void);

/* The account database: who has uid, NULL for nobody. */
void registry_account(uid_t uid, const char *name);

/* Devices first to first + n - 1 of people.h, none for n = 0. */
void registry_enrol(
    const struct csign_account *account, unsigned first, size_t n);
struct csign_state registry_state(const struct csign_account *account);
void registry_put_state(
    const struct csign_account *account, const struct csign_state *state);
/* Of phones that ring. */
struct csign_limit registry_limit(const struct csign_account *account);
/* Of its rings file. */
struct csign_limit registry_rings(const struct csign_account *account);
void registry_put_limit(
    const struct csign_account *account, const struct csign_limit *limit);
size_t registry_codes_left(const struct csign_account *account);
/* Of device n. */
uint32_t registry_counter(const struct csign_account *account, unsigned n);
void registry_set_counter(
    const struct csign_account *account, unsigned n, uint32_t counter);
/* The ids of its devices in their order, "" for none, between spaces. */
const char *registry_devices(const struct csign_account *account);
/* The id of device n of people.h, 0 to 31. */
const char *registry_id(unsigned n);
bool registry_exists(const char *name);

/* Is that in the newest record of the audit file? */
void assert_audit(const char *needle);
void assert_no_audit(const char *needle); /* in any */

/* --- the system ----------------------------------------------------------- */

struct registry_world {
	int error;  /* of step number at; 0: that step ends the process by: */
	int signal; /* 0: SIGKILL */
	long at;    /* -1: all is well */
	long steps;
	uint64_t wall_ms;    /* 0: the real one */
	uint64_t clock_step; /* the clock jumps so far at each look; 0: real */
	uint64_t boot_ms;    /* where it stands; 0: real, or jumps */
	const char *boot_id; /* NULL: the real one; "": there is none */
	bool no_random;
};
extern struct registry_world world;

/*
 * Runs change in a process that is killed at its first, second, third ... step
 * until one run survives; before each prepare(), after each check(killed).  A
 * step is a file opened for writing, a mode, a write, a sync, a rename, a
 * removal.
 */
void registry_crash(
    void (*prepare)(void), void (*change)(void), void (*check)(bool killed));
/* The same with each step failing as on a disk that is full, read-only, ill. */
void registry_fail(void (*prepare)(void), enum csign_err (*change)(void),
    void (*check)(enum csign_err r, bool failed));

#define TEST(f) cmocka_unit_test_setup(f, registry_fresh)

#endif
