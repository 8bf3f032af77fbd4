/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The host's settings, countersign.conf(5).  The table in settings.c is the
 * truth; the man page is checked against it.
 */
#ifndef CSIGN_SETTINGS_H
#define CSIGN_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>

#include "buf.h"
#include "conf.h"
#include "countersign.h"
#include "crypto.h"
#include "secret.h"
#include "why.h"

enum csign_unenrolled {
	CSIGN_UNENROLLED_DENY,
	CSIGN_UNENROLLED_IGNORE,
	CSIGN_UNENROLLED_ENROLL,
};
enum csign_self_enroll { CSIGN_SELF_ENROLL_NO, CSIGN_SELF_ENROLL_APPROVE };
enum csign_push_confirm { CSIGN_PUSH_CODE, CSIGN_PUSH_TAP };
enum csign_bound { CSIGN_BOUND_ANY, CSIGN_BOUND_REQUIRED };
enum csign_cut_command { CSIGN_CUT_SHOW, CSIGN_CUT_DENY };

#define CSIGN_CONFIG_PATH CSIGN_SYSCONFDIR "/countersign/countersign.conf"
/* 16 hexadecimal digits of the file's SHA-256, and NUL */
#define CSIGN_CONFIG_HASH_SIZE 17
#define CSIGN_KIND_BIT_WEBAUTHN UINT32_C(1)
#define CSIGN_KIND_BIT_P256 UINT32_C(2)

struct csign_settings {
	/* top of the file only */
	char *service;         /* https://host[:port], http:// on loopback */
	char *service_socket;  /* unix socket of the service, or NULL */
	char *page_url;        /* origin of the links; default: service */
	char *access_key_file; /* secret file */
	char *ca_file;         /* PEM, instead of the system's; or NULL */
	char *pins;            /* sha256//... words, or NULL */
	char *proxy;           /* http://host:port, or NULL for none */
	char *host;            /* shown on the phone; NULL: the nodename */
	char *state_dir;       /* holds devices/ and state/ */
	char *audit_file;      /* NULL: none */
	bool audit_syslog;     /* records go to the system's log */
	bool evidence;         /* signed answers are kept */
	char *evidence_file;
	char *courier;      /* program */
	char *courier_user; /* account it runs as */
	uint32_t max_devices;
	uint32_t self_enroll; /* enum csign_self_enroll; for cli/ */
	char *ask_users;      /* words: who may "countersign ask"; for cli/ */
	char *ask_groups;     /* words; for cli/ */
	/* also in a [service] section */
	uint32_t lifetime;     /* seconds */
	uint32_t unenrolled;   /* enum csign_unenrolled */
	bool enroll_root;      /* unenrolled = enroll also for uid 0 */
	bool recovery;         /* recovery codes are taken */
	bool recovery_enroll;  /* and let a new phone take one's place */
	bool push;             /* phones ring */
	uint32_t push_confirm; /* enum csign_push_confirm */
	bool push_without_first_factor; /* also before anything is proven */
	uint32_t identity;              /* 0 user, 1 ruser: for pam/ */
	uint32_t present;           /* 0 auto 1 prompt 2 info 3 none: pam/ */
	uint32_t qr;                /* 0 utf8 1 ascii 2 off: pam/ */
	bool qr_inverse;            /* pam/, cli/ */
	uint32_t device_kinds;      /* CSIGN_KIND_BIT_ */
	uint32_t device_bound;      /* enum csign_bound */
	uint32_t cut_command;       /* enum csign_cut_command */
	char *require_groups;       /* words, or NULL: everybody */
	char *exempt_groups;        /* words, or NULL: nobody */
	uint32_t timestamp_timeout; /* minutes sudo remembers; for the text */
	/* not a key: which configuration this was, for audit records */
	char config_hash[CSIGN_CONFIG_HASH_SIZE];
};

extern const struct csign_conf_table csign_settings_table;

/*
 * Reads, checks and completes (host, page_url, config_hash) the settings.
 * path NULL: the installed default.  crypto NULL: without config_hash.
 * CSIGN_E_CONFIG, CSIGN_E_FILE.
 */
CSIGN_WUR enum csign_err csign_settings_load(struct csign_crypto *crypto,
    const char *path, const char *section, struct csign_settings *ret_settings,
    struct csign_why *why, void (*report)(void *arg, const char *finding),
    void *arg);
/* The same of a text that may become that file; of what it says, the top. */
CSIGN_WUR enum csign_err csign_settings_parse(struct csign_crypto *crypto,
    const char *path, const struct csign_buf *text,
    struct csign_settings *ret_settings, struct csign_why *why);
void csign_settings_clear(struct csign_settings *settings);
/* 43 characters from the access key file, NUL-terminated, as a secret. */
CSIGN_WUR enum csign_err csign_settings_access_key(
    const struct csign_settings *settings, struct csign_why *why,
    struct csign_secret **ret_key);

#endif
