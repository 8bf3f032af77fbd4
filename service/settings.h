/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * countersignd.conf(5).  The table in settings.c is the truth; the man page is
 * checked against it.
 */
#ifndef SERVICE_SETTINGS_H
#define SERVICE_SETTINGS_H

#include <stdint.h>

#include "conf.h"
#include "countersign.h"
#include "why.h"

struct settings {
	char *listen;          /* words "address:port", or NULL */
	char *listen_socket;   /* path, or NULL */
	char *tls_certificate; /* PEM, or NULL: plain HTTP on loopback */
	char *tls_key;
	char *database;
	char *public_url;      /* origin of the page, or NULL */
	char *trusted_proxies; /* words: address, address/bits, unix */
	uint32_t max_pending_user;
	uint32_t max_pending_host;
	uint32_t max_connections;
	uint32_t max_connections_address; /* 0: a part of them */
	uint32_t rate_host;               /* a minute; 0: no limit */
	uint32_t rate_address;
	uint32_t rate_device;
	bool push;           /* Web Push and wake-ups */
	char *push_key_file; /* VAPID, made at the first start */
	char *push_contact;  /* mailto: or https:, for push services */
	char *push_hosts;    /* words: host[:port], beyond the known ones */
	bool push_private;   /* push_hosts may be on private addresses */
	char *push_ca_file;  /* PEM, instead of the system's; or NULL */
	char *push_command;  /* run for each phone to ring; or NULL */
	uint32_t log_level;  /* index of err warning notice info debug */
};

extern const struct csign_conf_table settings_table;

/* path NULL: the installed default. */
CSIGN_WUR enum csign_err settings_load(
    const char *path, struct settings *ret_settings, struct csign_why *why);
void settings_clear(struct settings *settings);
enum csign_log_level settings_log_level(const struct settings *settings);

#endif
