/* SPDX-License-Identifier: BSD-2-Clause */
/* The host that a login is at: accounts, phones, codes and configuration. */
#include "config.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "countersign.h"
#include "login_impl.h"
#include "own_run.h"
#include "state.h"
#include "store.h"

#define BOOT_US UINT64_C(1000000000) /* the host has run for a while */

static bool
make_folder(struct login *l, const char *under)
{
	(void)snprintf(l->dir, sizeof(l->dir), "%s/csign-attack.XXXXXX", under);
	return mkdtemp(l->dir) != NULL;
}

static const char *
build_folder(void)
{
	const char *top = getenv("top_builddir");

	return top == NULL ? "." : top;
}

void
login_configure(struct login *l, const char *more)
{
	char text[4096];

	(void)snprintf(text, sizeof(text),
	    "service = https://approve.example.org\n"
	    "access_key_file = %s/access.key\n"
	    "state_dir = %s/store\n"
	    "audit_file = %s/audit.log\n"
	    "audit_syslog = no\n"
	    "evidence_file = %s/evidence.log\n"
	    "courier_user = courier\n"
	    "%s%s%s",
	    l->dir, l->dir, l->dir, l->dir,
	    strstr(more, "host = ") == NULL ? "host = web1\n" : "",
	    strstr(more, "device_kinds") == NULL
		? "device_kinds = webauthn p256\n"
		: "",
	    more);
	login_put(l, LOGIN_CONFIG, text, strlen(text));
	if (login_file_of(l, LOGIN_CONFIG) != NULL)
		login_take_file(
		    l, LOGIN_CONFIG, login_file_of(l, LOGIN_CONFIG));
}

const char *
login_config_option(const struct login *l)
{
	return l->config_option;
}

static struct csign_p256 *
key_from(struct login *l, int last)
{
	unsigned char scalar[32] = {[31] = (unsigned char)last};
	struct csign_p256 *key = NULL;

	if (csign_p256_from_scalar(l->crypto, scalar, &key) != CSIGN_OK)
		login_fail("key");
	return key;
}

static void
enrol(struct login *l, const char *user, enum login_phone first, size_t n)
{
	struct csign_device *devices = calloc(n, sizeof(*devices));
	const struct csign_device_list list = {devices, n};
	struct csign_state_lock *lock = NULL;
	struct csign_account account;
	struct csign_state state = {.had_device = true};
	struct csign_why why = {""};
	char store[LOGIN_PATH];

	if (devices == NULL)
		login_fail("memory");
	login_path(l, "store", store, sizeof(store));
	for (size_t i = 0; i < n; i++) {
		struct csign_device *d = &devices[i];

		d->kind = CSIGN_KIND_P256;
		d->has_seal = true;
		d->added = 1700000000;
		csign_p256_point(l->keys[first + i], d->point);
		csign_p256_point(l->seals[first + i], d->seal);
		(void)snprintf(d->by, sizeof(d->by), "root");
		(void)snprintf(d->name, sizeof(d->name), "phone %zu", i + 1);
		if (csign_device_id(l->crypto, d->point, d->id) != CSIGN_OK)
			login_fail("device id");
	}
	if (csign_account_find(user, &account, &why) != CSIGN_OK ||
	    csign_state_lock(l->crypto, store, &account, &why, &lock) !=
		CSIGN_OK ||
	    csign_devices_write(l->crypto, store, &account, &list, &why) !=
		CSIGN_OK ||
	    csign_state_write(lock, &state, &why) != CSIGN_OK)
		login_fail(why.text);
	csign_state_unlock(&lock);
	free(devices);
}

static void
make_codes(struct login *l)
{
	struct csign_ctx *ctx = NULL;
	char path[LOGIN_PATH];

	login_path(l, LOGIN_CONFIG, path, sizeof(path));
	if (csign_ctx_new(NULL, &ctx) != CSIGN_OK ||
	    csign_ctx_load(ctx, path, NULL) != CSIGN_OK ||
	    csign_recovery_make(ctx, "alice", "root", l->codes) != CSIGN_OK)
		login_fail(ctx == NULL ? "memory" : csign_ctx_why(ctx));
	csign_ctx_free(&ctx);
}

static void
set_up(struct login *l)
{
	static const char key[] =
	    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n";
	char path[LOGIN_PATH];

	if (csign_crypto_new(&l->crypto) != CSIGN_OK)
		login_fail("crypto");
	for (int i = 0; i < LOGIN_PHONES; i++) {
		l->keys[i] = key_from(l, i + 1);
		l->seals[i] = key_from(l, i + 101);
	}
	login_put(l, "access.key", key, sizeof(key) - 1);
	login_configure(l, "");
	login_path(l, "store", path, sizeof(path));
	if (csign_store_create(path, NULL) != CSIGN_OK)
		login_fail(path);
	enrol(l, "alice", LOGIN_PHONE_1, LOGIN_ALICE_PHONES);
	enrol(l, "bob", LOGIN_PHONE_BOB, 1);
	make_codes(l);
	/* The records of that are no login's. */
	login_path(l, LOGIN_AUDIT, path, sizeof(path));
	(void)unlink(path);
	login_remember_files(l);
}

struct login *
login_open(void)
{
	struct login *l = calloc(1, sizeof(*l));
	mode_t mask = umask(077);

	if (l == NULL || !make_folder(l, own_run() ? "/run" : build_folder()))
		login_fail("no folder");
	(void)umask(022);
	login_courier_begin(l);
	l->now_us = BOOT_US;
	(void)snprintf(l->config_option, sizeof(l->config_option),
	    "config=%s/%s", l->dir, LOGIN_CONFIG);
	login_on_stage = l;
	set_up(l);
	login_on_stage = NULL;
	(void)umask(mask);
	return l;
}

static int
drop(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

void
login_close(struct login **lp)
{
	struct login *l = *lp;

	if (l == NULL)
		return;
	login_courier_end(l);
	(void)nftw(l->dir, drop, 8, FTW_PHYS | FTW_DEPTH);
	for (int i = 0; i < LOGIN_PHONES; i++) {
		csign_p256_free(&l->keys[i]);
		csign_p256_free(&l->seals[i]);
	}
	csign_crypto_free(&l->crypto);
	for (size_t i = 0; i < l->n_files; i++)
		free(l->files[i].bytes);
	for (size_t i = 0; i < 3; i++)
		free(l->before[i].bytes);
	for (size_t i = 0; i < l->n_typed; i++)
		free(l->typed[i]);
	oracle_forget(&l->memory);
	free(l);
	*lp = NULL;
}

const char *
login_recovery_code(const struct login *l, size_t n)
{
	return l->codes[n];
}

struct csign_crypto *
login_crypto(struct login *l)
{
	return l->crypto;
}

const struct csign_p256 *
login_key(const struct login *l, enum login_phone phone)
{
	return l->keys[phone];
}

const struct csign_p256 *
login_seal_key(const struct login *l, enum login_phone phone)
{
	return l->seals[phone];
}

enum csign_err __real_csign_crypto_new(struct csign_crypto **ret_crypto);
enum csign_err __wrap_csign_crypto_new(struct csign_crypto **ret_crypto);
void __real_csign_crypto_free(struct csign_crypto **crypto);
void __wrap_csign_crypto_free(struct csign_crypto **crypto);

void
login_share_crypto(struct login *l, bool share)
{
	l->share = share;
}

enum csign_err
__wrap_csign_crypto_new(struct csign_crypto **ret_crypto)
{
	struct login *l = login_on_stage;

	if (l == NULL || !l->share || l->crypto == NULL)
		return __real_csign_crypto_new(ret_crypto);
	*ret_crypto = l->crypto;
	return CSIGN_OK;
}

void
__wrap_csign_crypto_free(struct csign_crypto **crypto)
{
	struct login *l = login_on_stage;

	if (l != NULL && crypto != NULL && *crypto == l->crypto)
		*crypto = NULL;
	else
		__real_csign_crypto_free(crypto);
}
