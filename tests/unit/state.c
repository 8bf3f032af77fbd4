/* SPDX-License-Identifier: BSD-2-Clause */
/* ST-1, ST-2, USR-2: what the host remembers, and that it is never half. */
#include "unit.h"

#include <errno.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "people.h"
#include "scratch.h"
#include "state.h"
#include "store.h"

#define STORE "store"
#define FILE_OF_ALICE STORE "/state/1001"
#define MARKER STORE "/state/.countersign"
#define ID_1 "4hx2k7q3m5rj6wza"
#define ID_2 "m2v6t8zq4c3xh5sd"
#define ID_3 "abcdefghijklmnop"
#define BOOT "1b4e28ba-2fa1-41d2-883f-0016d3cca427"

/* --- the system, played --------------------------------------------------- */

static struct {
	uint64_t clock_step; /* the clock jumps so far at each look */
	uint64_t now;
	int error; /* of the next fsync, rename or write */
	long calls, fail_at;
	bool failed;
} world;

enum csign_err __real_csign_clock_boot(uint64_t *ret_ms);
enum csign_err __wrap_csign_clock_boot(uint64_t *ret_ms);
int __real_fsync(int fd);
int __wrap_fsync(int fd);
int __real_renameat2(
    int from_dir, const char *from, int to_dir, const char *to, unsigned flags);
int __wrap_renameat2(
    int from_dir, const char *from, int to_dir, const char *to, unsigned flags);
ssize_t __real_write(int fd, const void *bytes, size_t len);
ssize_t __wrap_write(int fd, const void *bytes, size_t len);

enum csign_err
__wrap_csign_clock_boot(uint64_t *ret_ms)
{
	if (world.clock_step == 0)
		return __real_csign_clock_boot(ret_ms);
	world.now += world.clock_step;
	*ret_ms = world.now;
	return CSIGN_OK;
}

static bool
fails(void)
{
	if (world.error == 0 || world.calls++ != world.fail_at)
		return false;
	errno = world.error;
	world.failed = true;
	return true;
}

int
__wrap_fsync(int fd)
{
	return fails() ? -1 : __real_fsync(fd);
}

int
__wrap_renameat2(
    int from_dir, const char *from, int to_dir, const char *to, unsigned flags)
{
	return fails() ? -1
		       : __real_renameat2(from_dir, from, to_dir, to, flags);
}

ssize_t
__wrap_write(int fd, const void *bytes, size_t len)
{
	return fails() ? -1 : __real_write(fd, bytes, len);
}

static int
fresh(void **state)
{
	memset(&world, 0, sizeof(world));
	if (scratch_empty(state) != 0)
		return -1;
	return csign_store_create(scratch(STORE), NULL) == CSIGN_OK ? 0 : -1;
}

/* --- reading and writing -------------------------------------------------- */

static enum csign_err
lock_alice(struct csign_why *why, struct csign_state_lock **ret_lock)
{
	return csign_state_lock(
	    people_crypto, scratch(STORE), &alice, why, ret_lock);
}

static enum csign_err
peek(struct csign_state *state, struct csign_why *why)
{
	return csign_state_peek(
	    people_crypto, scratch(STORE), &alice, state, why);
}

static enum csign_err
save(const struct csign_state *state, struct csign_why *why)
{
	struct csign_state_lock *lock = NULL;
	enum csign_err r = CSIGN_E_INTERNAL;

	assert_ok(lock_alice(NULL, &lock));
	r = csign_state_write(lock, state, why);
	csign_state_unlock(&lock);
	assert_null(lock);
	csign_state_unlock(&lock);
	return r;
}

/* Two devices, one of them used. */
static struct csign_state
example(void)
{
	struct csign_state s = {0};

	s.had_device = true;
	csign_state_use(&s, ID_1)->counter = 4000000000U;
	csign_state_use(&s, ID_2)->last_used = 1763719331;
	s.recovery_made = 1763719332;
	s.n_codes = 2;
	memset(s.codes[0].hash, 0xab, sizeof(s.codes[0].hash));
	memset(s.codes[1].hash, 0x01, sizeof(s.codes[1].hash));
	s.codes[1].used = 1763719333;
	csign_state_bury(&s, ID_3, 1763719334);
	s.limit = (struct csign_limit){
	    .boot_id = BOOT,
	    .pushes = {{1763719335, -86400}, {1763719336, 512}},
	    .n_pushes = 2,
	    .open = "q83vEjRWeJCr",
	    .opened = {1763719336, 4294967295},
	    .open_for = 96,
	    .paused = {0, 0},
	    .pause = 86400,
	    .pauses = 7,
	    .not_me = true,
	    .denials = 1,
	    .unanswered = 2,
	    .wrong_codes = 100,
	};
	return s;
}

static bool
same_moment(const struct csign_moment *a, const struct csign_moment *b)
{
	return a->wall == b->wall && a->boot == b->boot;
}

static bool
same_limit(const struct csign_limit *a, const struct csign_limit *b)
{
	if (strcmp(a->boot_id, b->boot_id) != 0 || a->n_pushes != b->n_pushes ||
	    strcmp(a->open, b->open) != 0 ||
	    !same_moment(&a->opened, &b->opened) ||
	    a->open_for != b->open_for ||
	    !same_moment(&a->paused, &b->paused) || a->pause != b->pause ||
	    a->pauses != b->pauses || a->not_me != b->not_me ||
	    a->denials != b->denials || a->unanswered != b->unanswered ||
	    a->wrong_codes != b->wrong_codes)
		return false;
	for (size_t i = 0; i < a->n_pushes; i++) {
		if (!same_moment(&a->pushes[i], &b->pushes[i]))
			return false;
	}
	return true;
}

static bool
same(const struct csign_state *a, const struct csign_state *b)
{
	if (a->had_device != b->had_device || a->n_uses != b->n_uses ||
	    a->recovery_made != b->recovery_made || a->n_codes != b->n_codes ||
	    a->n_gone != b->n_gone || !same_limit(&a->limit, &b->limit))
		return false;
	for (size_t i = 0; i < a->n_uses; i++) {
		if (strcmp(a->uses[i].id, b->uses[i].id) != 0 ||
		    a->uses[i].counter != b->uses[i].counter ||
		    a->uses[i].last_used != b->uses[i].last_used)
			return false;
	}
	for (size_t i = 0; i < a->n_codes; i++) {
		if (memcmp(a->codes[i].hash, b->codes[i].hash,
			CSIGN_RECOVERY_HASH_LEN) != 0 ||
		    a->codes[i].used != b->codes[i].used)
			return false;
	}
	for (size_t i = 0; i < a->n_gone; i++) {
		if (strcmp(a->gone[i].id, b->gone[i].id) != 0 ||
		    a->gone[i].when != b->gone[i].when)
			return false;
	}
	return true;
}

static void
nothing_is_an_empty_state(void **state)
{
	struct csign_state_lock *lock = NULL;
	struct csign_state s;

	(void)state;
	memset(&s, 0xff, sizeof(s));
	assert_ok(peek(&s, NULL));
	assert_false(s.had_device);
	assert_int_equal(s.n_uses, 0);
	assert_int_equal(s.n_codes, 0);
	assert_int_equal(s.n_gone, 0);
	assert_int_equal(s.recovery_made, 0);
	memset(&s, 0xff, sizeof(s));
	assert_ok(lock_alice(NULL, &lock));
	assert_ok(csign_state_read(lock, &s, NULL));
	assert_false(s.had_device);
	assert_int_equal(s.n_uses, 0);
	csign_state_unlock(&lock);
}

#define HASH_1                                                                 \
	"abababababababababababababababababababababababababababababababab"
#define HASH_2                                                                 \
	"0101010101010101010101010101010101010101010101010101010101010101"
#define TEXT                                                                   \
	"countersign-state 3 user=alice uid=1001\n"                            \
	"had_device yes\n"                                                     \
	"use " ID_1 " counter=4000000000 last_used=never\n"                    \
	"use " ID_2 " counter=0 last_used=2025-11-21T10:02:11Z\n"              \
	"recovery_made 2025-11-21T10:02:12Z\n"                                 \
	"code " HASH_1 " used=never\n"                                         \
	"code " HASH_2 " used=2025-11-21T10:02:13Z\n"                          \
	"gone " ID_3 " 2025-11-21T10:02:14Z\n"                                 \
	"push not_me=yes denials=1 unanswered=2 wrong_codes=100 pauses=7 "     \
	"boot=" BOOT "\n"                                                      \
	"rang 2025-11-21T10:02:15Z boot=-86400\n"                              \
	"rang 2025-11-21T10:02:16Z boot=512\n"                                 \
	"ringing q83vEjRWeJCr 2025-11-21T10:02:16Z boot=4294967295 for=96\n"   \
	"paused 1970-01-01T00:00:00Z boot=0 for=86400\n"

static void
the_text_is_as_documented(void **state)
{
	const struct csign_state s = example();
	struct stat st;
	char *text = NULL;

	(void)state;
	assert_ok(save(&s, NULL));
	text = scratch_get(FILE_OF_ALICE, NULL);
	/* the checksum: sha256sum of the lines before it */
	assert_string_equal(text, TEXT
	    "sha256 "
	    "40c28173c8fd156f4074053b5820d528109a17a12bb49bf0ce5603c84e000e7b"
	    "\n");
	free(text);
	assert_int_equal(stat(scratch(FILE_OF_ALICE), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
}

static void
what_is_written_is_read(void **state)
{
	struct csign_state s = example(), again;
	char id[CSIGN_DEVICE_ID_SIZE] = "?bcdefghijklmnop";

	(void)state;
	assert_ok(save(&s, NULL));
	assert_ok(peek(&again, NULL));
	assert_true(same(&again, &s));
	for (unsigned i = 0; s.n_uses < CSIGN_DEVICES_MAX; i++) {
		id[0] = (char)('a' + i);
		csign_state_use(&s, id)->counter = i;
	}
	assert_ok(save(&s, NULL));
	assert_ok(peek(&again, NULL));
	assert_true(same(&again, &s));
	s = (struct csign_state){0};
	assert_ok(save(&s, NULL));
	assert_ok(peek(&again, NULL));
	assert_false(again.had_device);
}

static void
uses_are_kept_for_each_device(void **state)
{
	struct csign_state s = example();
	char id[CSIGN_DEVICE_ID_SIZE] = "?bcdefghijklmnop";

	(void)state;
	assert_int_equal(csign_state_use(&s, ID_1)->counter, 4000000000U);
	assert_int_equal(s.n_uses, 2);
	csign_state_forget(&s, ID_1);
	assert_int_equal(s.n_uses, 1);
	assert_string_equal(s.uses[0].id, ID_2);
	csign_state_forget(&s, "unknown");
	assert_int_equal(s.n_uses, 1);
	/* One that comes back starts from nothing. */
	assert_int_equal(csign_state_use(&s, ID_1)->counter, 0);
	for (unsigned i = 0; s.n_uses < CSIGN_DEVICES_MAX; i++) {
		id[0] = (char)('a' + i);
		assert_non_null(csign_state_use(&s, id));
	}
	assert_null(csign_state_use(&s, "one-device-more"));
	assert_non_null(csign_state_use(&s, ID_1));
	csign_state_forget(&s, ID_1);
	assert_null(csign_state_use(&s, "an-id-that-is-too-long-for-one"));
}

/* --- what is wrong with a file -------------------------------------------- */

/* Writes text with the checksum that it should have. */
static void
put_with_checksum(const char *text)
{
	const struct csign_part part = {text, strlen(text)};
	unsigned char digest[32];
	char file[4096];
	int n = snprintf(file, sizeof(file), "%ssha256 ", text);

	assert_ok(csign_sha256(people_crypto, &part, 1, digest));
	for (size_t i = 0; i < sizeof(digest); i++)
		n += snprintf(file + n, 8, "%02x", digest[i]);
	(void)snprintf(file + n, 8, "\n");
	scratch_put_text(FILE_OF_ALICE, 0600, file);
}

#define HEAD_1 "countersign-state 1 user=alice uid=1001\n"
#define HEAD_2 "countersign-state 2 user=alice uid=1001\n"
#define HEAD "countersign-state 3 user=alice uid=1001\n"
#define HAD "had_device yes\n"
#define USE "use " ID_1 " counter=1 last_used=never\n"
#define NEVER "recovery_made never\n"
#define MADE "recovery_made 2025-11-21T10:02:12Z\n"
#define CODE_1 "code " HASH_1 " used=never\n"
#define CODE_2 "code " HASH_2 " used=2025-11-21T10:02:13Z\n"
#define GONE "gone " ID_3 " 2025-11-21T10:02:14Z\n"
#define COUNTS "push not_me=no denials=0 unanswered=0 wrong_codes=0 pauses=0 "
#define PUSH COUNTS "boot=none\n"
#define PUSH_BOOT COUNTS "boot=" BOOT "\n"
#define AT "2025-11-21T10:02:14Z boot=512"
#define RANG "rang " AT "\n"
#define RINGING "ringing q83vEjRWeJCr " AT " for=96\n"
#define PAUSED "paused " AT " for=900\n"
#define TOP HEAD HAD NEVER

static const struct {
	const char *text;
	const char *why; /* after the path; NULL: it is right */
} files[] = {
    {HEAD_1 HAD, NULL},
    {HEAD_1 HAD USE, NULL},
    {HEAD_2 HAD NEVER, NULL},
    {HEAD_2 HAD MADE, NULL},
    {HEAD_2 HAD USE NEVER GONE, NULL},
    {HEAD_2 HAD USE MADE CODE_1 CODE_2 GONE, NULL},
    {"countersign-state 4 user=alice uid=1001\nsomething new\n",
	":1: this was written by a newer version of countersign"},
    {"countersign-state 0 user=alice uid=1001\n" HAD,
	":1: the header is malformed"},
    {"countersign-state x user=alice uid=1001\n" HAD,
	":1: this is not a state file"},
    {"# countersign-devices 1 user=alice uid=1001\n" HAD,
	":1: this is not a state file"},
    {"countersign-state 2 user=bob uid=1001\n" HAD,
	":1: the header names another account"},
    {"countersign-state 2 user=alice uid=1002\n" HAD,
	":1: the header names another account"},
    {"countersign-state 2 uid=1001 user=alice\n" HAD,
	":1: the header is malformed"},
    {"countersign-state 2 user=alice uid=1001 x=1\n" HAD,
	":1: the header is malformed"},
    {"countersign-state 2 user=alice\n" HAD, ":1: the header is malformed"},
    {HEAD, ":2: there is no had_device"},
    {HEAD_2 USE, ":2: there is no had_device"},
    {HEAD_2 "had_device maybe\n", ":2: there is no had_device"},
    {HEAD_1 HAD HAD, ":3: this is not the use of a device"},
    {HEAD_1 HAD USE USE, ":4: this is not the use of a device"},
    {HEAD_1 HAD USE "\n", ":4: this is not the use of a device"},
    {HEAD_1 HAD "use short counter=1 last_used=never\n", ":3: this is not"},
    {HEAD_1 HAD "use " ID_1 " counter=-1 last_used=never\n", ":3: this is"},
    {HEAD_1 HAD "use " ID_1 " counter=4294967296 last_used=never\n", ":3: "},
    {HEAD_1 HAD "use " ID_1 " counter=1 last_used=0\n", ":3: this is not"},
    {HEAD_1 HAD "use " ID_1 " counter=1\n", ":3: this is not the use"},
    {HEAD_1 HAD "use " ID_1 " counter=1 last_used=never x\n", ":3: this is"},
    {HEAD_1 HAD "use " ID_1 " last_used=never counter=1\n", ":3: this is"},
    {HEAD_1 HAD NEVER, ":3: this is not the use of a device"},
    {HEAD_1 HAD GONE, ":3: this is not the use of a device"},
    {HEAD_2 HAD, ":3: there is no recovery_made"},
    {HEAD_2 HAD USE, ":4: there is no recovery_made"},
    {HEAD_2 HAD GONE, ":4: there is no recovery_made"},
    {HEAD_2 HAD USE USE NEVER, ":4: this is not the use of a device"},
    {HEAD_2 HAD NEVER USE, ":4: this is not a device that is gone"},
    {HEAD_2 HAD NEVER NEVER, ":4: this is not a device that is gone"},
    {HEAD_2 HAD MADE CODE_1 MADE, ":5: this is not a device that is gone"},
    {HEAD_2 HAD MADE GONE CODE_1, ":5: this is not a device that is gone"},
    {HEAD_2 HAD MADE GONE GONE, ":5: this is not a device that is gone"},
    {HEAD_2 HAD MADE "\n", ":4: this is not a device that is gone"},
    {HEAD_2 HAD "recovery_made today\n", ":3: this is not the time"},
    {HEAD_2 HAD "recovery_made never x\n", ":3: this is not the time"},
    /* Codes that were never made. */
    {HEAD_2 HAD NEVER CODE_1, ":4: this is not a recovery code"},
    {HEAD_2 HAD CODE_1, ":3: this is not a recovery code"},
    {HEAD_2 HAD MADE CODE_1 CODE_1, ":5: this is not a recovery code"},
    {HEAD_2 HAD MADE "code " HASH_1 "\n", ":4: this is not a recovery code"},
    {HEAD_2 HAD MADE "code " HASH_1 " used=yes\n", ":4: this is not a rec"},
    {HEAD_2 HAD MADE "code " HASH_1 " used=never x\n", ":4: this is not a"},
    {HEAD_2 HAD MADE "code " HASH_1 "ab used=never\n", ":4: this is not a"},
    {HEAD_2 HAD MADE "code abab used=never\n", ":4: this is not a recovery"},
    {HEAD_2 HAD MADE
	"code ABABABABABABABABABABABABABABABABABABABABABABABABABABAB"
	"ABABABABAB used=never\n",
	":4: this is not a recovery code"},
    {HEAD_2 HAD NEVER "gone " ID_3 "\n", ":4: this is not a device that is"},
    {HEAD_2 HAD NEVER "gone " ID_3 " never\n", ":4: this is not a device"},
    {HEAD_2 HAD NEVER "gone short 2025-11-21T10:02:14Z\n", ":4: this is not"},
    /* Limits on push. */
    {TOP PUSH, NULL},
    {TOP PUSH_BOOT RANG, NULL},
    {TOP PUSH_BOOT RINGING, NULL},
    {TOP PUSH_BOOT PAUSED, NULL},
    {HEAD HAD USE MADE CODE_1 GONE PUSH_BOOT RANG RANG RINGING PAUSED, NULL},
    {HEAD_2 HAD NEVER PUSH, ":4: this is not a device that is gone"},
    {TOP, ":4: there is no push"},
    /* The checksum is behind it, right, but in the same line. */
    {TOP COUNTS "boot=none", ": the checksum is wrong"},
    {HEAD_1 "had_device yes", ": the checksum is wrong"},
    {HEAD HAD PUSH, ":4: there is no recovery_made"},
    {TOP GONE, ":5: there is no push"},
    {TOP RANG, ":4: this is not when a phone rang"},
    {TOP PUSH PUSH, ":5: this is not a pause of push"},
    {TOP PUSH GONE, ":5: this is not a pause of push"},
    {TOP PUSH "\n", ":5: this is not a pause of push"},
    {TOP PUSH_BOOT, ":5: push names a boot for nothing"},
    /* In another order, or twice. */
    {TOP PUSH_BOOT RINGING RANG, ":6: this is not a pause of push"},
    {TOP PUSH_BOOT RINGING RINGING, ":6: this is not a pause of push"},
    {TOP PUSH_BOOT PAUSED RINGING, ":6: this is not a pause of push"},
    {TOP PUSH_BOOT PAUSED PAUSED, ":6: this is not a pause of push"},
    /* A moment of no boot. */
    {TOP PUSH RANG, ":5: this is not when a phone rang"},
    {TOP PUSH RINGING, ":5: this is not what rings"},
    {TOP PUSH PAUSED, ":5: this is not a pause of push"},
    {TOP "push not_me=maybe denials=0 unanswered=0 wrong_codes=0 pauses=0 "
	 "boot=none\n",
	":4: this is not about push"},
    {TOP "push not_me=no denials=2 unanswered=0 wrong_codes=0 pauses=0 "
	 "boot=none\n",
	":4: this is not about push"},
    {TOP "push not_me=no denials=0 unanswered=3 wrong_codes=0 pauses=0 "
	 "boot=none\n",
	":4: this is not about push"},
    {TOP "push not_me=no denials=0 unanswered=0 wrong_codes=101 pauses=0 "
	 "boot=none\n",
	":4: this is not about push"},
    {TOP "push not_me=no denials=0 unanswered=0 wrong_codes=0 pauses=8 "
	 "boot=none\n",
	":4: this is not about push"},
    {TOP "push denials=0 not_me=no unanswered=0 wrong_codes=0 pauses=0 "
	 "boot=none\n",
	":4: this is not about push"},
    {TOP COUNTS "boot=\n", ":4: this is not about push"},
    {TOP COUNTS "boot=none x=1\n", ":4: this is not about push"},
    {TOP COUNTS "boot=1B4E28BA-2FA1-41D2-883F-0016D3CCA427\n", ":4: this is"},
    {TOP COUNTS "boot=1b4e28ba-2fa1-41d2-883f-0016d3cca42\n", ":4: this is"},
    {TOP COUNTS "boot=1b4e28ba-2fa1-41d2-883f00016d3cca427\n", ":4: this is"},
    {TOP COUNTS "boot=1b4e28ba-2fa1-41d2--83f-0016d3cca427\n", ":4: this is"},
    {TOP PUSH_BOOT "rang never boot=512\n", ":5: this is not when a phone"},
    {TOP PUSH_BOOT "rang 2025-11-21T10:02:14Z\n", ":5: this is not when a"},
    {TOP PUSH_BOOT "rang " AT " for=9\n", ":5: this is not when a phone"},
    {TOP PUSH_BOOT "rang 2025-11-21T10:02:14Z boot=-0\n", ":5: this is not"},
    {TOP PUSH_BOOT "rang 2025-11-21T10:02:14Z boot=-86401\n", ":5: this is"},
    {TOP PUSH_BOOT "rang 2025-11-21T10:02:14Z boot=4294967296\n", ":5: this"},
    {TOP PUSH_BOOT "rang 2025-11-21T10:02:14Z boot=--1\n", ":5: this is not"},
    {TOP PUSH_BOOT "ringing q83vEjRWeJC " AT " for=96\n", ":5: this is not"},
    {TOP PUSH_BOOT "ringing q83vEjRWeJC= " AT " for=96\n", ":5: this is not"},
    {TOP PUSH_BOOT "ringing q83vEjRWeJCrs " AT " for=96\n", ":5: this is"},
    {TOP PUSH_BOOT "ringing " AT " for=96\n", ":5: this is not what rings"},
    {TOP PUSH_BOOT "ringing q83vEjRWeJCr " AT "\n", ":5: this is not what"},
    {TOP PUSH_BOOT "ringing q83vEjRWeJCr " AT " for=0\n", ":5: this is not"},
    {TOP PUSH_BOOT "ringing q83vEjRWeJCr " AT " for=86401\n", ":5: this is"},
    {TOP PUSH_BOOT "ringing q83vEjRWeJCr " AT " for=9 x\n", ":5: this is"},
    {TOP PUSH_BOOT "paused " AT " for=0\n", ":5: this is not a pause"},
    {TOP PUSH_BOOT "paused " AT " for=86401\n", ":5: this is not a pause"},
    {TOP PUSH_BOOT "paused " AT "\n", ":5: this is not a pause of push"},
};

static void
each_error_has_its_line_and_reason(void **state)
{
	struct csign_state s;

	(void)state;
	for (size_t i = 0; i < N_ROWS(files); i++) {
		struct csign_why why = {""};
		char want[CSIGN_WHY_SIZE];

		put_with_checksum(files[i].text);
		assert_err(files[i].text, peek(&s, &why),
		    files[i].why == NULL ? CSIGN_OK : CSIGN_E_STATE);
		if (files[i].why == NULL)
			continue;
		(void)snprintf(want, sizeof(want), "%s%s",
		    scratch(FILE_OF_ALICE), files[i].why);
		if (strncmp(why.text, want, strlen(want)) != 0)
			fail_msg("\"%s\" instead of \"%s\"", why.text, want);
	}
}

static void
seventeen_uses_are_too_many(void **state)
{
	char text[4096] = HEAD_1 HAD, *end = text + strlen(text);
	struct csign_state s;

	(void)state;
	for (unsigned i = 0; i < CSIGN_DEVICES_MAX + 1; i++) {
		put_with_checksum(text);
		assert_ok(peek(&s, NULL));
		end += snprintf(end, 80,
		    "use abcdefghijklmn%02u counter=1 last_used=never\n", i);
	}
	put_with_checksum(text);
	assert_err("17", peek(&s, NULL), CSIGN_E_STATE);
}

static void
so_are_eleven_codes_and_thirty_three_that_are_gone(void **state)
{
	char text[4096] = HEAD_2 HAD MADE, *end = text + strlen(text);
	struct csign_state s;

	(void)state;
	for (unsigned i = 0; i < CSIGN_RECOVERY_CODES + 1; i++) {
		put_with_checksum(text);
		assert_ok(peek(&s, NULL));
		end += snprintf(end, 100, "code %064x used=never\n", i + 1);
	}
	put_with_checksum(text);
	assert_err("11", peek(&s, NULL), CSIGN_E_STATE);
	(void)snprintf(text, sizeof(text), "%s", HEAD_2 HAD NEVER);
	end = text + strlen(text);
	for (unsigned i = 0; i < CSIGN_DEVICES_GONE_MAX + 1; i++) {
		put_with_checksum(text);
		assert_ok(peek(&s, NULL));
		end += snprintf(end, 80,
		    "gone abcdefghijklmn%02u 2025-11-21T10:02:14Z\n", i);
	}
	put_with_checksum(text);
	assert_err("33", peek(&s, NULL), CSIGN_E_STATE);
}

/* What versions 1 and 2 wrote is read as it was meant, and written anew. */
static void
an_older_file_is_read_and_renewed(void **state)
{
	static const struct csign_limit none;
	struct csign_state s;
	char *text = NULL;

	(void)state;
	put_with_checksum(HEAD_1 HAD USE);
	assert_ok(peek(&s, NULL));
	assert_true(s.had_device);
	assert_int_equal(csign_state_use(&s, ID_1)->counter, 1);
	assert_int_equal(s.recovery_made, 0);
	assert_int_equal(s.n_codes, 0);
	assert_int_equal(s.n_gone, 0);
	assert_ok(save(&s, NULL));
	text = scratch_get(FILE_OF_ALICE, NULL);
	assert_int_equal(strncmp(text, HEAD HAD USE NEVER PUSH,
			     strlen(HEAD HAD USE NEVER PUSH)),
	    0);
	free(text);
	put_with_checksum(HEAD_2 HAD USE MADE CODE_1 GONE);
	assert_ok(peek(&s, NULL));
	assert_int_equal(s.n_codes, 1);
	assert_int_equal(s.n_gone, 1);
	assert_true(same_limit(&s.limit, &none));
	assert_ok(save(&s, NULL));
	text = scratch_get(FILE_OF_ALICE, NULL);
	assert_int_equal(strncmp(text, HEAD HAD USE MADE CODE_1 GONE PUSH,
			     strlen(HEAD HAD USE MADE CODE_1 GONE PUSH)),
	    0);
	free(text);
}

static void
eleven_rings_are_too_many(void **state)
{
	char text[4096] = TOP PUSH_BOOT, *end = text + strlen(text);
	struct csign_state s;

	(void)state;
	for (unsigned i = 0; i < CSIGN_PUSH_LONG_MAX; i++) {
		end += snprintf(end, 80, "%s", RANG);
		put_with_checksum(text);
		assert_ok(peek(&s, NULL));
		assert_int_equal(s.limit.n_pushes, i + 1);
	}
	(void)snprintf(end, 80, "%s", RANG);
	put_with_checksum(text);
	assert_err("11", peek(&s, NULL), CSIGN_E_STATE);
}

static void
what_is_gone_is_remembered(void **state)
{
	char id[CSIGN_DEVICE_ID_SIZE] = "?bcdefghijklmn??";
	struct csign_state s = example();

	(void)state;
	assert_true(csign_state_is_gone(&s, ID_3));
	assert_false(csign_state_is_gone(&s, ID_1));
	csign_state_bury(&s, ID_1, 5);
	assert_true(csign_state_is_gone(&s, ID_1));
	assert_int_equal(s.n_uses, 1);
	assert_string_equal(s.uses[0].id, ID_2);
	/* Twice is once, and at its first time. */
	csign_state_bury(&s, ID_1, 6);
	assert_int_equal(s.n_gone, 2);
	assert_int_equal(s.gone[1].when, 5);
	/* The oldest make room. */
	for (int i = 0; i < CSIGN_DEVICES_GONE_MAX; i++) {
		id[14] = (char)('a' + i / 26);
		id[15] = (char)('a' + i % 26);
		assert_true(csign_state_is_gone(&s, ID_1) ==
			    (i <= CSIGN_DEVICES_GONE_MAX - 1));
		csign_state_bury(&s, id, 100);
	}
	assert_int_equal(s.n_gone, CSIGN_DEVICES_GONE_MAX);
	assert_false(csign_state_is_gone(&s, ID_3));
	assert_false(csign_state_is_gone(&s, ID_1));
	assert_true(csign_state_is_gone(&s, "?bcdefghijklmnaa"));
	assert_true(csign_state_is_gone(&s, id));
	csign_state_bury(&s, "an-id-that-is-too-long-for-one", 1);
	assert_int_equal(s.n_gone, CSIGN_DEVICES_GONE_MAX);
	/* Even by a clock that stands at the beginning. */
	csign_state_bury(&s, ID_1, 0);
	assert_ok(save(&s, NULL));
	assert_ok(peek(&s, NULL));
	assert_true(csign_state_is_gone(&s, ID_1));
}

static void
uses_of_nobody_make_room(void **state)
{
	struct csign_device_list list = {NULL, 0};
	struct csign_state s = {0};

	(void)state;
	people_list(1, 2, &list);
	assert_non_null(csign_state_use(&s, ID_1));
	csign_state_use(&s, list.items[1].id)->counter = 7;
	assert_non_null(csign_state_use(&s, ID_2));
	csign_state_prune(&s, &list);
	assert_int_equal(s.n_uses, 1);
	assert_int_equal(csign_state_use(&s, list.items[1].id)->counter, 7);
	csign_device_list_clear(&list);
	csign_state_prune(&s, &list);
	assert_int_equal(s.n_uses, 0);
}

static bool
visit(void *arg, const struct csign_account *whose)
{
	char *text = arg;

	(void)snprintf(text + strlen(text), 64, "%u %.20s %.20s;",
	    (unsigned)whose->uid, whose->name, whose->file);
	return strstr(text, "1003") == NULL;
}

static void
each_state_says_whose_it_is(void **state)
{
	const struct csign_state s = example();
	struct csign_state_lock *lock = NULL;
	struct csign_account whose;
	char seen[256] = "";

	(void)state;
	assert_ok(csign_state_each(scratch(STORE), visit, seen, NULL));
	assert_string_equal(seen, "");
	assert_ok(save(&s, NULL));
	assert_ok(
	    csign_state_lock(people_crypto, scratch(STORE), &bob, NULL, &lock));
	assert_ok(csign_state_write(lock, &s, NULL));
	csign_state_unlock(&lock);
	/* Not a state's name; a damaged one; one of another uid. */
	scratch_put_text(STORE "/state/notes", 0600, "x\n");
	scratch_put_text(STORE "/state/0100", 0600, HEAD HAD NEVER);
	scratch_put_text(STORE "/state/1003", 0600, HEAD HAD NEVER);
	assert_ok(csign_state_each(scratch(STORE), visit, seen, NULL));
	assert_string_equal(seen, "1001 alice alice;1002 Bob %42ob;1003  ;");
	seen[0] = '\0';
	scratch_put_text(STORE "/state/1003", 0600, "x\n");
	scratch_put_text(STORE "/state/1004", 0600, "x\n");
	assert_ok(csign_state_each(scratch(STORE), visit, seen, NULL));
	assert_string_equal(seen, "1001 alice alice;1002 Bob %42ob;1003  ;");
	assert_err("header",
	    csign_state_whose(
		"countersign-state 2 user=%61 uid=1\n", 36, &whose),
	    CSIGN_E_STATE);
	assert_err("nothing", csign_state_whose("", 0, &whose), CSIGN_E_STATE);
	/* Removed, and nothing is left to read. */
	assert_ok(csign_rings_lock(
	    people_crypto, scratch(STORE), &alice, NULL, &lock));
	assert_ok(csign_state_write(lock, &s, NULL));
	csign_state_unlock(&lock);
	assert_ok(lock_alice(NULL, &lock));
	assert_ok(csign_state_remove(lock, NULL));
	assert_ok(csign_state_remove(lock, NULL));
	csign_state_unlock(&lock);
	assert_int_equal(access(scratch(STORE "/state/1001.rings"), F_OK), -1);
	assert_int_equal(unlink(scratch(MARKER)), 0);
	assert_err("marker",
	    csign_state_each(scratch(STORE), visit, seen, NULL), CSIGN_E_FILE);
}

static void
what_could_not_be_read_back_is_not_written(void **state)
{
	struct csign_state s = example(), got;

	(void)state;
	assert_ok(save(&s, NULL));
	s.recovery_made = 0;
	assert_err("codes of never", save(&s, NULL), CSIGN_E_STATE);
	s = example();
	s.n_codes = CSIGN_RECOVERY_CODES + 1;
	assert_err("11 codes", save(&s, NULL), CSIGN_E_STATE);
	s = example();
	s.n_gone = CSIGN_DEVICES_GONE_MAX + 1;
	assert_err("33 gone", save(&s, NULL), CSIGN_E_STATE);
#define NOT_WRITTEN(member, value)                                             \
	do {                                                                   \
		s = example();                                                 \
		s.limit.member = (value);                                      \
		assert_err(#member, save(&s, NULL), CSIGN_E_STATE);            \
	} while (0)
	NOT_WRITTEN(n_pushes, CSIGN_PUSH_LONG_MAX + 1);
	NOT_WRITTEN(pushes[1].boot, -86401);
	NOT_WRITTEN(pushes[1].boot, INT64_C(4294967296));
	NOT_WRITTEN(pushes[0].wall, UINT64_C(253402300800));
	NOT_WRITTEN(opened.boot, -86401);
	NOT_WRITTEN(open_for, 0);
	NOT_WRITTEN(open_for, 86401);
	NOT_WRITTEN(open[0], '\0');
	NOT_WRITTEN(open[3], '\0');
	NOT_WRITTEN(paused.boot, -86401);
	NOT_WRITTEN(pause, 86401);
	NOT_WRITTEN(pauses, 8);
	NOT_WRITTEN(denials, 2);
	NOT_WRITTEN(unanswered, 3);
	NOT_WRITTEN(wrong_codes, 101);
	NOT_WRITTEN(boot_id[0], '\0');
	NOT_WRITTEN(boot_id[0], 'x');
#undef NOT_WRITTEN
	s = (struct csign_state){.limit = {.boot_id = BOOT}};
	assert_err("a boot for nothing", save(&s, NULL), CSIGN_E_STATE);
	assert_ok(peek(&got, NULL));
	s = example();
	assert_true(same(&got, &s));
}

/* Cut anywhere, or with any bit wrong, it is no state at all. */
static void
damage_anywhere_is_seen(void **state)
{
	const struct csign_state s = example();
	struct csign_state got;
	char *text = NULL;
	size_t len = 0;

	(void)state;
	assert_ok(save(&s, NULL));
	text = scratch_get(FILE_OF_ALICE, &len);
	for (size_t at = 0; at < len; at++) {
		scratch_put(FILE_OF_ALICE, 0600, text, at);
		if (peek(&got, NULL) != CSIGN_E_STATE)
			fail_msg("cut after %zu bytes", at);
		text[at] ^= (char)(1 << at % 7);
		scratch_put(FILE_OF_ALICE, 0600, text, len);
		if (peek(&got, NULL) != CSIGN_E_STATE)
			fail_msg("byte %zu", at);
		text[at] ^= (char)(1 << at % 7);
	}
	scratch_put(FILE_OF_ALICE, 0600, text, len);
	assert_ok(peek(&got, NULL));
	free(text);
}

static void
an_unsafe_or_strange_file_is_state_trouble(void **state)
{
	const struct csign_state s = example();
	struct csign_state_lock *lock = NULL;
	struct csign_state got;

	assert_ok(save(&s, NULL));
	assert_int_equal(chmod(scratch(FILE_OF_ALICE), 0644), 0);
	assert_err("mode", peek(&got, NULL), CSIGN_E_STATE);
	assert_int_equal(unlink(scratch(FILE_OF_ALICE)), 0);
	assert_int_equal(symlink("nowhere", scratch(FILE_OF_ALICE)), 0);
	assert_err("link", peek(&got, NULL), CSIGN_E_STATE);
	/* Its directory is not there, not mounted, or open to others. */
	assert_int_equal(unlink(scratch(MARKER)), 0);
	assert_err("marker", peek(&got, NULL), CSIGN_E_STATE);
	assert_err("marker", lock_alice(NULL, &lock), CSIGN_E_STATE);
	fresh(state);
	assert_int_equal(chmod(scratch(STORE "/state"), 0770), 0);
	assert_err("folder", peek(&got, NULL), CSIGN_E_STATE);
	assert_err("folder", lock_alice(NULL, &lock), CSIGN_E_STATE);
	fresh(state);
	assert_int_equal(
	    rename(scratch(STORE "/state"), scratch(STORE "/old")), 0);
	assert_err("none", peek(&got, NULL), CSIGN_E_STATE);
	assert_null(lock);
}

/* --- locks and failures --------------------------------------------------- */

static void
a_held_lock_is_waited_for_two_seconds(void **state)
{
	struct csign_state_lock *first = NULL, *second = NULL;
	struct csign_why why;
	uint64_t begun = 0;

	(void)state;
	assert_ok(lock_alice(NULL, &first));
	world.clock_step = 100;
	begun = world.now;
	assert_err("held", lock_alice(&why, &second), CSIGN_E_STATE);
	assert_in_range(world.now - begun, CSIGN_LOCK_TIMEOUT_MS,
	    CSIGN_LOCK_TIMEOUT_MS + 200);
	assert_non_null(strstr(why.text, "1001.lock: is locked"));
	assert_null(second);
	/* Another account's is not held. */
	assert_ok(csign_state_lock(
	    people_crypto, scratch(STORE), &bob, NULL, &second));
	csign_state_unlock(&second);
	csign_state_unlock(&first);
	assert_ok(lock_alice(NULL, &first));
	csign_state_unlock(&first);
}

/* B4: whatever fails, the state is the old or the new one. */
static void
after_any_failure_the_state_is_whole(void **state)
{
	static const int errors[] = {ENOSPC, EROFS, EIO};
	struct csign_state old = example(), new = example(), got;

	csign_state_use(&new, ID_1)->counter++;
	for (size_t e = 0; e < N_ROWS(errors); e++) {
		for (long n = 0;; n++) {
			enum csign_err r = CSIGN_E_INTERNAL;

			fresh(state);
			assert_ok(save(&old, NULL));
			world.error = errors[e];
			world.fail_at = n;
			r = save(&new, NULL);
			world.error = 0;
			assert_ok(peek(&got, NULL));
			if (!world.failed) {
				assert_ok(r);
				assert_true(same(&got, &new));
				break;
			}
			assert_err("failure", r, CSIGN_E_STATE);
			/* write, fsync, rename; then it is the new one */
			assert_true(same(&got, n < 3 ? &old : &new));
		}
	}
}

static int
use_once(int times)
{
	struct csign_state_lock *lock = NULL;
	struct csign_state s;
	int failed = 0;

	for (int i = 0; i < times; i++) {
		for (int tries = 0; lock == NULL; tries++) {
			if (lock_alice(NULL, &lock) != CSIGN_OK && tries == 20)
				return 1;
		}
		if (csign_state_read(lock, &s, NULL) != CSIGN_OK)
			failed = 1;
		csign_state_use(&s, ID_1)->counter++;
		if (csign_state_write(lock, &s, NULL) != CSIGN_OK)
			failed = 1;
		csign_state_unlock(&lock);
	}
	return failed;
}

static void
concurrent_logins_lose_no_use(void **state)
{
	struct csign_state s = {0};
	int status = 0;

	(void)state;
	assert_ok(save(&s, NULL));
	for (int child = 0; child < 6; child++) {
		if (fork() == 0)
			_exit(use_once(20));
	}
	/* One that only looks never sees a half of it. */
	for (int i = 0; i < 100; i++) {
		struct csign_why why = {""};

		if (peek(&s, &why) != CSIGN_OK &&
		    strstr(why.text, "changed while it was read") == NULL)
			fail_msg("%s", why.text);
	}
	for (int child = 0; child < 6; child++) {
		assert_true(wait(&status) > 0);
		assert_int_equal(status, 0);
	}
	assert_ok(peek(&s, NULL));
	assert_int_equal(csign_state_use(&s, ID_1)->counter, 120);
}

static void
too_many_uses_are_not_written(void **state)
{
	struct csign_state s = example(), got;
	struct csign_why why;

	(void)state;
	assert_ok(save(&s, NULL));
	s.n_uses = CSIGN_DEVICES_MAX + 1;
	assert_err("17", save(&s, &why), CSIGN_E_STATE);
	assert_ok(peek(&got, NULL));
	assert_int_equal(got.n_uses, 2);
}

#define TEST(f) cmocka_unit_test_setup(f, fresh)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(nothing_is_an_empty_state),
	    TEST(the_text_is_as_documented),
	    TEST(what_is_written_is_read),
	    TEST(uses_are_kept_for_each_device),
	    TEST(each_error_has_its_line_and_reason),
	    TEST(seventeen_uses_are_too_many),
	    TEST(so_are_eleven_codes_and_thirty_three_that_are_gone),
	    TEST(an_older_file_is_read_and_renewed),
	    TEST(eleven_rings_are_too_many),
	    TEST(what_is_gone_is_remembered),
	    TEST(uses_of_nobody_make_room),
	    TEST(each_state_says_whose_it_is),
	    TEST(what_could_not_be_read_back_is_not_written),
	    TEST(damage_anywhere_is_seen),
	    TEST(an_unsafe_or_strange_file_is_state_trouble),
	    TEST(a_held_lock_is_waited_for_two_seconds),
	    TEST(after_any_failure_the_state_is_whole),
	    TEST(concurrent_logins_lose_no_use),
	    TEST(too_many_uses_are_not_written),
	};

	return cmocka_run_group_tests(tests, people_setup, people_teardown);
}
