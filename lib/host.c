/* SPDX-License-Identifier: BSD-2-Clause */
/* The host and its service: countersign.h, section of that name. */
#include "config.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "account.h"
#include "buf.h"
#include "codec.h"
#include "ctx.h"
#include "device.h"
#include "dir.h"
#include "errand.h"
#include "file.h"
#include "link.h"
#include "settings.h"
#include "state.h"

#define KEY_NAME "access.key"
#define INIT_LOCK_MS 10000

struct findings {
	struct csign_ctx *ctx;
	void (*report)(void *arg, const char *finding);
	void *arg;
	bool any;
};

static void
found(struct findings *f)
{
	f->any = true;
	if (f->report != NULL)
		f->report(f->arg, f->ctx->why.text);
}

/*
 * Has the file's name an account?  With this uid, unless it is CSIGN_UID_ANY.
 * what: "devices/alice".
 */
static bool
find_owner(struct findings *f, const char *what, const char *user, uid_t uid,
    struct csign_account *ret_account)
{
	const char *dir = f->ctx->settings.state_dir;
	struct csign_why *why = &f->ctx->why;
	enum csign_err r = csign_account_find(user, ret_account, why);

	if (r == CSIGN_OK && strcmp(ret_account->name, user) == 0 &&
	    (uid == CSIGN_UID_ANY || uid == ret_account->uid))
		return true;
	if (r == CSIGN_OK)
		csign_why_set(why,
		    "%s/%s: is of an earlier %s, who now is %s with the uid "
		    "%u: \"countersign deenroll %s\" removes it",
		    dir, what, user, ret_account->name,
		    (unsigned)ret_account->uid, user);
	else if (r == CSIGN_E_UNKNOWN_USER)
		csign_why_set(why,
		    "%s/%s: there is a file for %s, but no such account: "
		    "\"countersign deenroll %s\" removes it",
		    dir, what, user, user);
	found(f);
	return false;
}

/* Reads one account's files as a login would. */
static bool
check_account(void *arg, const char *user)
{
	struct findings *f = arg;
	struct csign_ctx *ctx = f->ctx;
	const char *dir = ctx->settings.state_dir;
	struct csign_device_list list = {NULL, 0};
	char what[CSIGN_STORE_PATH_SIZE], file[CSIGN_FILE_NAME_MAX + 1];
	struct csign_account account;

	if (csign_account_file_name(user, file) != CSIGN_OK)
		return true; /* nobody's: csign_devices_each() never says so */
	(void)snprintf(what, sizeof(what), "%s/%s", CSIGN_STORE_DEVICES, file);
	if (!find_owner(f, what, user, CSIGN_UID_ANY, &account))
		return true;
	if (csign_devices_read(ctx->crypto, dir, &account, &list, &ctx->why) !=
	    CSIGN_OK)
		found(f);
	csign_device_list_clear(&list);
	return true;
}

/* The same for what is remembered: also of accounts without devices. */
static bool
check_state(void *arg, const struct csign_account *whose)
{
	struct findings *f = arg;
	struct csign_ctx *ctx = f->ctx;
	char what[CSIGN_STORE_PATH_SIZE];
	struct csign_account account = *whose;
	struct csign_state state;

	(void)snprintf(what, sizeof(what), "%s/%u", CSIGN_STORE_STATE,
	    (unsigned)whose->uid);
	if (whose->name[0] != '\0' &&
	    !find_owner(f, what, whose->name, whose->uid, &account))
		return true;
	if (csign_state_peek(ctx->crypto, ctx->settings.state_dir, &account,
		&state, &ctx->why) != CSIGN_OK)
		found(f);
	return true;
}

static void
take_settings(struct csign_ctx *ctx, const struct csign_settings *settings)
{
	csign_settings_clear(&ctx->settings);
	ctx->settings = *settings;
	ctx->loaded = true;
}

enum csign_err
csign_host_check(struct csign_ctx *ctx, const char *path,
    void (*report)(void *arg, const char *finding), void *arg)
{
	struct findings f = {ctx, report, arg, false};
	struct csign_settings settings = {0};
	struct csign_secret *key = NULL;
	enum csign_err r;

	if (ctx == NULL)
		return CSIGN_E_INVALID;
	if ((r = csign_settings_load(ctx->crypto, path, NULL, &settings,
		 &ctx->why, report, arg)) != CSIGN_OK)
		return r;
	take_settings(ctx, &settings);
	if (csign_settings_access_key(&ctx->settings, &ctx->why, &key) !=
	    CSIGN_OK)
		found(&f);
	csign_secret_free(&key);
	if (csign_devices_each(ctx->settings.state_dir, check_account, &f,
		&ctx->why) != CSIGN_OK)
		found(&f);
	if (csign_state_each(ctx->settings.state_dir, check_state, &f,
		&ctx->why) != CSIGN_OK)
		found(&f);
	return f.any ? CSIGN_E_CONFIG : CSIGN_OK;
}

static enum csign_err
check_init(struct csign_ctx *ctx, const char *url, const char *key)
{
	unsigned char bytes[32];
	size_t len = 0;

	if (csign_origin_check(url) != CSIGN_OK) {
		csign_why_set(&ctx->why,
		    "the service is named as https://host or "
		    "https://host:port, not \"%s\"",
		    url);
		return CSIGN_E_INVALID;
	}
	if (strlen(key) != CSIGN_ACCESS_KEY_LEN ||
	    csign_b64u_decode(key, CSIGN_ACCESS_KEY_LEN, bytes, sizeof(bytes),
		&len) != CSIGN_OK ||
	    len != sizeof(bytes)) {
		csign_why_set(&ctx->why,
		    "the access key is not the %d characters that "
		    "\"countersignd host add\" printed",
		    CSIGN_ACCESS_KEY_LEN);
		csign_wipe(bytes, sizeof(bytes));
		return CSIGN_E_INVALID;
	}
	csign_wipe(bytes, sizeof(bytes));
	return CSIGN_OK;
}

/* "/a/b/c" -> "/a/b" and "c". */
static enum csign_err
split_path(const char *path, struct csign_buf *ret_dir, const char **ret_name)
{
	const char *slash = strrchr(path, '/');

	if (path[0] != '/' || slash == path || slash[1] == '\0')
		return CSIGN_E_INVALID;
	*ret_name = slash + 1;
	return csign_buf_put(ret_dir, path, (size_t)(slash - path));
}

static enum csign_err
write_config(const char *url, const char *dir, const char *settings,
    struct csign_buf *out)
{
	return csign_buf_putf(out,
	    "# countersign.conf(5): this host and its approval service\n"
	    "service = %s\n"
	    "access_key_file = %s/" KEY_NAME "\n"
	    "%s",
	    url, dir, settings == NULL ? "" : settings);
}

/*
 * The context knows by it where everything lies, before anything is written;
 * it keeps that also if writing fails.
 */
static enum csign_err
try_config(
    struct csign_ctx *ctx, const char *path, const struct csign_buf *text)
{
	struct csign_settings settings = {0};
	enum csign_err r =
	    csign_settings_parse(ctx->crypto, path, text, &settings, &ctx->why);

	if (r == CSIGN_OK)
		take_settings(ctx, &settings);
	return r;
}

static enum csign_err
write_key(struct csign_ctx *ctx, int dirfd, const char *key)
{
	enum csign_err r = CSIGN_E_INTERNAL;
	struct csign_buf *secret = NULL;

	if ((r = csign_buf_new(CSIGN_ACCESS_KEY_LEN + 1, &secret)) != CSIGN_OK)
		return r;
	if ((r = csign_buf_putf(secret, "%s\n", key)) == CSIGN_OK)
		r = csign_file_replace_at(dirfd, KEY_NAME, 0600,
		    csign_buf_data(secret), csign_buf_len(secret), &ctx->why);
	csign_buf_free(&secret);
	return r;
}

/* The folder that a file will be in, unless it is there and safe. */
static enum csign_err
make_log_dir(struct csign_ctx *ctx, const char *path)
{
	const char *name = NULL;
	enum csign_err r = CSIGN_E_INTERNAL;
	struct csign_buf *dir = NULL;
	int dirfd = -1;

	if (csign_dir_parent(path, S_IWOTH, &ctx->why, &dirfd, &name) ==
	    CSIGN_OK) {
		csign_close(&dirfd);
		return CSIGN_OK;
	}
	if ((r = csign_buf_new(CSIGN_CONF_LINE_MAX, &dir)) != CSIGN_OK ||
	    (r = split_path(path, dir, &name)) != CSIGN_OK)
		goto out;
	r = csign_dir_create(csign_buf_str(dir), 0750, &ctx->why, &dirfd);
	csign_close(&dirfd);
out:
	csign_buf_free(&dir);
	return r;
}

/*
 * The configuration last: a host that has one is whole, and what is there
 * without one is completed by the next try, whatever cut this one off.
 */
static enum csign_err
write_host(struct csign_ctx *ctx, int dirfd, const char *name, const char *key,
    const struct csign_buf *conf)
{
	const struct csign_settings *set = &ctx->settings;
	enum csign_err r = csign_store_create(set->state_dir, &ctx->why);

	if (r == CSIGN_OK && set->audit_file != NULL)
		r = make_log_dir(ctx, set->audit_file);
	if (r == CSIGN_OK && set->evidence)
		r = make_log_dir(ctx, set->evidence_file);
	if (r == CSIGN_OK)
		r = write_key(ctx, dirfd, key);
	if (r == CSIGN_OK)
		r = csign_file_create_at(dirfd, name, 0644,
		    csign_buf_data(conf), csign_buf_len(conf), &ctx->why);
	return r;
}

enum csign_err
csign_host_init(struct csign_ctx *ctx, const char *config_path,
    const char *service_url, const char *access_key, const char *settings)
{
	const char *path =
	    config_path == NULL ? CSIGN_CONFIG_PATH : config_path;
	enum csign_err r = CSIGN_E_INTERNAL;
	struct csign_buf *dir = NULL, *conf = NULL;
	const char *name = NULL;
	int dirfd = -1;

	if (ctx == NULL || service_url == NULL || access_key == NULL)
		return CSIGN_E_INVALID;
	if ((r = check_init(ctx, service_url, access_key)) != CSIGN_OK ||
	    (r = csign_buf_new(CSIGN_CONF_LINE_MAX, &dir)) != CSIGN_OK ||
	    (r = csign_buf_new(CSIGN_FILE_MAX, &conf)) != CSIGN_OK)
		goto out;
	if ((r = split_path(path, dir, &name)) != CSIGN_OK) {
		csign_why_set(&ctx->why, "%s: not an absolute path", path);
		goto out;
	}
	if ((r = csign_dir_create(
		 csign_buf_str(dir), 0755, &ctx->why, &dirfd)) != CSIGN_OK)
		goto out;
	/* Of two at once, the second one finds the first one's work. */
	if ((r = csign_file_lock(dirfd, INIT_LOCK_MS, csign_buf_str(dir),
		 &ctx->why)) != CSIGN_OK)
		goto out;
	if (faccessat(dirfd, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0) {
		csign_why_set(&ctx->why,
		    "%s: there is a configuration already; it was not changed",
		    path);
		r = CSIGN_E_EXISTS;
		goto out;
	}
	if ((r = write_config(service_url, csign_buf_str(dir), settings,
		 conf)) == CSIGN_OK &&
	    (r = try_config(ctx, path, conf)) == CSIGN_OK)
		r = write_host(ctx, dirfd, name, access_key, conf);
out:
	csign_close(&dirfd);
	csign_buf_free(&conf);
	csign_buf_free(&dir);
	return r;
}

enum csign_err
csign_service_ping(struct csign_ctx *ctx)
{
	const struct csign_errand errand = {
	    .op = CSIGN_OP_PING, .subject = "", .link_id = ""};

	if (!csign_ctx_enter(ctx))
		return CSIGN_E_INVALID;
	return csign_errand_run(ctx, &errand);
}

enum csign_err
csign_service_remove_user(struct csign_ctx *ctx, const char *user)
{
	struct csign_errand errand = {
	    .op = CSIGN_OP_REMOVE_USER, .link_id = ""};
	struct csign_account account;
	enum csign_err r;

	if (!csign_ctx_enter(ctx) || user == NULL)
		return CSIGN_E_INVALID;
	r = csign_account_find(user, &account, &ctx->why);
	/* Of an account that is gone, the service may still know the name. */
	if (r != CSIGN_OK && r != CSIGN_E_UNKNOWN_USER)
		return r;
	errand.subject = r == CSIGN_OK ? account.name : user;
	return csign_errand_run(ctx, &errand);
}

enum csign_err
csign_service_remove_device(struct csign_ctx *ctx, const char *device_id)
{
	const struct csign_errand errand = {
	    .op = CSIGN_OP_REMOVE_DEVICE, .subject = device_id, .link_id = ""};

	if (!csign_ctx_enter(ctx) || device_id == NULL)
		return CSIGN_E_INVALID;
	return csign_errand_run(ctx, &errand);
}

enum csign_err
csign_service_rename_device(
    struct csign_ctx *ctx, const char *device_id, const char *name)
{
	struct csign_errand errand = {
	    .op = CSIGN_OP_RENAME_DEVICE, .subject = device_id, .link_id = ""};

	if (!csign_ctx_enter(ctx) || device_id == NULL || name == NULL ||
	    name[0] == '\0' || csign_device_name_check(name) != CSIGN_OK)
		return CSIGN_E_INVALID;
	errand.content = (const unsigned char *)name;
	errand.content_len = strlen(name);
	return csign_errand_run(ctx, &errand);
}
