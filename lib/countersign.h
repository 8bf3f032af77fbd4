/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * libcountersign: ask a person's phone, and verify the answer on this host.
 *
 * The phone signs, the service carries, the courier fetches, this library
 * decides.  A whole approval, as an example:
 *
 *      struct csign_ctx *ctx = NULL;
 *      struct csign_request *req = NULL;
 *      struct csign_approval *ap = NULL;
 *      uint32_t verdict = 0;
 *
 *      if (csign_ctx_new(NULL, &ctx) != CSIGN_OK ||
 *          csign_ctx_load(ctx, NULL, "deploy") != CSIGN_OK ||
 *          csign_request_new(&req) != CSIGN_OK ||
 *          csign_request_set(req, CSIGN_REQ_USER, "alice") != CSIGN_OK ||
 *          csign_request_set(req, CSIGN_REQ_TITLE, "Deploy?") != CSIGN_OK ||
 *          csign_approval_begin(ctx, req, &ap) != CSIGN_OK)
 *              errx(3, "%s", csign_ctx_why(ctx));
 *      puts(csign_approval_link(ap));
 *      if (csign_approval_wait(ap, -1, &verdict) == CSIGN_OK &&
 *          verdict == CSIGN_VERDICT_GRANTED)
 *              deploy();
 *      csign_approval_free(&ap);
 *
 * Rules that hold for every function:
 * - A fallible function returns enum csign_err, CSIGN_OK being 0, and writes
 *   its ret_ arguments only on success.
 * - Strings are NUL-terminated UTF-8.  What a function returns as const
 *   belongs to the object that it came from and lives as long as it.
 * - A _free() function takes the address of the pointer, accepts NULL, wipes
 *   what was secret and sets the pointer to NULL.
 * - There is no global state: different objects may be used by different
 *   threads at the same time, one object by one thread at a time.
 * - Nothing here prints, exits, reads the environment, installs a signal
 *   handler, starts a thread or changes umask, directory or locale.
 */
#ifndef COUNTERSIGN_H
#define COUNTERSIGN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__)
#define CSIGN_API __attribute__((visibility("default")))
#define CSIGN_WUR __attribute__((warn_unused_result))
#define CSIGN_PRINTF(f, a) __attribute__((format(printf, f, a)))
#else
#define CSIGN_API
#define CSIGN_WUR
#define CSIGN_PRINTF(f, a)
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* clang-format off */
/*
 * Every outcome, its number's order and its sentence, in groups that a caller
 * may treat alike: see the table of outcomes in pam_countersign(8).
 */
/* the person's answer, or the lack of one */
#define CSIGN_ERR_ANSWER_LIST(X)                                               \
	X(DENIED, "the question was denied on the phone")                      \
	X(NOT_ME, "the phone's owner said: this was not me")                   \
	X(DECLINED, "the phone declined without signing")                      \
	X(LIMIT, "too many answers were tried")                                \
	X(EXPIRED, "nobody answered in time")                                  \
	X(CANCELLED, "the approval was cancelled")                             \
	X(INTERRUPTED, "the wait was interrupted")                             \
	X(AGAIN, "not decided yet")                                            \
	X(RECOVERY, "this is no recovery code that can still be used")

/* an answer that proves nothing: one reason a step, lib/proof.h */
#define CSIGN_ERR_PROOF_LIST(X)                                                \
	X(PROOF_FORMAT, "the answer could not be opened or read")              \
	X(PROOF_CHOICE, "the answer names a choice that was not offered")      \
	X(PROOF_DEVICE, "the answer comes from a device of somebody else")     \
	X(PROOF_KIND, "the device's kind is not accepted here")                \
	X(PROOF_CLIENT_DATA, "the client data is malformed")                   \
	X(PROOF_TYPE, "the client data has another type")                      \
	X(PROOF_CHALLENGE, "the signature is for another question")            \
	X(PROOF_CODE, "the six digits were wrong")                             \
	X(PROOF_ORIGIN, "the signature was made on another web origin")        \
	X(PROOF_CROSS_ORIGIN, "the signature was made inside a foreign page")  \
	X(PROOF_LENGTH, "the authenticator data has a wrong length")           \
	X(PROOF_RPID, "the signature is for another relying party")            \
	X(PROOF_FLAGS, "the authenticator did not verify its user")            \
	X(PROOF_BACKUP, "the key's backup flag has changed")                   \
	X(PROOF_SYNCED, "synced keys are not accepted here")                   \
	X(PROOF_TIME, "the phone's clock is more than 60 seconds off")         \
	X(PROOF_SIGNATURE, "the signature is wrong")                           \
	X(PROOF_COUNTER, "the signature counter went backwards")               \
	X(PROOF_KEY, "the device's public key is not a valid point")           \
	X(PROOF_CREDENTIAL, "the credential does not match the new device")    \
	X(PROOF_CONSUMED, "the approval is already closed")

/* who is asked */
#define CSIGN_ERR_WHO_LIST(X)                                                  \
	X(UNKNOWN_USER, "there is no such account")                            \
	X(UNENROLLED, "no device is enrolled for this account")                \
	X(ENROLL, "a device has to be enrolled first")                         \
	X(EXEMPT, "the policy does not ask this account")

/* trouble: nothing was decided */
#define CSIGN_ERR_TROUBLE_LIST(X)                                              \
	X(SERVICE, "the approval service cannot be reached")                   \
	X(SERVICE_REFUSED, "the approval service refused this host")           \
	X(COURIER, "the courier failed")                                       \
	X(CONFIG, "the configuration is not usable")                           \
	X(FILE, "a file is not safe to use")                                   \
	X(DEVICES, "the devices file is not usable")                           \
	X(STATE, "the state file is not usable")                               \
	X(AUDIT, "the audit record could not be written")                      \
	X(CLOCK, "the clock could not be read")                                \
	X(RANDOM, "no random bytes could be had")                              \
	X(CRYPTO, "a cryptographic operation failed")                          \
	X(SYSTEM, "a system call failed")                                      \
	X(CUT, "the command is too long to be shown whole")                    \
	X(QR, "the link could not be drawn as a QR code")                      \
	X(NOMEM, "out of memory")

/* for callers and between the parts of the library */
#define CSIGN_ERR_CALL_LIST(X)                                                 \
	X(NOT_FOUND, "not found")                                              \
	X(EXISTS, "already there")                                             \
	X(FORMAT, "malformed bytes")                                           \
	X(TOO_LONG, "too long")                                                \
	X(LAST_DEVICE, "this is the last device of the account")               \
	X(INVALID, "an argument is not valid")                                 \
	X(INTERNAL, "internal error")

#define CSIGN_ERR_LIST(X)                                                      \
	CSIGN_ERR_ANSWER_LIST(X)                                               \
	CSIGN_ERR_PROOF_LIST(X)                                                \
	CSIGN_ERR_WHO_LIST(X)                                                  \
	CSIGN_ERR_TROUBLE_LIST(X)                                              \
	CSIGN_ERR_CALL_LIST(X)
/* clang-format on */

enum csign_err {
	CSIGN_OK = 0,
	CSIGN_E_BASE = 4096, /* above every errno, so neither is mistaken */
#define CSIGN_ERR_ENUM(name, text) CSIGN_E_##name,
	CSIGN_ERR_LIST(CSIGN_ERR_ENUM)
#undef CSIGN_ERR_ENUM
};
/* For a switch over a group: CSIGN_ERR_PROOF_LIST(CSIGN_ERR_CASE) return ...;
 */
#define CSIGN_ERR_CASE(name, text) case CSIGN_E_##name:

/*
 * What csign_approval_wait() decides.  Grant is one word of 32 bits, far (at
 * least 16 bits) from refusal and from zero, so that no single fault turns one
 * into the other (countersign-security(7) SIG-6).
 */
#define CSIGN_VERDICT_NONE UINT32_C(0)
#define CSIGN_VERDICT_GRANTED UINT32_C(0x3a96c5c9)
#define CSIGN_VERDICT_REFUSED UINT32_C(0xc5693a36)

/* A short stable name such as "PROOF_ORIGIN"; "OK" for CSIGN_OK. */
CSIGN_API const char *csign_err_name(enum csign_err err);
/* A sentence for people, without a full stop. */
CSIGN_API const char *csign_err_text(enum csign_err err);

/* --- context: configuration and log ------------------------------------- */

enum csign_log_level {
	CSIGN_LOG_ERR = 3, /* the numbers of syslog(3) */
	CSIGN_LOG_WARNING = 4,
	CSIGN_LOG_NOTICE = 5,
	CSIGN_LOG_INFO = 6,
	CSIGN_LOG_DEBUG = 7,
};

/* Where messages go.  The library itself logs at debug level only. */
struct csign_log {
	void (*write)(void *arg, enum csign_log_level level, const char *line);
	void *arg;
};

struct csign_ctx;

/* log may be NULL: nothing is logged.  It is copied. */
CSIGN_API CSIGN_WUR enum csign_err csign_ctx_new(
    const struct csign_log *log, struct csign_ctx **ret_ctx);
CSIGN_API void csign_ctx_free(struct csign_ctx **ctx);

/*
 * Reads the host's configuration, countersign.conf(5).  path: absolute, or
 * NULL for the installed default.  service: the PAM service whose section
 * applies ("sudo"), or NULL for none.  On CSIGN_E_CONFIG or CSIGN_E_FILE,
 * csign_ctx_why() names file, line and reason, and the context asks nobody
 * anything.
 */
CSIGN_API CSIGN_WUR enum csign_err csign_ctx_load(
    struct csign_ctx *ctx, const char *path, const char *service);

/*
 * One sentence on the newest failure of any call with this context: what is
 * wrong, where, what to do.  Never NULL, at most 511 bytes, safe to print.
 */
CSIGN_API const char *csign_ctx_why(const struct csign_ctx *ctx);

/*
 * The effective value of a setting of countersign.conf(5) as text, or NULL if
 * there is no such key.  For programs that follow the host's configuration
 * ("present", "qr", "identity", "state_dir").
 */
CSIGN_API const char *csign_ctx_setting(struct csign_ctx *ctx, const char *key);

/* --- a question ----------------------------------------------------------- */

struct csign_request;

enum csign_request_field {
	CSIGN_REQ_USER = 1, /* account whose phone is asked; required */
	CSIGN_REQ_SERVICE,  /* PAM service; default "ask" */
	CSIGN_REQ_TITLE,    /* at most 256 bytes; default: made from service */
	CSIGN_REQ_RHOST,    /* remote host or address, for the audit record */
	CSIGN_REQ_TTY,      /* terminal, for the audit record */
	CSIGN_REQ_BY,       /* who asks, where it is no login; for the record */
};

CSIGN_API CSIGN_WUR enum csign_err csign_request_new(
    struct csign_request **ret_req);
CSIGN_API void csign_request_free(struct csign_request **req);
/* Copies value; NULL or "" removes it. */
CSIGN_API CSIGN_WUR enum csign_err csign_request_set(struct csign_request *req,
    enum csign_request_field field, const char *value);
/*
 * Adds a line that the phone shows.  At most 12 lines, label at most 32
 * characters.  A longer value than 256 characters is shown with its middle
 * replaced by a count and a digest.  Foreign text is made harmless.
 */
CSIGN_API CSIGN_WUR enum csign_err csign_request_add_detail(
    struct csign_request *req, const char *label, const char *value);
/*
 * An answer that grants, such as "approve" (the default when none is added),
 * [a-z][a-z0-9-]{0,31}.  Only service "ask" may offer others.
 */
CSIGN_API CSIGN_WUR enum csign_err csign_request_add_choice(
    struct csign_request *req, const char *choice);
/*
 * The account is reached from outside and has not proven anything yet: an
 * unknown or unenrolled account then gets a question that looks like any
 * other and that nobody can approve (countersign-security(7) RL-7).
 */
CSIGN_API void csign_request_set_unproven(struct csign_request *req, bool yes);
/*
 * The account has proven a first factor in this very login: only then may an
 * enrolment be offered inside it (countersign-security(7) ENR-1).
 */
CSIGN_API void csign_request_set_proven(struct csign_request *req, bool yes);

/*
 * May the account's phones ring, and find the question in their inbox?  Yes,
 * unless this says no, as far as the configuration (push) and the limits on it
 * allow.  A caller that cannot show csign_approval_code() says no.
 */
CSIGN_API void csign_request_set_push(struct csign_request *req, bool yes);

/* --- an approval ---------------------------------------------------------- */

struct csign_approval;

/*
 * Puts the question to the user's devices: loads them, checks the policy,
 * starts the courier and waits, at most 3 seconds, until the service has it.
 *
 * CSIGN_E_EXEMPT: the policy does not ask this account (groups, or unenrolled
 * = ignore); nothing was sent.  CSIGN_E_UNENROLLED, CSIGN_E_UNKNOWN_USER:
 * nobody can be asked.  CSIGN_E_SERVICE*: nobody was reached.
 * CSIGN_E_ENROLL: the account has no device, and the policy (unenrolled =
 * enroll) lets it enrol one now: csign_enrolment_begin().
 */
CSIGN_API CSIGN_WUR enum csign_err csign_approval_begin(struct csign_ctx *ctx,
    const struct csign_request *req, struct csign_approval **ret_ap);

/* Cancels it if it is still open, never blocks.  The courier is let go. */
CSIGN_API void csign_approval_free(struct csign_approval **ap);

/* The link to open on the phone.  Whoever has it can see the question. */
CSIGN_API const char *csign_approval_link(const struct csign_approval *ap);
/*
 * Six digits to be shown beside the link: what the phone asks for that was
 * rung, and did not scan the link.  "": it asks for none.
 */
CSIGN_API const char *csign_approval_code(const struct csign_approval *ap);
/*
 * Why no phone rings although the configuration says push, a sentence to be
 * shown with the link; else "".
 */
CSIGN_API const char *csign_approval_push_note(const struct csign_approval *ap);
/* How many phones the service says it rings; -1: none was to be rung. */
CSIGN_API int csign_approval_rings(const struct csign_approval *ap);
/* Seconds left to answer, never negative. */
CSIGN_API uint32_t csign_approval_seconds_left(const struct csign_approval *ap);
/* Readable when csign_approval_wait() has something to do; not yours. */
CSIGN_API int csign_approval_fd(const struct csign_approval *ap);

/*
 * Waits for an answer and verifies it.  timeout_ms: -1 until the approval
 * ends, 0 looks once.  CSIGN_E_AGAIN: not decided yet, call again.
 * CSIGN_OK together with *ret_verdict == CSIGN_VERDICT_GRANTED is the only
 * yes; the state is on disk and the audit record was taken by then.  Every
 * other return is final, and *ret_verdict is then not written.
 */
CSIGN_API CSIGN_WUR enum csign_err csign_approval_wait(
    struct csign_approval *ap, int timeout_ms, uint32_t *ret_verdict);

/* After a grant: which choice, and the name of the device.  Else "". */
CSIGN_API const char *csign_approval_choice(const struct csign_approval *ap);
CSIGN_API const char *csign_approval_device(const struct csign_approval *ap);
/*
 * After a grant: how many recovery codes the account has left, if the person
 * should hear of it, because one was used since the last answer of a device or
 * because 1 to 3 are left; else -1.
 */
CSIGN_API int csign_approval_codes_left(const struct csign_approval *ap);

/* --- recovery codes ------------------------------------------------------- */

#define CSIGN_RECOVERY_CODES 10
/* "abcd-efgh-ijkl-mnop-qrst-uvwx" and the NUL; 120 bits in base32 */
#define CSIGN_RECOVERY_SIZE 30

/*
 * Makes CSIGN_RECOVERY_CODES new codes for the account; all older ones end.
 * Only their hashes are kept: the caller shows the codes once and wipes them.
 * by: who asked for them, for the record.
 */
CSIGN_API CSIGN_WUR enum csign_err csign_recovery_make(struct csign_ctx *ctx,
    const char *user, const char *by,
    char ret_codes[CSIGN_RECOVERY_CODES][CSIGN_RECOVERY_SIZE]);
/* How many can still be used. */
CSIGN_API CSIGN_WUR enum csign_err csign_recovery_left(
    struct csign_ctx *ctx, const char *user, size_t *ret_left);
/*
 * Is this text a recovery code by its shape: 24 characters of base32 in either
 * case, dashes and spaces between them not counting?
 */
CSIGN_API bool csign_recovery_shape(const char *text);
/*
 * Uses a code up in place of an approval of req: no network, no phone.
 * CSIGN_OK together with *ret_verdict == CSIGN_VERDICT_GRANTED is a yes; the
 * code is used up and the audit record written, both durably, by then.
 * CSIGN_E_RECOVERY: it is none of the account's, or used; the same for an
 * account that does not exist.  CSIGN_E_STATE, CSIGN_E_AUDIT: it could not be
 * used up or recorded, so it does not count.  *ret_left: codes left after it.
 */
CSIGN_API CSIGN_WUR enum csign_err csign_recovery_use(struct csign_ctx *ctx,
    const struct csign_request *req, const char *code, uint32_t *ret_verdict,
    size_t *ret_left);

/* --- QR code -------------------------------------------------------------- */

enum csign_qr_style {
	CSIGN_QR_UTF8 = 1, /* half blocks: 37 x 19 for a usual link */
	CSIGN_QR_ASCII,    /* '#' and space, two columns a module */
};

/*
 * Draws text (at most 300 bytes) with the full quiet zone of 4 modules, lines
 * ending in "\n", no escape sequence.  inverse: for a terminal with dark text
 * on a light background.  A link of csign_approval_link() is drawn in capital
 * letters, which are the same link in a smaller symbol.  *ret_qr is the
 * caller's, to be given to free(3).
 */
CSIGN_API CSIGN_WUR enum csign_err csign_qr_draw(
    const char *text, enum csign_qr_style style, bool inverse, char **ret_qr);

/* --- devices -------------------------------------------------------------- */

/* One line of countersign-devices(5).  New members come at the end. */
struct csign_device_info {
	const char *kind; /* "webauthn" or "p256" */
	const char *id;   /* 16 characters */
	const char *name;
	const char *added; /* RFC 3339, UTC */
	const char *by;
	const char *last_used; /* RFC 3339, UTC, or "" */
	const char *rp;        /* relying party id, or "" */
	bool synced;           /* a passkey that may be copied to the cloud */
};

struct csign_devices;

/* The devices of one account.  CSIGN_E_UNENROLLED: there are none. */
CSIGN_API CSIGN_WUR enum csign_err csign_devices_load(struct csign_ctx *ctx,
    const char *user, struct csign_devices **ret_devices);
CSIGN_API void csign_devices_free(struct csign_devices **devices);
CSIGN_API size_t csign_devices_count(const struct csign_devices *devices);
/* NULL if index is out of range. */
CSIGN_API const struct csign_device_info *csign_devices_get(
    const struct csign_devices *devices, size_t index);

/*
 * Every account with a devices file, in the order of their names.  visit
 * returns false to stop.
 */
CSIGN_API CSIGN_WUR enum csign_err csign_users_each(struct csign_ctx *ctx,
    bool (*visit)(void *arg, const char *user), void *arg);

/*
 * Removes one device, by id (with or without dashes) or by name, on this host,
 * at once and durably.  CSIGN_E_LAST_DEVICE unless force.  *ret_id, 17 bytes
 * with the NUL, says which.  by: who does it, for the record.
 */
CSIGN_API CSIGN_WUR enum csign_err csign_device_revoke(struct csign_ctx *ctx,
    const char *user, const char *device, bool force, const char *by,
    char ret_id[17]);
/* Another name for a device, found and recorded as above. */
CSIGN_API CSIGN_WUR enum csign_err csign_device_rename(struct csign_ctx *ctx,
    const char *user, const char *device, const char *name, const char *by,
    char ret_id[17]);
/*
 * Removes every device and recovery code of the account, and its "had a
 * device" mark; also what is left of an account that is gone or whose name or
 * uid was given to another.  by: who does it, for the record.
 */
CSIGN_API CSIGN_WUR enum csign_err csign_user_deenroll(
    struct csign_ctx *ctx, const char *user, const char *by);

/*
 * Why the account's phones do not ring for now, as csign_approval_push_note();
 * "" if they would.  *ret_note, CSIGN_PUSH_NOTE_SIZE bytes with the NUL.
 */
#define CSIGN_PUSH_NOTE_SIZE 160
CSIGN_API CSIGN_WUR enum csign_err csign_push_look(struct csign_ctx *ctx,
    const char *user, char ret_note[CSIGN_PUSH_NOTE_SIZE]);

/* --- evidence ------------------------------------------------------------- */

/*
 * A signed answer that was kept (evidence in countersign.conf(5)), to be
 * checked again at any time by its line alone.
 */
struct csign_evidence;

/* New members come at the end. */
struct csign_evidence_info {
	const char *time; /* RFC 3339, UTC */
	const char *question, *host, *user, *service, *title;
	const char *device, *kind, *choice;
	const char *mark; /* by which the audit record names the line */
	uint32_t uid;
	/* after csign_evidence_check() */
	bool grants; /* the choice is one of those that do */
	uint32_t flags, counter;
	const char *asked; /* RFC 3339, UTC: when, as it was signed */
};

/*
 * Takes a line apart, without its end; ctx need not be loaded.
 * CSIGN_E_FORMAT, CSIGN_E_TOO_LONG: it is not one that this library wrote.
 */
CSIGN_API CSIGN_WUR enum csign_err csign_evidence_read(struct csign_ctx *ctx,
    const char *line, size_t len, struct csign_evidence **ret_ev);
CSIGN_API void csign_evidence_free(struct csign_evidence **ev);
CSIGN_API const struct csign_evidence_info *csign_evidence_look(
    const struct csign_evidence *ev);
/*
 * Did the key in it sign this answer to this question?  By the steps of every
 * approval.  CSIGN_E_FORMAT: a member contradicts what was signed;
 * CSIGN_E_PROOF_*: no.  Whose key it is says csign_device_known().
 */
CSIGN_API CSIGN_WUR enum csign_err csign_evidence_check(
    struct csign_ctx *ctx, struct csign_evidence *ev);
/* Is the device, by its id, one of the account's, or was it revoked here? */
CSIGN_API CSIGN_WUR enum csign_err csign_device_known(struct csign_ctx *ctx,
    const char *user, const char *device, bool *ret_known);

/* --- enrolment ------------------------------------------------------------ */

struct csign_enrolment;

/*
 * Begins the enrolment of a device for user: begin -> show link -> wait ->
 * a person compares the id -> accept -> test approval -> commit.  by: who
 * enrols, for the record.  name: of the device, NULL to take the phone's.
 */
CSIGN_API CSIGN_WUR enum csign_err csign_enrolment_begin(struct csign_ctx *ctx,
    const char *user, const char *by, const char *name,
    struct csign_enrolment **ret_en);
CSIGN_API void csign_enrolment_free(struct csign_enrolment **en);
CSIGN_API const char *csign_enrolment_link(const struct csign_enrolment *en);
CSIGN_API uint32_t csign_enrolment_seconds_left(
    const struct csign_enrolment *en);
CSIGN_API int csign_enrolment_fd(const struct csign_enrolment *en);
/*
 * As csign_approval_wait(); CSIGN_OK: a device has answered and was checked.
 * CSIGN_E_TOO_LONG, at once: there is no room for one more (max_devices) and
 * csign_enrolment_replace() was not called.  CSIGN_E_EXISTS: it is enrolled
 * already, or was revoked here before.
 */
CSIGN_API CSIGN_WUR enum csign_err csign_enrolment_wait(
    struct csign_enrolment *en, int timeout_ms);
/* The new device, after csign_enrolment_wait().  Not usable yet. */
CSIGN_API const struct csign_device_info *csign_enrolment_device(
    const struct csign_enrolment *en);
/* yes: a person has compared the ids.  No: the enrolment is over. */
CSIGN_API CSIGN_WUR enum csign_err csign_enrolment_accept(
    struct csign_enrolment *en, bool yes);
/*
 * The new device takes the place of another of the account, which is revoked
 * in the same step as the new one is written; before commit, and before the
 * first wait where there is no room for one more.  device: its id.
 * CSIGN_E_NOT_FOUND.
 */
CSIGN_API CSIGN_WUR enum csign_err csign_enrolment_replace(
    struct csign_enrolment *en, const char *device);
/*
 * One approval that only the new device can give; after accept.  req: the
 * question, for an enrolment inside a login, whose answer then counts for the
 * login too once commit has succeeded; NULL for a test that grants nothing.  A
 * device that is enrolled inside a login is the account's first, or replaces
 * another: commit says CSIGN_E_EXISTS if there is or was one by then.
 */
CSIGN_API CSIGN_WUR enum csign_err csign_enrolment_test(
    struct csign_enrolment *en, const struct csign_request *req,
    struct csign_approval **ret_ap);
/*
 * Writes the device; from now on it is usable.  test: the approval that
 * csign_enrolment_test() began and the new device granted, not freed yet.
 */
CSIGN_API CSIGN_WUR enum csign_err csign_enrolment_commit(
    struct csign_enrolment *en, const struct csign_approval *test);

/* --- the host and its service --------------------------------------------- */

/*
 * Checks configuration files, devices and state as a login would.  report is
 * called once a finding with "file:line: reason".  CSIGN_OK: no finding.
 */
CSIGN_API CSIGN_WUR enum csign_err csign_host_check(struct csign_ctx *ctx,
    const char *path, void (*report)(void *arg, const char *finding),
    void *arg);

/*
 * Writes countersign.conf and the access key of a new host, and the state
 * directory.  config_path NULL: the installed default.  access_key: 43
 * characters as "countersignd host add" printed them.  settings: further lines
 * of countersign.conf(5), or NULL.  The configuration comes last: what an init
 * that was cut off left without one, the next one completes.  CSIGN_E_EXISTS:
 * there is a configuration already.
 */
CSIGN_API CSIGN_WUR enum csign_err csign_host_init(struct csign_ctx *ctx,
    const char *config_path, const char *service_url, const char *access_key,
    const char *settings);

/* Asks whether the service is there and knows this host's access key. */
CSIGN_API CSIGN_WUR enum csign_err csign_service_ping(struct csign_ctx *ctx);

/* Seconds since 1970; 0: not known.  New members come at the end. */
struct csign_service_facts {
	uint64_t clock;           /* the service's */
	uint64_t certificate_end; /* of its certificates, the first to end */
};
/* The same, and how its clock and its certificate are; claims, not proven. */
CSIGN_API CSIGN_WUR enum csign_err csign_service_look(
    struct csign_ctx *ctx, struct csign_service_facts *ret_facts);
/*
 * Does the server at url (an origin; NULL: page_url of countersign.conf(5))
 * deliver under path exactly the bytes with this SHA-256 (64 lower-case
 * hexadecimal digits)?  CSIGN_E_FORMAT: others, csign_ctx_why() says which;
 * CSIGN_E_NOT_FOUND: none.  /service.json may also name this host's service.
 */
CSIGN_API CSIGN_WUR enum csign_err csign_page_verify(struct csign_ctx *ctx,
    const char *url, const char *path, const char *sha256);
/* Tells the service to forget a user, or one device; CSIGN_E_NOT_FOUND. */
CSIGN_API CSIGN_WUR enum csign_err csign_service_remove_user(
    struct csign_ctx *ctx, const char *user);
CSIGN_API CSIGN_WUR enum csign_err csign_service_remove_device(
    struct csign_ctx *ctx, const char *device_id);
CSIGN_API CSIGN_WUR enum csign_err csign_service_rename_device(
    struct csign_ctx *ctx, const char *device_id, const char *name);

/* --- backup --------------------------------------------------------------- */

/*
 * The devices and the state of every account as text, countersign-devices(5):
 * public keys and hashes, no secret.  *ret_text is the caller's, to be given to
 * free(3).
 */
CSIGN_API CSIGN_WUR enum csign_err csign_backup_make(
    struct csign_ctx *ctx, char **ret_text, size_t *ret_len);

/* flags: also codes of accounts without state here; only say what would be */
#define CSIGN_RESTORE_RECOVERY 1u
#define CSIGN_RESTORE_DRY_RUN 2u

/*
 * Brings accounts back from such a text, each all or not at all.  Nothing that
 * this host knows to be gone comes back: a recovery code that was used or
 * replaced, a device that was revoked; a counter never goes down; an account
 * whose name or uid belongs to another now is left out.  report is called once
 * an account and once for everything that was left out, with a sentence.  by:
 * who does it, for the record.
 * CSIGN_E_FORMAT: the text is no backup or was changed; nothing was done.
 */
CSIGN_API CSIGN_WUR enum csign_err csign_backup_restore(struct csign_ctx *ctx,
    const char *text, size_t len, unsigned int flags, const char *by,
    void (*report)(void *arg, const char *line), void *arg);

#ifdef __cplusplus
}
#endif

#endif
