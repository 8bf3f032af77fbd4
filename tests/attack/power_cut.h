/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A change of files that is cut: how it is made, and what has to hold in each
 * state that a power cut may leave.  power_cut.c makes the states and checks in
 * each what holds for all changes; a change is a table with functions of its
 * own, in power_cut_<what it is about>.c.
 *
 * The host is played.h's, a new one for each change.
 */
#ifndef POWER_CUT_H
#define POWER_CUT_H

#include <stdbool.h>
#include <stddef.h>

#include "countersign.h"
#include "crypto.h"
#include "device.h"
#include "state.h"

struct change {
	const char *name;
	/* Before the recording begins; NULL: nothing. */
	void (*prepare)(void);
	enum csign_err (*make)(void);
	/* Besides what holds for all; last: it was acknowledged. */
	void (*check)(bool last);
	/* Made again, in the state that was left; NULL: it cannot be. */
	enum csign_err (*again)(void);
	enum csign_err may_say; /* again, besides CSIGN_OK */
	/* In the end; NULL: nothing. */
	void (*clean)(void);
	const char *record; /* in the audit file, once it was acknowledged */
	bool may_look_unenrolled;
	bool elsewhere; /* not in the store of the host */
};

/* power_cut_logins.c */
extern const struct change a_login, a_denial, a_login_that_rings,
    a_login_with_evidence;
/* power_cut_recovery.c */
extern const struct change a_recovery_code, new_recovery_codes,
    a_restored_backup;
/* power_cut_devices.c */
extern const struct change a_revocation, a_revocation_of_the_last, a_new_name,
    an_end, a_first_device, a_replaced_device;
/* power_cut_host.c */
extern const struct change a_new_host;

/* --- for their checks ----------------------------------------------------- */

/* Counts, and says, what is wrong; the case fails in the end. */
void ask(bool right, const char *what);
/* Not right is a yes where there should be none. */
void no_grant(bool right, const char *what);
/* In one of a few states, and never where the change is made again: for a
 * check that takes long, or that changes something. */
bool now_and_then(void);
/* A file below host.dir, NUL behind, to be freed; NULL: there is none. */
char *slurp(const char *name, size_t *ret_len);
struct csign_state state_now(void);
/* Does the devices file name it?  NULL: any. */
bool is_listed(const char *device);

/* --- what several of them do (power_cut_steps.c) -------------------------- */

/* Of the device that the change is about. */
extern char id[CSIGN_DEVICE_ID_SIZE];
/* That were made last. */
extern char codes[CSIGN_RECOVERY_CODES][CSIGN_RECOVERY_SIZE];

void id_of(const struct csign_p256 *key, char out[CSIGN_DEVICE_ID_SIZE]);
void one_device(void);  /* host.key's, with this id */
void two_devices(void); /* and host.other_key's, with this id */
/* Two devices and codes, in a state that has had a login. */
void devices_and_codes(void);
void remove_store(void); /* and makes an empty one */
/* A login by the phone with this key. */
enum csign_err login_by(const struct csign_p256 *key, const char *choice);
enum csign_err login(void);
/* A login with a recovery code. */
enum csign_err use(const char *code);
enum csign_err make_codes(void);

#endif
