/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The stack of a PAM service, read from the folders as Linux-PAM reads them,
 * and what can come out of it.
 *
 * pam_stack_read() resolves "@include", "include" and "substack", joins
 * continued lines, and keeps for each entry the file and line it stands in.
 * pam_judge() plays every code that every module can return through the rules
 * of libpam, and so finds each kind of way to success, with an example.
 *
 *      struct pam_stack *stack = NULL;
 *      struct pam_judgement *j = NULL;
 *
 *      if (!pam_stack_read("/", "sudo", &stack) || !pam_judge(stack, &j))
 *              out of memory;
 *      if (j->way[PAM_WAY_OVERRULED].found)
 *              puts("a no of the phone does not count");
 */
#ifndef CLI_STACK_STACK_H
#define CLI_STACK_STACK_H

#include <stdbool.h>
#include <stddef.h>

#define PAM_STACK_DEPTH 16  /* files that include each other, as in libpam */
#define PAM_STACK_MAX 256   /* entries of one type */
#define PAM_STACK_LINE 1023 /* bytes of a line that old libpam reads */
#define PAM_CODES 32        /* PAM_SUCCESS to PAM_INCOMPLETE */

#define PAM_OUR_MODULE "pam_countersign.so"

enum pam_type {
	PAM_TYPE_AUTH,
	PAM_TYPE_ACCOUNT,
	PAM_TYPE_PASSWORD,
	PAM_TYPE_SESSION,
	PAM_TYPES,
};

/* What libpam does for a return code; a positive number jumps over so many. */
enum pam_action {
	PAM_ACTION_IGNORE = 0,
	PAM_ACTION_OK = -1,
	PAM_ACTION_DONE = -2,
	PAM_ACTION_BAD = -3,
	PAM_ACTION_DIE = -4,
	PAM_ACTION_RESET = -5,
};

enum pam_entry_kind {
	PAM_ENTRY_MODULE,
	PAM_ENTRY_SUBSTACK, /* a mark; its entries follow, one level deeper */
	PAM_ENTRY_BROKEN,   /* a line that libpam turns into a failure */
};

/* What a module's success says about the person. */
enum pam_proof {
	PAM_PROOF_NONE,    /* nothing: pam_env, pam_permit, ... */
	PAM_PROOF_WHO,     /* who it is, not that it is so: pam_rootok, ... */
	PAM_PROOF_FACTOR,  /* a factor: pam_unix, pam_sss, pam_u2f, ... */
	PAM_PROOF_UNKNOWN, /* a module that we do not know: taken as a factor */
	PAM_PROOF_OURS,
};

struct pam_entry {
	const char *file;  /* as on the host, without the root */
	unsigned int line; /* the first one, if it is continued */
	enum pam_entry_kind kind;
	unsigned int level;      /* 0: not in a substack */
	bool silent;             /* "-auth": may be missing */
	const char *control;     /* as written, "[success=1 default=ignore]" */
	int action[PAM_CODES];   /* enum pam_action or a jump, by code */
	const char *module;      /* as written; of a substack: its file */
	const char *const *args; /* without brackets; NULL behind the last */
	size_t n_args;
	enum pam_proof proof;
};

struct pam_entries {
	struct pam_entry *item;
	size_t n;
};

/* A thing in the files that libpam refuses, or that hardly was meant. */
struct pam_problem {
	const char *file;
	unsigned int line; /* 0: the whole file */
	const char *text;  /* a sentence without a full stop */
};

struct pam_stack {
	const char *service;
	/* "/etc/pam.d/sudo"; NULL: there is none, all types are "other"'s */
	const char *file;
	struct pam_entries type[PAM_TYPES];
	bool from_other[PAM_TYPES]; /* no entry in the service's own file */
	/* libpam gives up on these files: nobody gets in, by nothing. */
	bool unusable;
	struct pam_problem *problem;
	size_t n_problems;
	void *memory; /* what the strings are in */
};

/*
 * Reads <root>/etc/pam.d/<service>, else <root>/usr/lib/pam.d/<service>, and
 * for the types that it has no entry for the file "other".  root: an absolute
 * path, "/" for this host; links are followed inside of it.  A file that is
 * missing, unreadable or malformed is a problem in the result, and read as
 * libpam reads it.  False: no memory; nothing else.  service must pass
 * pam_service_ok().
 */
bool pam_stack_read(
    const char *root, const char *service, struct pam_stack **ret_stack);
/* The same, as if the file at path on the host had these bytes. */
bool pam_stack_read_as_if(const char *root, const char *service,
    const char *path, const char *bytes, size_t len,
    struct pam_stack **ret_stack);
void pam_stack_free(struct pam_stack **stack);

/* A name that can be a file's, and as libpam writes it: in lower case. */
bool pam_service_ok(const char *service);

/* Is it a line for our module?  For any path to it. */
bool pam_entry_is_ours(const struct pam_entry *entry);
/* The first entry of our module; NULL: none. */
const struct pam_entry *pam_stack_ours(
    const struct pam_stack *stack, enum pam_type type);
bool pam_entry_has_arg(const struct pam_entry *entry, const char *arg);

const char *pam_type_name(enum pam_type type);
/* "auth_err" for PAM_AUTH_ERR, as in a control. */
const char *pam_code_name(int code);

/* --- what can come out of the auth stack ---------------------------------- */

/* The kinds of ways through the auth stack; all but the last two succeed. */
enum pam_way_kind {
	/* Any.  Not found: nobody can get in. */
	PAM_WAY_SUCCESS,
	/* Our module said no, or is missing, and it did not count. */
	PAM_WAY_OVERRULED,
	/* Our module was never asked; a factor was proven (a password). */
	PAM_WAY_AROUND,
	/* Not asked, no factor; a module only said who it is (pam_rootok). */
	PAM_WAY_TRUSTED,
	/* Not asked, no factor, nothing at all. */
	PAM_WAY_OPEN,
	/* Our module said PAM_IGNORE (policy), and there was no factor. */
	PAM_WAY_IGNORED,
	/* Our module said yes, and there was no factor: the phone alone. */
	PAM_WAY_ALONE,
	/* Our module said yes, and there was a factor, too. */
	PAM_WAY_BOTH,
	/* Our module is asked before a factor was proven, or after it failed.
	 * With after_first_factor on its line that line is wrong. */
	PAM_WAY_EARLY,
	/* Our module is asked after a factor was proven. */
	PAM_WAY_LATE,
	PAM_WAYS,
};

/* One module that was called, and the code that it returned. */
struct pam_step {
	const struct pam_entry *entry;
	int code;
};

struct pam_way {
	bool found;
	/* The example: the entries that were called, in order. */
	struct pam_step *step;
	size_t n;
};

struct pam_judgement {
	const struct pam_entry *ours; /* NULL: not in the auth stack */
	struct pam_way way[PAM_WAYS];
	/* More ways than could be tried: what was not found may still be. */
	bool incomplete;
};

/* *ret is the caller's; it points into stack.  False: no memory. */
bool pam_judge(
    const struct pam_stack *stack, struct pam_judgement **ret_judgement);
void pam_judgement_free(struct pam_judgement **judgement);

/*
 * Does libpam's authenticate succeed when the modules return these codes, one
 * an entry?  For tests, and for who asks "what if".
 */
bool pam_plays(const struct pam_entries *list, const int *codes);

#endif
