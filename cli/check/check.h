/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * countersign check: what the probes share.  A probe looks at one subject and
 * says what it found; it changes nothing, and one that fails says that, too.
 */
#ifndef CLI_CHECK_H
#define CLI_CHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "../stack/stack.h"
#include "countersign.h"
#include "report.h"

#define CHECK_NAME_SIZE 257
#define CHECK_SUBJECT_SIZE 320

/* A PAM service with a file of its own. */
struct check_service {
	struct pam_stack *stack;
	struct pam_judgement *ways;
	const struct pam_entry *ours; /* NULL: it does not ask the phone */
};

/* What sshd would do for one user; words as "sshd -T" writes them. */
struct check_sshd {
	bool known;
	bool use_pam, kbdint, password, pubkey, hostbased, gssapi;
	char root_login[32]; /* "prohibit-password" */
	char methods[512];   /* "publickey,keyboard-interactive", "any" */
	char keys[512];      /* AuthorizedKeysFile */
	unsigned int grace, tries, startups;
};

/* Somebody who can log in, can become root, or has a devices file. */
struct check_person {
	char name[CHECK_NAME_SIZE];
	char home[512];
	uid_t uid;
	gid_t gid;
	bool admin;     /* may become root by sudo */
	bool nopasswd;  /* without being asked */
	bool shell;     /* a real one */
	bool password;  /* one that can be used */
	bool key;       /* for ssh */
	bool enrolled;  /* has a devices file, good or not */
	bool files_bad; /* which cannot be used */
	size_t devices, usable;
	size_t codes;
};

struct check_people {
	struct check_person *item;
	size_t n;
};

struct check {
	struct check_report *report;
	struct csign_ctx *ctx; /* the configuration, without a section */
	bool loaded;           /* and it is good */
	const char *config;
	const char *page_list; /* of the release */
	const char *root;      /* of --root: files alone, nothing that runs */
	struct check_service *service;
	size_t n_services;
	struct check_sshd sshd;
	bool sshd_silent; /* it did not say it itself, nor will it */
	struct check_people people;
	bool people_read; /* /etc/passwd */
	/* what one PAM service's section says: check_setting() */
	struct csign_ctx *section;
	char section_name[CHECK_NAME_SIZE];
};

/* The probes, in the order in which they need each other's results. */
void check_config(struct check *c);
void check_files(struct check *c);
void check_sandbox(struct check *c);
void check_pam(struct check *c);
void check_sudo(struct check *c);
void check_sshd(struct check *c);
void check_accounts(struct check *c);
void check_recovery(struct check *c);
void check_service_there(struct check *c);
void check_clock(struct check *c, int64_t ahead);
void check_page(struct check *c);

/* --- what they ask each other --------------------------------------------- */

/* NULL if there is no such file in /etc/pam.d. */
const struct check_service *check_pam_service(
    const struct check *c, const char *name);
/* Does any service ask the phone?  does this one, without a way around? */
bool check_asks_anywhere(const struct check *c);
bool check_asks(const struct check *c, const char *service);

/*
 * A setting as it is for this service (NULL: without a section), "" if there
 * is none.  Valid until the next call.
 */
const char *check_setting(
    struct check *c, const char *service, const char *key);
/* The same as a number. */
unsigned int check_setting_number(
    struct check *c, const char *service, const char *key);
/* Does the policy let accounts pass unasked? */
bool check_may_ignore(struct check *c, const char *service);
/* Does it ask this account? */
bool check_is_asked(
    struct check *c, const char *service, const struct check_person *person);

/* What sshd does for this user; NULL: for nobody in particular. */
void check_sshd_for(
    struct check *c, const char *user, struct check_sshd *ret_sshd);
/* Is one of the methods a way in that never runs the auth stack? */
bool check_sshd_alone(const struct check_sshd *sshd);
bool check_sshd_needs_key(const struct check_sshd *sshd);

/* The person of this name, added if the account is there; NULL: none. */
struct check_person *check_person(struct check *c, const char *name);
/* Marks every member of a group as an administrator. */
void check_admin_group(struct check *c, const char *group, bool nopasswd);

/* "file:line"; line 0: the file. */
const char *check_at(
    char out[CHECK_SUBJECT_SIZE], const char *file, unsigned int line);
/* Regular, root's, and nobody else may write it?  Else says why. */
bool check_safe(const char *path, char *why, size_t size);

#endif
