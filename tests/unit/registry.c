/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <pwd.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "registry.h"
#include "secret.h"
#include "store.h"

#define ACCOUNTS_MAX 8
#define DEVICES_MAX 32
#define STEPS_MAX 200

struct csign_ctx *registry;
struct registry_world world;

/* --- accounts, played ----------------------------------------------------- */

static struct {
	uid_t uid;
	char name[32];
} accounts[ACCOUNTS_MAX];

void
registry_account(uid_t uid, const char *name)
{
	size_t i = 0;

	while (i < ACCOUNTS_MAX && accounts[i].uid != uid &&
	       accounts[i].name[0] != '\0')
		i++;
	assert_true(i < ACCOUNTS_MAX);
	accounts[i].uid = uid;
	(void)snprintf(accounts[i].name, sizeof(accounts[i].name), "%s",
	    name == NULL ? "" : name);
}

int __wrap_getpwnam_r(const char *name, struct passwd *pwd, char *buf,
    size_t size, struct passwd **ret);
int __wrap_getpwuid_r(
    uid_t uid, struct passwd *pwd, char *buf, size_t size, struct passwd **ret);

static int
found(size_t i, struct passwd *pwd, char *buf, size_t size, struct passwd **ret)
{
	*ret = NULL;
	if (i == ACCOUNTS_MAX)
		return 0;
	(void)snprintf(buf, size, "%s", accounts[i].name);
	*pwd = (struct passwd){.pw_name = buf, .pw_uid = accounts[i].uid};
	*ret = pwd;
	return 0;
}

int
__wrap_getpwnam_r(const char *name, struct passwd *pwd, char *buf, size_t size,
    struct passwd **ret)
{
	size_t i = 0;

	while (i < ACCOUNTS_MAX && strcmp(accounts[i].name, name) != 0)
		i++;
	return found(i, pwd, buf, size, ret);
}

int
__wrap_getpwuid_r(
    uid_t uid, struct passwd *pwd, char *buf, size_t size, struct passwd **ret)
{
	size_t i = 0;

	while (i < ACCOUNTS_MAX &&
	       (accounts[i].uid != uid || accounts[i].name[0] == '\0'))
		i++;
	return found(i, pwd, buf, size, ret);
}

/* --- the system, played --------------------------------------------------- */

enum csign_err __real_csign_clock_boot(uint64_t *ret_ms);
enum csign_err __wrap_csign_clock_boot(uint64_t *ret_ms);
enum csign_err __real_csign_clock_boot_id(char out[CSIGN_BOOT_ID_SIZE]);
enum csign_err __wrap_csign_clock_boot_id(char out[CSIGN_BOOT_ID_SIZE]);
enum csign_err __real_csign_clock_wall(uint64_t *ret_ms);
enum csign_err __wrap_csign_clock_wall(uint64_t *ret_ms);
enum csign_err __real_csign_random(void *bytes, size_t len);
enum csign_err __wrap_csign_random(void *bytes, size_t len);
int __real_openat(int dirfd, const char *name, int flags, ...);
int __wrap_openat(int dirfd, const char *name, int flags, ...);
int __real_fchmod(int fd, mode_t mode);
int __wrap_fchmod(int fd, mode_t mode);
ssize_t __real_write(int fd, const void *bytes, size_t len);
ssize_t __wrap_write(int fd, const void *bytes, size_t len);
int __real_fsync(int fd);
int __wrap_fsync(int fd);
int __real_fdatasync(int fd);
int __wrap_fdatasync(int fd);
int __real_renameat2(
    int from_dir, const char *from, int to_dir, const char *to, unsigned flags);
int __wrap_renameat2(
    int from_dir, const char *from, int to_dir, const char *to, unsigned flags);
int __real_unlinkat(int dirfd, const char *name, int flags);
int __wrap_unlinkat(int dirfd, const char *name, int flags);

enum csign_err
__wrap_csign_clock_boot(uint64_t *ret_ms)
{
	static uint64_t now;

	if (world.boot_ms != 0) {
		*ret_ms = world.boot_ms;
		return CSIGN_OK;
	}
	if (world.clock_step == 0)
		return __real_csign_clock_boot(ret_ms);
	now += world.clock_step;
	*ret_ms = now;
	return CSIGN_OK;
}

enum csign_err
__wrap_csign_clock_boot_id(char out[CSIGN_BOOT_ID_SIZE])
{
	if (world.boot_id == NULL)
		return __real_csign_clock_boot_id(out);
	if (world.boot_id[0] == '\0')
		return CSIGN_E_CLOCK;
	memcpy(out, world.boot_id, CSIGN_BOOT_ID_SIZE);
	return CSIGN_OK;
}

enum csign_err
__wrap_csign_clock_wall(uint64_t *ret_ms)
{
	if (world.wall_ms == 0)
		return __real_csign_clock_wall(ret_ms);
	*ret_ms = world.wall_ms - 1;
	return CSIGN_OK;
}

enum csign_err
__wrap_csign_random(void *bytes, size_t len)
{
	return world.no_random ? CSIGN_E_RANDOM
			       : __real_csign_random(bytes, len);
}

/* A step: does it fail?  Or is it the last thing that is heard of us? */
static bool
fails(void)
{
	if (world.steps++ != world.at)
		return false;
	if (world.error == 0)
		(void)raise(world.signal != 0 ? world.signal : SIGKILL);
	errno = world.error;
	return true;
}

int
__wrap_openat(int dirfd, const char *name, int flags, ...)
{
	mode_t mode = 0;
	va_list ap;

	if ((flags & O_CREAT) == 0)
		return __real_openat(dirfd, name, flags);
	va_start(ap, flags);
	mode = va_arg(ap, mode_t);
	va_end(ap);
	return fails() ? -1 : __real_openat(dirfd, name, flags, mode);
}

int
__wrap_fchmod(int fd, mode_t mode)
{
	return fails() ? -1 : __real_fchmod(fd, mode);
}

ssize_t
__wrap_write(int fd, const void *bytes, size_t len)
{
	return fails() ? -1 : __real_write(fd, bytes, len);
}

int
__wrap_fsync(int fd)
{
	return fails() ? -1 : __real_fsync(fd);
}

int
__wrap_fdatasync(int fd)
{
	return fails() ? -1 : __real_fdatasync(fd);
}

int
__wrap_renameat2(
    int from_dir, const char *from, int to_dir, const char *to, unsigned flags)
{
	return fails() ? -1
		       : __real_renameat2(from_dir, from, to_dir, to, flags);
}

int
__wrap_unlinkat(int dirfd, const char *name, int flags)
{
	return fails() ? -1 : __real_unlinkat(dirfd, name, flags);
}

void
registry_crash(
    void (*prepare)(void), void (*change)(void), void (*check)(bool killed))
{
	int status = 0;

	for (long n = 0; n < STEPS_MAX; n++) {
		world.at = -1;
		prepare();
		(void)fflush(NULL);
		if (fork() == 0) {
			world.error = 0;
			world.steps = 0;
			world.at = n;
			change();
			_exit(0);
		}
		assert_true(wait(&status) > 0);
		if (WIFEXITED(status)) {
			assert_int_equal(WEXITSTATUS(status), 0);
			assert_true(n > 0);
			check(false);
			return;
		}
		assert_int_equal(WTERMSIG(status), SIGKILL);
		check(true);
	}
	fail_msg("it never comes to an end");
}

void
registry_fail(void (*prepare)(void), enum csign_err (*change)(void),
    void (*check)(enum csign_err r, bool failed))
{
	static const int errors[] = {ENOSPC, EROFS, EIO};
	enum csign_err r = CSIGN_E_INTERNAL;
	bool failed = false;

	for (size_t e = 0; e < N_ROWS(errors); e++) {
		for (long n = 0; n < STEPS_MAX; n++) {
			world.at = -1;
			prepare();
			world.error = errors[e];
			world.steps = 0;
			world.at = n;
			r = change();
			failed = world.steps > n;
			world.at = -1;
			check(r, failed);
			if (!failed)
				break;
		}
	}
}

/* --- the host ------------------------------------------------------------- */

int
registry_setup(void **state)
{
	if (people_setup(state) != 0)
		return -1;
	return csign_ctx_new(NULL, &registry) == CSIGN_OK ? 0 : -1;
}

int
registry_teardown(void **state)
{
	csign_ctx_free(&registry);
	return people_teardown(state);
}

void
registry_configure(const char *more)
{
	char text[4096], store[SCRATCH_PATH], audit[SCRATCH_PATH];

	(void)snprintf(store, sizeof(store), "%s", scratch(STORE));
	(void)snprintf(audit, sizeof(audit), "%s", scratch(AUDIT));
	(void)snprintf(text, sizeof(text),
	    "service = https://approve.example.org\n"
	    "host = web 1.example\n"
	    "state_dir = %s\n"
	    "audit_file = %s\n"
	    "audit_syslog = no\n"
	    "%s",
	    store, audit, more);
	scratch_put_text("countersign.conf", 0644, text);
	if (csign_ctx_load(registry, scratch("countersign.conf"), NULL) !=
	    CSIGN_OK)
		fail_msg("%s", csign_ctx_why(registry));
}

int
registry_fresh(void **state)
{
	world = (struct registry_world){.at = -1};
	memset(accounts, 0, sizeof(accounts));
	registry_account(alice.uid, alice.name);
	registry_account(bob.uid, bob.name);
	if (scratch_empty(state) != 0 ||
	    csign_store_create(scratch(STORE), NULL) != CSIGN_OK)
		return -1;
	registry_configure("");
	return 0;
}

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

void
registry_reinstall(void)
{
	(void)nftw(scratch(STORE), remove_one, 8, FTW_DEPTH | FTW_PHYS);
	assert_ok(csign_store_create(scratch(STORE), NULL));
}

bool
registry_exists(const char *name)
{
	struct stat st;

	return lstat(scratch(name), &st) == 0;
}

void
registry_enrol(const struct csign_account *account, unsigned first, size_t n)
{
	struct csign_device_list list = {NULL, 0};
	struct csign_state state = {0};

	if (n > 0)
		people_list(first, n, &list);
	assert_ok(csign_devices_write(
	    people_crypto, scratch(STORE), account, &list, NULL));
	csign_device_list_clear(&list);
	if (n == 0)
		return;
	state = registry_state(account);
	state.had_device = true;
	registry_put_state(account, &state);
}

struct csign_state
registry_state(const struct csign_account *account)
{
	struct csign_why why = {""};
	struct csign_state state;

	if (csign_state_peek(people_crypto, scratch(STORE), account, &state,
		&why) != CSIGN_OK)
		fail_msg("%s", why.text);
	return state;
}

void
registry_put_state(
    const struct csign_account *account, const struct csign_state *state)
{
	struct csign_state_lock *lock = NULL;

	assert_ok(csign_state_lock(
	    people_crypto, scratch(STORE), account, NULL, &lock));
	assert_ok(csign_state_write(lock, state, NULL));
	csign_state_unlock(&lock);
}

struct csign_limit
registry_limit(const struct csign_account *account)
{
	return registry_state(account).limit;
}

struct csign_limit
registry_rings(const struct csign_account *account)
{
	struct csign_state rings;

	assert_ok(csign_rings_peek(
	    people_crypto, scratch(STORE), account, &rings, NULL));
	return rings.limit;
}

void
registry_put_limit(
    const struct csign_account *account, const struct csign_limit *limit)
{
	struct csign_state state = registry_state(account);

	state.limit = *limit;
	registry_put_state(account, &state);
}

size_t
registry_codes_left(const struct csign_account *account)
{
	const struct csign_state state = registry_state(account);

	return csign_state_codes_left(&state);
}

uint32_t
registry_counter(const struct csign_account *account, unsigned n)
{
	struct csign_state state = registry_state(account);

	return csign_state_use(&state, registry_id(n))->counter;
}

void
registry_set_counter(
    const struct csign_account *account, unsigned n, uint32_t counter)
{
	struct csign_state state = registry_state(account);

	csign_state_use(&state, registry_id(n))->counter = counter;
	registry_put_state(account, &state);
}

const char *
registry_devices(const struct csign_account *account)
{
	static char text[CSIGN_DEVICES_MAX * CSIGN_DEVICE_ID_SIZE + 1];
	struct csign_device_list list = {NULL, 0};
	struct csign_why why = {""};
	enum csign_err r = csign_devices_read(
	    people_crypto, scratch(STORE), account, &list, &why);
	size_t n = 0;

	text[0] = '\0';
	if (r != CSIGN_OK && r != CSIGN_E_UNENROLLED)
		fail_msg("%s", why.text);
	for (size_t i = 0; i < list.n; i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%s",
		    i == 0 ? "" : " ", list.items[i].id);
	csign_device_list_clear(&list);
	return text;
}

const char *
registry_id(unsigned n)
{
	static char ids[DEVICES_MAX][CSIGN_DEVICE_ID_SIZE];
	struct csign_device device;

	assert_true(n < DEVICES_MAX);
	if (ids[n][0] == '\0') {
		people_device(n, &device);
		memcpy(ids[n], device.id, sizeof(device.id));
	}
	return ids[n];
}

/* --- records -------------------------------------------------------------- */

void
assert_audit(const char *needle)
{
	size_t len = 0;
	char *text = scratch_get(AUDIT, &len), *line = text;

	assert_true(len > 0 && text[len - 1] == '\n');
	text[len - 1] = '\0';
	if (strrchr(text, '\n') != NULL)
		line = strrchr(text, '\n') + 1;
	if (strstr(line, needle) == NULL)
		fail_msg("%s is not in %s", needle, line);
	free(text);
}

void
assert_no_audit(const char *needle)
{
	char *text = NULL;

	if (!registry_exists(AUDIT))
		return;
	text = scratch_get(AUDIT, NULL);
	if (strstr(text, needle) != NULL)
		fail_msg("%s is in %s", needle, text);
	free(text);
}
