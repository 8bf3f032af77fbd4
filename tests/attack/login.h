/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One login in one process: the module and the library as they are installed,
 * real files, and three things that are played, because a test must own them:
 *
 *   the program   libpam and its conversation (pam_double.c)
 *   the courier   csign_spawn() gives the script the other end of the socket,
 *                 so there is no process and no thread (courier_double.c)
 *   the time      waiting costs none; whoever waits is given the next moment
 *
 * The phone is the real one of lib/phone.h: it takes the link from what the
 * conversation showed and the content from the JOB frame.  Whether a grant was
 * right is for an oracle (oracle.h) that shares no code with the library.
 *
 * A test links LOGIN_FILES, LOGIN_LIBS and LOGIN_LINK of local.mk.  One login
 * runs in a thread at a time.  A failure to set the stage ends the test with a
 * message; what the product does is never a reason to end.
 */
#ifndef LOGIN_H
#define LOGIN_H

#include <security/pam_modules.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "crypto.h"
#include "frame.h"

struct login;

/* --- the host ------------------------------------------------------------- */

/*
 * Accounts: alice (uid 1001, also called "al") with phones 0 and 1, bob (1002)
 * with phone 2, carol (1003) without any, root (0) without any.  All phones are
 * of kind p256 and have a seal key.
 */
#define LOGIN_ALICE_PHONES 2
enum login_phone {
	LOGIN_PHONE_1,        /* alice's */
	LOGIN_PHONE_2,        /* alice's */
	LOGIN_PHONE_BOB,      /* enrolled, for bob */
	LOGIN_PHONE_STRANGER, /* not enrolled */
	LOGIN_PHONES,
};

/*
 * Makes a folder that the library trusts (in memory, where that is allowed),
 * and in it configuration, store, devices and recovery codes.
 */
struct login *login_open(void);
void login_close(struct login **l);
/*
 * More lines of the configuration, instead of the ones before; "" for none.
 * The host is web1 unless one of them says otherwise.
 */
void login_configure(struct login *l, const char *more);
/* Of the configuration file, for the module's option config=. */
const char *login_config_option(const struct login *l);
/* A file of the host, by its path under the folder: "state/devices/alice". */
void login_put(
    struct login *l, const char *name, const void *bytes, size_t len);
/* Its bytes, malloc(3)ed, with a NUL behind; NULL if there is none. */
char *login_get(const struct login *l, const char *name, size_t *ret_len);
void login_path(
    const struct login *l, const char *name, char *out, size_t size);
#define LOGIN_DEVICES "store/devices/alice"
#define LOGIN_STATE "store/state/1001"
#define LOGIN_RINGS "store/state/1001.rings"
#define LOGIN_AUDIT "audit.log"
#define LOGIN_CONFIG "countersign.conf"
/* All files as login_open() made them; login_run() does that itself first. */
void login_reset(struct login *l);
/* From now on login_run() leaves files as they are. */
void login_keep_files(struct login *l, bool keep);
/* Recovery code number n of alice, 0 to CSIGN_RECOVERY_CODES - 1. */
const char *login_recovery_code(const struct login *l, size_t n);
struct csign_crypto *login_crypto(struct login *l);
/*
 * For very many logins: all of them use one library context of OpenSSL, which
 * takes longer to make than everything else together.
 */
void login_share_crypto(struct login *l, bool share);
const struct csign_p256 *login_key(
    const struct login *l, enum login_phone phone);
const struct csign_p256 *login_seal_key(
    const struct login *l, enum login_phone phone);

/* --- the script ----------------------------------------------------------- */

#define LOGIN_NEVER UINT32_MAX

enum login_moment {
	LOGIN_STARTED, /* the courier was started; its job is login_job() */
	LOGIN_WAITS,   /* the library waits, and nothing is there to be read */
	LOGIN_FREED,   /* the login is over; whatever is sent now is unheard */
};

struct login_script {
	/* the program; NULL is an item that is not set */
	const char *service, *user, *tty, *rhost, *ruser;
	const char *const *env;     /* "NAME=value", and NULL; or NULL */
	const char *const *command; /* of sudo or su, and NULL; or NULL */
	int flags;
	/* options of the module, and NULL; NULL: config= alone */
	const char *const *args;
	bool no_conversation;
	int again; /* so many more calls with the same handle */
	/* Called when all is as login_open() made it, to change that. */
	void (*prepare)(void *arg, struct login *l);
	/* Called in place of pam_sm_authenticate(); what it returns is the
	 * code.  It shows links by login_show(). */
	int (*instead)(void *arg, struct login *l);

	/*
	 * The person.  Returns what the conversation does: PAM_SUCCESS or an
	 * error.  *ret_reply: malloc(3)ed, or left NULL.  talk NULL: a prompt
	 * is answered by an empty line.
	 */
	int (*talk)(void *arg, struct login *l, int style, const char *text,
	    char **ret_reply);
	/*
	 * The courier: sends, or not, and says after how many milliseconds of
	 * waiting it wants to be called again: LOGIN_NEVER.  courier NULL: says
	 * nothing at all.
	 */
	uint32_t (*courier)(
	    void *arg, struct login *l, enum login_moment moment);
	/*
	 * Calls that are played here, and shall fail: an errno, or 0.  They are
	 * pam_get_item, pam_get_user, pam_getenv, pam_set_data, pam_get_data,
	 * conversation, getpwnam_r, getpwuid_r, csign_spawn, clock_gettime,
	 * poll, nanosleep, pidfd_send_signal.
	 */
	int (*fault)(void *arg, const char *call);
	void *arg;
};

struct login_result {
	int code;              /* of pam_sm_authenticate() */
	uint64_t ms;           /* that it took, of played time */
	unsigned int messages; /* of the conversation */
	unsigned int jobs;     /* couriers that were started */
	bool killed;           /* a courier was */
	bool stuck; /* it would have waited for ever; poll(2) failed then */
	unsigned int fail_delay_us;
	int fds; /* descriptors that are open now and were not before */
	int children;
	char log[1024];   /* the newest line of pam_syslog(3) */
	char shown[1024]; /* the newest error message */
	/* the last outcome that the courier was told; 0: none */
	enum csign_outcome outcome;
	char reason[64];
};

/*
 * One login.  The script's callbacks are called from inside it, with l, and may
 * use everything below.
 */
struct login_result login_run(
    struct login *l, const struct login_script *script);

/* Was this grant right?  (oracle.h)  why: what speaks against it. */
bool login_is_right(struct login *l, char *why, size_t size);
/*
 * Is LOGIN_STATE, LOGIN_DEVICES or LOGIN_RINGS, of alice, another file now than
 * before login_run()?  The state file: something counts now that did not.
 */
bool login_changed(const struct login *l, const char *name);
/* Records of this login in the audit file that have this text. */
unsigned int login_audited(const struct login *l, const char *text);

/* --- inside a login ------------------------------------------------------- */

/* Milliseconds since login_run(). */
uint64_t login_now(const struct login *l);
/* Lets time pass. */
void login_sleep(struct login *l, uint32_t ms);
/* Changes an item of the handle, as another module could: PAM_USER ... */
void login_set_item(struct login *l, int item, const char *value);
/* The link that was shown last, or ""; and the digits beside it, or "". */
const char *login_link(const struct login *l);
const char *login_digits(const struct login *l);
/* As if the conversation showed it. */
void login_show(struct login *l, const char *text);
/* What the courier knows; NULL before LOGIN_STARTED.  Of the newest courier. */
const struct csign_job *login_job(const struct login *l);
/*
 * Is one of our doubles at work?  Whoever wraps system calls to make them fail
 * lets those pass.  True outside a login.
 */
bool login_is_backstage(void);

/* A packet to the library; false: it is not listening, or the pipe is full. */
bool login_send(struct login *l, const void *packet, size_t len);
bool login_send_frame(struct login *l, enum csign_frame_type type, uint8_t code,
    const void *bytes, size_t len);
/* The courier's end of the socket is closed, as by a crash. */
void login_hang_up(struct login *l);
/* The next packet from the library, into result too; false: none. */
bool login_hear(struct login *l, struct csign_frame *ret_frame);

/*
 * A phone scans the link, opens the job's content and signs, sealed into out:
 * what the courier may then bring.  code: "" as after a scan.  False: there is
 * no link or job yet, or no such choice.
 */
bool login_sign(struct login *l, const struct csign_p256 *key,
    const char *choice, const char *code, struct csign_buf *out);
/* By a phone whose clock is so many milliseconds ahead. */
bool login_sign_at(struct login *l, const struct csign_p256 *key,
    const char *choice, const char *code, int64_t ahead_ms,
    struct csign_buf *out);
/* An unsigned deny. */
bool login_decline(struct login *l, struct csign_buf *out);
/* An enrolment with the key. */
bool login_enrol(struct login *l, const struct csign_p256 *key,
    const struct csign_p256 *seal_key, struct csign_buf *out);
/* login_sign() with this phone and a scanned link, and sends the ANSWER. */
bool login_answer(struct login *l, enum login_phone phone, const char *choice);

#endif
