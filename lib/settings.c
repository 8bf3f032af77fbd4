/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "bounds.h"
#include "buf.h"
#include "codec.h"
#include "file.h"
#include "link.h"
#include "settings.h"

#define SOCKET_PATH_MAX 107 /* what fits into a struct sockaddr_un */
#define ACCOUNT_NAME_MAX 32
#define GROUPS_MAX 32
#define PINS_MAX 8
#define PIN_PREFIX "sha256//"
#define PIN_DIGITS 43 /* base64 of 32 bytes, before its one "=" */
#define HTTP "http://"
#define ACCESS_KEY_BYTES 32

static bool
has_prefix(const char *text, const char *prefix)
{
	return strncmp(text, prefix, strlen(prefix)) == 0;
}

/* --- rules for one value -------------------------------------------------- */

/* "http://host" is an origin wherever "https://host" is one. */
static bool
is_http_origin(const char *url)
{
	char https[CSIGN_URL_MAX + 2];

	if (!has_prefix(url, HTTP) || strlen(url) > CSIGN_URL_MAX)
		return false;
	(void)snprintf(https, sizeof(https), "https://%s", url + strlen(HTTP));
	return csign_origin_check(https) == CSIGN_OK;
}

/* Whether http:// may be used depends on service_socket: check_together(). */
static enum csign_err
check_service(const char *value, struct csign_why *why)
{
	if (csign_origin_check(value) == CSIGN_OK || is_http_origin(value))
		return CSIGN_OK;
	csign_why_set(why, "must be https://host or https://host:port");
	return CSIGN_E_CONFIG;
}

static enum csign_err
check_page_url(const char *value, struct csign_why *why)
{
	if (csign_origin_check(value) == CSIGN_OK)
		return CSIGN_OK;
	csign_why_set(why, "must be https://host or https://host:port "
			   "(http:// on a loopback address only)");
	return CSIGN_E_CONFIG;
}

static enum csign_err
check_proxy(const char *value, struct csign_why *why)
{
	const char *colon = strrchr(value, ':');
	uint32_t port = 0;

	if (is_http_origin(value) && colon != NULL &&
	    csign_parse_u32(colon + 1, 1, 65535, &port) == CSIGN_OK)
		return CSIGN_OK;
	csign_why_set(why, "must be http://host:port");
	return CSIGN_E_CONFIG;
}

static enum csign_err
check_socket(const char *value, struct csign_why *why)
{
	if (strlen(value) <= SOCKET_PATH_MAX)
		return CSIGN_OK;
	csign_why_set(why, "must have at most %d bytes", SOCKET_PATH_MAX);
	return CSIGN_E_CONFIG;
}

/* Base64 of 32 bytes: 43 characters, the last of 16 possible ones, "=". */
static bool
pin_ok(const char *pin, size_t len)
{
	static const char last[] = "AEIMQUYcgkosw048";
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				     "abcdefghijklmnopqrstuvwxyz0123456789+/";
	size_t prefix = strlen(PIN_PREFIX);

	if (len != prefix + PIN_DIGITS + 1 || !has_prefix(pin, PIN_PREFIX))
		return false;
	return strspn(pin + prefix, digits) == PIN_DIGITS &&
	       strchr(last, pin[prefix + PIN_DIGITS - 1]) != NULL &&
	       pin[prefix + PIN_DIGITS] == '=';
}

static enum csign_err
check_pins(const char *value, struct csign_why *why)
{
	size_t len = 0;

	for (const char *at = value;; at += len + 1) {
		len = strcspn(at, " ");
		if (!pin_ok(at, len)) {
			csign_why_set(why,
			    "must be words like \"" PIN_PREFIX
			    "\" and %d characters of base64",
			    PIN_DIGITS + 1);
			return CSIGN_E_CONFIG;
		}
		if (at[len] == '\0')
			return CSIGN_OK;
	}
}

static enum csign_err
check_account_name(const char *value, struct csign_why *why)
{
	if (strpbrk(value, " :/") == NULL)
		return CSIGN_OK;
	csign_why_set(why, "must be the name of an account");
	return CSIGN_E_CONFIG;
}

/* --- the table ------------------------------------------------------------ */

static const char *const words_unenrolled[] = {
    "deny", "ignore", "enroll", NULL};
static const char *const words_self_enroll[] = {"no", "approve", NULL};
static const char *const words_identity[] = {"user", "ruser", NULL};
static const char *const words_present[] = {
    "auto", "prompt", "info", "none", NULL};
static const char *const words_qr[] = {"utf8", "ascii", "off", NULL};
static const char *const words_kinds[] = {"webauthn", "p256", NULL};
static const char *const words_bound[] = {"any", "required", NULL};
static const char *const words_confirm[] = {"code", "tap", NULL};
static const char *const words_cut[] = {"show", "deny", NULL};

#define NAME_OF(member) #member
#define TO_TEXT(number) NAME_OF(number)

/* clang-format off */
#define KEY(member, type, in_section, min, max, words, def, check)             \
	{ #member, CSIGN_CONF_##type, in_section,                              \
	    offsetof(struct csign_settings, member), min, max, words, def,     \
	    check }

#define STATE_DIR CSIGN_LOCALSTATEDIR "/lib/countersign"
#define AUDIT_FILE CSIGN_LOCALSTATEDIR "/log/countersign/audit.log"
#define EVIDENCE_FILE CSIGN_LOCALSTATEDIR "/log/countersign/evidence.log"
#define ACCESS_KEY CSIGN_SYSCONFDIR "/countersign/access.key"

static const struct csign_conf_key keys[] = {
	KEY(access_key_file, PATH, false, 0, 0, NULL, ACCESS_KEY, NULL),
	KEY(ask_groups, WORDS, false, 1, GROUPS_MAX, NULL, NULL, NULL),
	KEY(ask_users, WORDS, false, 1, GROUPS_MAX, NULL, NULL, NULL),
	KEY(audit_file, PATH_OR_NONE, false, 0, 0, NULL, AUDIT_FILE, NULL),
	KEY(audit_syslog, BOOL, false, 0, 0, NULL, "yes", NULL),
	KEY(ca_file, PATH, false, 0, 0, NULL, NULL, NULL),
	KEY(courier, PATH, false, 0, 0, NULL, CSIGN_COURIER, NULL),
	KEY(courier_user, TEXT, false, 1, ACCOUNT_NAME_MAX, NULL,
	    "countersign", check_account_name),
	KEY(cut_command, CHOICE, true, 0, 0, words_cut, "show", NULL),
	KEY(device_bound, CHOICE, true, 0, 0, words_bound, "any", NULL),
	KEY(device_kinds, SET, true, 0, 0, words_kinds, "webauthn", NULL),
	KEY(enroll_root, BOOL, true, 0, 0, NULL, "no", NULL),
	KEY(evidence, BOOL, false, 0, 0, NULL, "no", NULL),
	KEY(evidence_file, PATH, false, 0, 0, NULL, EVIDENCE_FILE, NULL),
	KEY(exempt_groups, WORDS, true, 1, GROUPS_MAX, NULL, NULL, NULL),
	KEY(host, TEXT, false, 1, CSIGN_HOST_MAX, NULL, NULL, NULL),
	KEY(identity, CHOICE, true, 0, 0, words_identity, "user", NULL),
	KEY(lifetime, U32, true, CSIGN_LIFETIME_MIN, CSIGN_LIFETIME_MAX, NULL,
	    TO_TEXT(CSIGN_LIFETIME_DEFAULT), NULL),
	KEY(max_devices, U32, false, 1, CSIGN_DEVICES_MAX, NULL,
	    TO_TEXT(CSIGN_DEVICES_DEFAULT), NULL),
	KEY(page_url, TEXT, false, 1, CSIGN_URL_MAX, NULL, NULL,
	    check_page_url),
	KEY(pins, WORDS, false, 1, PINS_MAX, NULL, NULL, check_pins),
	KEY(present, CHOICE, true, 0, 0, words_present, "auto", NULL),
	KEY(proxy, TEXT, false, 1, CSIGN_URL_MAX, NULL, NULL, check_proxy),
	KEY(push, BOOL, true, 0, 0, NULL, "yes", NULL),
	KEY(push_confirm, CHOICE, true, 0, 0, words_confirm, "code", NULL),
	KEY(push_without_first_factor, BOOL, true, 0, 0, NULL, "no", NULL),
	KEY(qr, CHOICE, true, 0, 0, words_qr, "utf8", NULL),
	KEY(qr_inverse, BOOL, true, 0, 0, NULL, "no", NULL),
	KEY(recovery, BOOL, true, 0, 0, NULL, "yes", NULL),
	KEY(recovery_enroll, BOOL, true, 0, 0, NULL, "no", NULL),
	KEY(require_groups, WORDS, true, 1, GROUPS_MAX, NULL, NULL, NULL),
	KEY(self_enroll, CHOICE, false, 0, 0, words_self_enroll, "no", NULL),
	KEY(service, TEXT, false, 1, CSIGN_URL_MAX, NULL, NULL,
	    check_service),
	KEY(service_socket, PATH, false, 0, 0, NULL, NULL, check_socket),
	KEY(state_dir, PATH, false, 0, 0, NULL, STATE_DIR, NULL),
	KEY(timestamp_timeout, U32, true, 0, 1440, NULL, "15", NULL),
	KEY(unenrolled, CHOICE, true, 0, 0, words_unenrolled, "deny", NULL),
};
/* clang-format on */

const struct csign_conf_table csign_settings_table = {
    .keys = keys,
    .n_keys = sizeof(keys) / sizeof(keys[0]),
    .settings_size = sizeof(struct csign_settings),
    .sections = true,
};

/* --- rules for several values, and what is not in the file ---------------- */

struct reporter {
	const char *path;
	const struct csign_buf *text;
	struct csign_why *why;
	void (*report)(void *arg, const char *finding);
	void *arg;
};

static enum csign_err
complain(const struct reporter *to, const char *key, const char *what)
{
	unsigned line = csign_conf_line(
	    csign_buf_str(to->text), csign_buf_len(to->text), key);
	struct csign_why why;

	if (line > 0)
		csign_why_set(&why, "%s:%u: %s %s", to->path, line, key, what);
	else
		csign_why_set(&why, "%s: %s %s", to->path, key, what);
	csign_why_set(to->why, "%s", why.text);
	if (to->report != NULL)
		to->report(to->arg, why.text);
	return CSIGN_E_CONFIG;
}

static enum csign_err
check_together(const struct csign_settings *settings, const struct reporter *to)
{
	bool plain = false;

	if (settings->service == NULL)
		return complain(to, "service", "is not set");
	plain = csign_origin_check(settings->service) != CSIGN_OK;
	if (plain && settings->service_socket == NULL)
		return complain(to, "service",
		    "must be https:// (http:// only on a loopback address or "
		    "with service_socket)");
	if (plain && settings->page_url == NULL)
		return complain(to, "page_url",
		    "must be set, because the service has no https:// address");
	if (settings->audit_file == NULL && !settings->audit_syslog)
		return complain(to, "audit_syslog",
		    "must be yes, because audit_file is none: nothing could be "
		    "granted without a record");
	if (settings->audit_file != NULL &&
	    strcmp(settings->audit_file, settings->evidence_file) == 0)
		return complain(to, "evidence_file",
		    "must be another file than audit_file");
	return CSIGN_OK;
}

static enum csign_err
complete(struct csign_settings *settings, const struct reporter *to)
{
	struct utsname names;

	if (settings->page_url == NULL) {
		settings->page_url = strdup(settings->service);
		if (settings->page_url == NULL)
			return CSIGN_E_NOMEM;
	}
	if (settings->host != NULL)
		return CSIGN_OK;
	if (uname(&names) != 0 || names.nodename[0] == '\0')
		return complain(
		    to, "host", "must be set, because the system has no name");
	settings->host = strdup(names.nodename);
	return settings->host == NULL ? CSIGN_E_NOMEM : CSIGN_OK;
}

static enum csign_err
hash_config(struct csign_crypto *crypto, const struct csign_buf *text,
    char out[CSIGN_CONFIG_HASH_SIZE])
{
	const struct csign_part part = {
	    csign_buf_data(text), csign_buf_len(text)};
	unsigned char digest[32];
	enum csign_err r = CSIGN_E_INTERNAL;

	if (crypto == NULL)
		return CSIGN_OK;
	if ((r = csign_sha256(crypto, &part, 1, digest)) != CSIGN_OK)
		return r;
	return csign_hex_encode(digest, (CSIGN_CONFIG_HASH_SIZE - 1) / 2, out,
	    CSIGN_CONFIG_HASH_SIZE);
}

/* A finding also where the file could not be read at all. */
static enum csign_err
read_config(const struct reporter *to, struct csign_buf **ret_text)
{
	struct csign_why why = {{'\0'}};
	enum csign_err r = csign_file_read(
	    to->path, CSIGN_FILE_PUBLIC, CSIGN_FILE_MAX, &why, ret_text);

	if (r == CSIGN_OK)
		return CSIGN_OK;
	csign_why_set(to->why, "%s", why.text);
	if (to->report != NULL)
		to->report(to->arg, why.text);
	return r == CSIGN_E_NOT_FOUND ? CSIGN_E_CONFIG : r;
}

static enum csign_err
settings_from(const struct reporter *to, struct csign_crypto *crypto,
    const char *section, struct csign_settings *ret_settings)
{
	struct csign_settings settings = {0};
	enum csign_err r = csign_conf_parse(&csign_settings_table, to->path,
	    csign_buf_str(to->text), csign_buf_len(to->text), section,
	    &settings, to->why, to->report, to->arg);

	if (r == CSIGN_OK)
		r = check_together(&settings, to);
	if (r == CSIGN_OK)
		r = complete(&settings, to);
	if (r == CSIGN_OK)
		r = hash_config(crypto, to->text, settings.config_hash);
	if (r == CSIGN_OK)
		*ret_settings = settings;
	else
		csign_settings_clear(&settings);
	return r;
}

enum csign_err
csign_settings_load(struct csign_crypto *crypto, const char *path,
    const char *section, struct csign_settings *ret_settings,
    struct csign_why *why, void (*report)(void *arg, const char *finding),
    void *arg)
{
	enum csign_err r = CSIGN_E_INTERNAL;
	struct csign_buf *text = NULL;
	struct reporter to = {
	    .path = path == NULL ? CSIGN_CONFIG_PATH : path,
	    .why = why,
	    .report = report,
	    .arg = arg,
	};

	if ((r = read_config(&to, &text)) != CSIGN_OK)
		return r;
	to.text = text;
	r = settings_from(&to, crypto, section, ret_settings);
	csign_buf_free(&text);
	return r;
}

enum csign_err
csign_settings_parse(struct csign_crypto *crypto, const char *path,
    const struct csign_buf *text, struct csign_settings *ret_settings,
    struct csign_why *why)
{
	const struct reporter to = {.path = path, .text = text, .why = why};

	return settings_from(&to, crypto, NULL, ret_settings);
}

void
csign_settings_clear(struct csign_settings *settings)
{
	csign_conf_clear(&csign_settings_table, settings);
}

/* --- the access key ------------------------------------------------------- */

/* The key's characters in text, or 0: one line, with or without its end. */
static size_t
access_key_len(const char *text, size_t len)
{
	unsigned char bytes[ACCESS_KEY_BYTES];
	enum csign_err r = CSIGN_E_INTERNAL;
	size_t n = 0;

	if (len > 0 && text[len - 1] == '\n')
		len--;
	r = csign_b64u_decode(text, len, bytes, sizeof(bytes), &n);
	csign_wipe(bytes, sizeof(bytes));
	return r == CSIGN_OK && n == sizeof(bytes) ? len : 0;
}

enum csign_err
csign_settings_access_key(const struct csign_settings *settings,
    struct csign_why *why, struct csign_secret **ret_key)
{
	const char *path = settings->access_key_file;
	struct csign_secret *key = NULL;
	enum csign_err r = CSIGN_E_INTERNAL;
	struct csign_buf *text = NULL;
	size_t len = 0;

	r = csign_file_read(
	    path, CSIGN_FILE_SECRET, CSIGN_FILE_MAX, why, &text);
	if (r == CSIGN_E_NOT_FOUND)
		r = CSIGN_E_FILE;
	if (r != CSIGN_OK)
		goto out;
	len = access_key_len(csign_buf_str(text), csign_buf_len(text));
	if (len == 0) {
		csign_why_set(why,
		    "%s:1: is not an access key (one line of %d characters)",
		    path, CSIGN_ACCESS_KEY_LEN);
		r = CSIGN_E_CONFIG;
		goto out;
	}
	if ((r = csign_secret_new(len + 1, &key)) != CSIGN_OK)
		goto out;
	memcpy(csign_secret_data(key), csign_buf_str(text), len);
	*ret_key = key;
	key = NULL;
	r = CSIGN_OK;
out:
	csign_secret_free(&key);
	csign_buf_free(&text);
	return r;
}
