/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bounds.h"
#include "endpoint.h"
#include "file.h"
#include "link.h"
#include "settings.h"

#define DEFAULT_CONFIG CSIGN_SYSCONFDIR "/countersignd/countersignd.conf"
#define DEFAULT_DATABASE CSIGN_LOCALSTATEDIR "/lib/countersignd/countersignd.db"
#define PUSH_KEY_NAME "push.pem" /* in the database's folder */

static const char *const log_levels[] = {
    "err", "warning", "notice", "info", "debug", NULL};

static enum csign_err
check_origin(const char *value, struct csign_why *why)
{
	if (csign_origin_check(value) == CSIGN_OK)
		return CSIGN_OK;
	csign_why_set(why, "not an origin: https://host[:port] without a path, "
			   "http:// for this machine alone");
	return CSIGN_E_CONFIG;
}

/* What push services may write to when something is wrong. */
static enum csign_err
check_contact(const char *value, struct csign_why *why)
{
	bool plain = true;

	for (const char *p = value; *p != '\0'; p++)
		plain = plain && *p > ' ' && *p < 127 &&
			strchr("\"\\<>", *p) == NULL;
	if (plain &&
	    ((strncmp(value, "mailto:", 7) == 0 &&
		 strchr(value, '@') != NULL) ||
		(strncmp(value, "https://", 8) == 0 && value[8] != '\0')))
		return CSIGN_OK;
	csign_why_set(why, "neither mailto:name@host nor https://host/path");
	return CSIGN_E_CONFIG;
}

static enum csign_err
check_hosts(const char *value, struct csign_why *why)
{
	enum csign_err r = CSIGN_OK;
	size_t len;

	while (r == CSIGN_OK && *value != '\0') {
		len = strcspn(value, " ");
		r = endpoint_host_check(value, len, why);
		value += len;
		value += strspn(value, " ");
	}
	return r;
}

#define AT(member) offsetof(struct settings, member)
/* clang-format off */
static const struct csign_conf_key keys[] = {
	{"database", CSIGN_CONF_PATH, false, AT(database),
	    1, 1000, NULL, DEFAULT_DATABASE, NULL},
	{"listen", CSIGN_CONF_WORDS, false, AT(listen),
	    1, 8, NULL, NULL, NULL},
	{"listen_socket", CSIGN_CONF_PATH, false, AT(listen_socket),
	    1, 100, NULL, NULL, NULL},
	{"log_level", CSIGN_CONF_CHOICE, false, AT(log_level),
	    0, 0, log_levels, "info", NULL},
	{"max_connections", CSIGN_CONF_U32, false, AT(max_connections),
	    16, 1000000, NULL, "16384", NULL},
	{"max_connections_address", CSIGN_CONF_U32, false,
	    AT(max_connections_address), 8, 1000000, NULL, NULL, NULL},
	{"max_pending_host", CSIGN_CONF_U32, false, AT(max_pending_host),
	    1, 1000000, NULL, "50", NULL},
	{"max_pending_user", CSIGN_CONF_U32, false, AT(max_pending_user),
	    1, 1000000, NULL, "3", NULL},
	{"public_url", CSIGN_CONF_TEXT, false, AT(public_url),
	    1, CSIGN_URL_MAX, NULL, NULL, check_origin},
	{"push", CSIGN_CONF_BOOL, false, AT(push),
	    0, 0, NULL, "yes", NULL},
	{"push_ca_file", CSIGN_CONF_PATH, false, AT(push_ca_file),
	    1, 1000, NULL, NULL, NULL},
	{"push_command", CSIGN_CONF_PATH, false, AT(push_command),
	    1, 1000, NULL, NULL, NULL},
	{"push_contact", CSIGN_CONF_TEXT, false, AT(push_contact),
	    1, CSIGN_URL_MAX, NULL, NULL, check_contact},
	{"push_hosts", CSIGN_CONF_WORDS, false, AT(push_hosts),
	    1, 32, NULL, NULL, check_hosts},
	{"push_key_file", CSIGN_CONF_PATH, false, AT(push_key_file),
	    1, 1000, NULL, NULL, NULL},
	{"push_private", CSIGN_CONF_BOOL, false, AT(push_private),
	    0, 0, NULL, "no", NULL},
	{"rate_address", CSIGN_CONF_U32, false, AT(rate_address),
	    0, 1000000, NULL, "120", NULL},
	{"rate_device", CSIGN_CONF_U32, false, AT(rate_device),
	    0, 1000000, NULL, "30", NULL},
	{"rate_host", CSIGN_CONF_U32, false, AT(rate_host),
	    0, 1000000, NULL, "60", NULL},
	{"tls_certificate", CSIGN_CONF_PATH, false, AT(tls_certificate),
	    1, 1000, NULL, NULL, NULL},
	{"tls_key", CSIGN_CONF_PATH, false, AT(tls_key),
	    1, 1000, NULL, NULL, NULL},
	{"trusted_proxies", CSIGN_CONF_WORDS, false, AT(trusted_proxies),
	    1, 16, NULL, NULL, NULL},
};
/* clang-format on */

const struct csign_conf_table settings_table = {
    keys, sizeof keys / sizeof keys[0], sizeof(struct settings), false};

/* What one value alone cannot show. */
static enum csign_err
check_together(
    const char *path, const struct settings *settings, struct csign_why *why)
{
	if (settings->listen == NULL && settings->listen_socket == NULL) {
		csign_why_set(
		    why, "%s: neither listen nor listen_socket is set", path);
		return CSIGN_E_CONFIG;
	}
	if ((settings->tls_certificate == NULL) !=
	    (settings->tls_key == NULL)) {
		csign_why_set(why,
		    "%s: tls_certificate and tls_key need each other", path);
		return CSIGN_E_CONFIG;
	}
	return CSIGN_OK;
}

/* A default that another setting makes. */
static enum csign_err
complete(struct settings *settings)
{
	const char *database = settings->database;
	int folder = (int)(strrchr(database, '/') - database);

	if (settings->push_key_file == NULL &&
	    asprintf(&settings->push_key_file, "%.*s/" PUSH_KEY_NAME, folder,
		database) < 0) {
		settings->push_key_file = NULL;
		return CSIGN_E_NOMEM;
	}
	return CSIGN_OK;
}

enum csign_err
settings_load(
    const char *path, struct settings *ret_settings, struct csign_why *why)
{
	struct settings settings;
	struct csign_buf *text = NULL;
	enum csign_err r;

	memset(&settings, 0, sizeof settings);
	if (path == NULL)
		path = DEFAULT_CONFIG;
	r = csign_file_read(
	    path, CSIGN_FILE_PUBLIC, CSIGN_FILE_MAX, why, &text);
	if (r == CSIGN_E_NOT_FOUND)
		csign_why_set(why, "%s: there is no such file", path);
	if (r != CSIGN_OK)
		goto out;
	if ((r = csign_conf_parse(&settings_table, path, csign_buf_str(text),
		 csign_buf_len(text), NULL, &settings, why, NULL, NULL)) !=
		CSIGN_OK ||
	    (r = check_together(path, &settings, why)) != CSIGN_OK ||
	    (r = complete(&settings)) != CSIGN_OK)
		goto out;
	*ret_settings = settings;
	memset(&settings, 0, sizeof settings);
out:
	settings_clear(&settings);
	csign_buf_free(&text);
	return r;
}

void
settings_clear(struct settings *settings)
{
	csign_conf_clear(&settings_table, settings);
}

enum csign_log_level
settings_log_level(const struct settings *settings)
{
	return (enum csign_log_level)(CSIGN_LOG_ERR + settings->log_level);
}
