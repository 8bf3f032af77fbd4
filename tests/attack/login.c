/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "countersign.h"
#include "login_impl.h"
#include "phone.h"
#include "state.h"
#include "store.h"

#define BOOT_US UINT64_C(1000000000) /* the host has run for a while */

void
login_fail(const char *what)
{
	(void)fprintf(
	    stderr, "tests/attack/login: %s: %s\n", what, strerror(errno));
	abort();
}

/* --- files ----------------------------------------------------------------
 */

void
login_path(const struct login *l, const char *name, char *out, size_t size)
{
	(void)snprintf(out, size, "%s/%s", l->dir, name);
}

static int
mode_of(const char *name)
{
	return strcmp(name, LOGIN_CONFIG) == 0 ? 0644 : 0600;
}

void
login_put(struct login *l, const char *name, const void *bytes, size_t len)
{
	char path[LOGIN_PATH];
	int fd;

	login_path(l, name, path, sizeof(path));
	l->backstage++;
	fd =
	    open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode_of(name));
	if (fd < 0 || write(fd, bytes, len) != (ssize_t)len || close(fd) != 0)
		login_fail(path);
	l->backstage--;
}

char *
login_get(const struct login *l, const char *name, size_t *ret_len)
{
	char path[LOGIN_PATH];
	struct stat st;
	char *bytes;
	int fd;

	login_path(l, name, path, sizeof(path));
	if ((fd = open(path, O_RDONLY | O_CLOEXEC)) < 0)
		return NULL;
	if (fstat(fd, &st) != 0 ||
	    (bytes = malloc((size_t)st.st_size + 1)) == NULL ||
	    read(fd, bytes, (size_t)st.st_size) != st.st_size)
		login_fail(path);
	(void)close(fd);
	bytes[st.st_size] = '\0';
	if (ret_len != NULL)
		*ret_len = (size_t)st.st_size;
	return bytes;
}

static bool
is_file(const struct login *l, const struct login_file *file)
{
	size_t len = 0;
	char *now = login_get(l, file->name, &len);
	bool same = (now == NULL) == (file->bytes == NULL) &&
		    len == file->len &&
		    (now == NULL || memcmp(now, file->bytes, len) == 0);

	free(now);
	return same;
}

static struct login_file *
file_of(struct login *l, const char *name)
{
	for (size_t i = 0; i < l->n_files; i++)
		if (strcmp(l->files[i].name, name) == 0)
			return &l->files[i];
	return NULL;
}

static void
take_file(const struct login *l, const char *name, struct login_file *file)
{
	free(file->bytes);
	*file = (struct login_file){.bytes = NULL};
	(void)snprintf(file->name, sizeof(file->name), "%s", name);
	file->bytes = login_get(l, name, &file->len);
}

/* Calls visit with each file of the folder, by its name under l->dir. */
static void
each_file(struct login *l, const char *folder,
    void (*visit)(struct login *l, const char *name))
{
	char path[LOGIN_PATH], name[LOGIN_PATH];
	const struct dirent *entry;
	DIR *dir;

	login_path(l, folder, path, sizeof(path));
	if ((dir = opendir(path)) == NULL)
		login_fail(path);
	while ((entry = readdir(dir)) != NULL) {
		if (entry->d_type != DT_REG)
			continue;
		(void)snprintf(name, sizeof(name), "%s%s%.200s", folder,
		    folder[0] == '\0' ? "" : "/", entry->d_name);
		visit(l, name);
	}
	(void)closedir(dir);
}

static void
each(struct login *l, void (*visit)(struct login *l, const char *name))
{
	each_file(l, "", visit);
	each_file(l, "store", visit);
	each_file(l, "store/devices", visit);
	each_file(l, "store/state", visit);
}

static void
remember(struct login *l, const char *name)
{
	if (l->n_files == LOGIN_FILES_MAX)
		login_fail("too many files");
	take_file(l, name, &l->files[l->n_files++]);
}

static bool
is_lock(const char *name)
{
	const char *dot = strrchr(name, '.');

	return dot != NULL && strcmp(dot, ".lock") == 0;
}

static void
remove_new(struct login *l, const char *name)
{
	char path[LOGIN_PATH];

	login_path(l, name, path, sizeof(path));
	if (file_of(l, name) == NULL && !is_lock(name) && unlink(path) != 0)
		login_fail(path);
}

void
login_reset(struct login *l)
{
	l->backstage++;
	each(l, remove_new);
	for (size_t i = 0; i < l->n_files; i++)
		if (!is_file(l, &l->files[i]))
			login_put(l, l->files[i].name, l->files[i].bytes,
			    l->files[i].len);
	l->backstage--;
}

void
login_keep_files(struct login *l, bool keep)
{
	l->keep = keep;
}

/* --- the host -------------------------------------------------------------
 */

static bool
make_folder(struct login *l, const char *under)
{
	(void)snprintf(l->dir, sizeof(l->dir), "%s/csign-attack.XXXXXX", under);
	return mkdtemp(l->dir) != NULL;
}

/* In memory, seen by this process alone; else on the disk. */
static void
mount_folder(struct login *l)
{
	if (geteuid() != 0 || unshare(CLONE_NEWNS) != 0 ||
	    mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0)
		return;
	l->mounted = mount("none", l->dir, "tmpfs", 0, "mode=0700") == 0;
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
	if (file_of(l, LOGIN_CONFIG) != NULL)
		take_file(l, LOGIN_CONFIG, file_of(l, LOGIN_CONFIG));
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
	each(l, remember);
}

struct login *
login_open(void)
{
	struct login *l = calloc(1, sizeof(*l));
	mode_t mask = umask(077);

	if (l == NULL || (!make_folder(l, geteuid() == 0 ? "/run" : "") &&
			     !make_folder(l, build_folder())))
		login_fail("no folder");
	mount_folder(l);
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
	if (l->mounted)
		(void)umount2(l->dir, MNT_DETACH);
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

const char *
login_link(const struct login *l)
{
	return l->link;
}

const char *
login_digits(const struct login *l)
{
	return l->digits;
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

/* --- one login ------------------------------------------------------------
 */

int pam_sm_authenticate(
    pam_handle_t *pamh, int flags, int argc, const char **argv);

static void
begin(struct login *l, const struct login_script *script)
{
	static const char *const counts[] = {
	    LOGIN_STATE, LOGIN_DEVICES, LOGIN_RINGS};

	if (!l->keep)
		login_reset(l);
	if (script->prepare != NULL)
		script->prepare(script->arg, l);
	for (size_t i = 0; i < 3; i++)
		take_file(l, counts[i], &l->before[i]);
	for (size_t i = 0; i < l->n_typed; i++)
		free(l->typed[i]);
	l->n_typed = 0;
	memset(l->typed, 0, sizeof(l->typed));
	l->result = (struct login_result){.code = PAM_SYSTEM_ERR};
	l->script = script;
	l->began_us = l->now_us;
	login_courier_end(l); /* of the login before: the oracle may ask */
	login_courier_begin(l);
}

static int
call(struct login *l)
{
	const char *argv[16] = {l->config_option};
	int argc = 1;

	if (l->script->instead != NULL)
		return l->script->instead(l->script->arg, l);
	if (l->script->args != NULL)
		for (argc = 0; argc < 15 && l->script->args[argc] != NULL;
		     argc++)
			argv[argc] = l->script->args[argc];
	return pam_sm_authenticate(&l->pam, l->script->flags, argc, argv);
}

/* Are there any?  The test itself may have some. */
static int
count_children(void)
{
	siginfo_t info = {.si_pid = 0};

	return waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0;
}

struct login_result
login_run(struct login *l, const struct login_script *script)
{
	struct csign_frame frame;
	int fds, children;

	l->backstage++;
	begin(l, script);
	login_pam_begin(l);
	fds = login_count_fds();
	children = count_children();
	login_on_stage = l;
	l->backstage--;
	for (int i = 0; i <= script->again; i++)
		l->result.code = call(l);
	l->backstage++;
	login_on_stage = NULL;
	l->result.ms = login_now(l);
	while (login_hear(l, &frame))
		continue;
	login_call_courier(l, LOGIN_FREED);
	login_hang_up(l);
	l->result.fds = login_count_fds() - fds;
	l->result.children = count_children() - children;
	(void)snprintf(l->who, sizeof(l->who), "%s",
	    l->pam.user == NULL ? "" : l->pam.user);
	login_pam_end(l);
	l->script = NULL;
	l->backstage--;
	return l->result;
}

bool
login_changed(const struct login *l, const char *name)
{
	for (size_t i = 0; i < 3; i++)
		if (strcmp(l->before[i].name, name) == 0)
			return !is_file(l, &l->before[i]);
	return true;
}

unsigned int
login_audited(const struct login *l, const char *text)
{
	char *audit = login_get(l, LOGIN_AUDIT, NULL), *rest = audit, *line;
	unsigned int n = 0;

	while (rest != NULL && (line = strsep(&rest, "\n")) != NULL)
		n += strstr(line, text) != NULL;
	free(audit);
	return n;
}

/* The uid that a name of ours leads to, and the name that the uid does. */
static bool
account_of(struct login *l, const char *name, struct csign_account *account)
{
	struct csign_why why;
	bool is;

	login_on_stage = l;
	is =
	    name != NULL && csign_account_find(name, account, &why) == CSIGN_OK;
	login_on_stage = NULL;
	return is;
}

bool
login_is_right(struct login *l, char *why, size_t size)
{
	struct csign_account account = {.uid = 0};
	struct oracle_case c = {.link = l->link,
	    .digits = l->digits,
	    .typed = (const char *const *)l->typed,
	    .n_typed = l->n_typed,
	    .content = {l->job.content, l->job.content_len, 0},
	    .answers = l->answers,
	    .n_answers = l->n_answers,
	    .ended = login_wall(l),
	    .born_ms = l->born_us / 1000,
	    .lifetime_ms = (uint64_t)l->job.lifetime * 1000,
	    .state_before = l->before[0].bytes};
	char name[LOGIN_PATH];
	char *devices, *state, *audit;
	bool right;

	l->backstage++;
	if (!account_of(l, l->who, &account)) {
		(void)snprintf(why, size, "there is no such account");
		l->backstage--;
		return false;
	}
	c.user = account.name;
	c.uid = account.uid;
	c.began = c.ended - (l->now_us - l->began_us) / 1000000 - 1;
	(void)snprintf(name, sizeof(name), "store/devices/%s", account.file);
	c.devices = devices = login_get(l, name, NULL);
	(void)snprintf(
	    name, sizeof(name), "store/state/%u", (unsigned)account.uid);
	c.state = state = login_get(l, name, NULL);
	c.audit = audit = login_get(l, LOGIN_AUDIT, NULL);
	right = oracle_agrees(&c, &l->memory, why, size);
	free(devices);
	free(state);
	free(audit);
	l->backstage--;
	return right;
}

/* --- a phone --------------------------------------------------------------
 */

/* Scans, and opens what the service would give it. */
static bool
scan(struct login *l, struct csign_link **ret_link,
    struct csign_question *ret_question)
{
	char *origin = NULL;

	if (login_job(l) == NULL ||
	    csign_link_parse(l->crypto, l->link, ret_link, &origin) != CSIGN_OK)
		return false;
	free(origin);
	if (csign_question_open(l->crypto, *ret_link, l->job.content,
		l->job.content_len, ret_question) == CSIGN_OK)
		return true;
	csign_link_free(ret_link);
	return false;
}

static uint64_t
wall_ms(const struct login *l)
{
	return login_wall(l) * 1000 + l->now_us / 1000 % 1000;
}

bool
login_sign(struct login *l, const struct csign_p256 *key, const char *choice,
    const char *code, struct csign_buf *out)
{
	return login_sign_at(l, key, choice, code, 0, out);
}

bool
login_sign_at(struct login *l, const struct csign_p256 *key, const char *choice,
    const char *code, int64_t ahead_ms, struct csign_buf *out)
{
	struct csign_question question = {.bytes = NULL};
	struct csign_link *link = NULL;
	enum csign_err r = CSIGN_E_INTERNAL;

	l->backstage++;
	if (scan(l, &link, &question))
		r = csign_phone_answer(l->crypto, link, &question, key, choice,
		    code, wall_ms(l) + (uint64_t)ahead_ms, out);
	csign_question_clear(&question);
	csign_link_free(&link);
	l->backstage--;
	return r == CSIGN_OK;
}

bool
login_decline(struct login *l, struct csign_buf *out)
{
	struct csign_question question = {.bytes = NULL};
	struct csign_link *link = NULL;
	enum csign_err r = CSIGN_E_INTERNAL;

	l->backstage++;
	if (scan(l, &link, &question))
		r = csign_phone_decline(l->crypto, link, out);
	csign_question_clear(&question);
	csign_link_free(&link);
	l->backstage--;
	return r == CSIGN_OK;
}

bool
login_enrol(struct login *l, const struct csign_p256 *key,
    const struct csign_p256 *seal_key, struct csign_buf *out)
{
	struct csign_question question = {.bytes = NULL};
	struct csign_link *link = NULL;
	enum csign_err r = CSIGN_E_INTERNAL;

	l->backstage++;
	if (scan(l, &link, &question))
		r = csign_phone_enrol(l->crypto, link, &question, key, seal_key,
		    "new phone", wall_ms(l), out);
	csign_question_clear(&question);
	csign_link_free(&link);
	l->backstage--;
	return r == CSIGN_OK;
}

bool
login_answer(struct login *l, enum login_phone phone, const char *choice)
{
	struct csign_buf *out = NULL;
	bool sent = false;

	l->backstage++;
	if (csign_buf_new(CSIGN_ANSWER_MAX, &out) != CSIGN_OK)
		login_fail("memory");
	if (login_sign(l, l->keys[phone], choice, "", out))
		sent = login_send_frame(l, CSIGN_FRAME_ANSWER, 0,
		    csign_buf_data(out), csign_buf_len(out));
	csign_buf_free(&out);
	l->backstage--;
	return sent;
}
