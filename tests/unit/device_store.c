/* SPDX-License-Identifier: BSD-2-Clause */
/* USR-2, ENR-7: devices/ as a whole, and who is not in it. */
#include "unit.h"

#include <sys/stat.h>
#include <unistd.h>

#include "people.h"
#include "scratch.h"
#include "store.h"

#define STORE "store"
#define ALICE STORE "/devices/alice"
#define BOB STORE "/devices/%42ob"
#define MARKER STORE "/devices/.countersign"

static int
fresh(void **state)
{
	if (scratch_empty(state) != 0)
		return -1;
	return csign_store_create(scratch(STORE), NULL) == CSIGN_OK ? 0 : -1;
}

static enum csign_err
read_alice(struct csign_device_list *list, struct csign_why *why)
{
	return csign_devices_read(
	    people_crypto, scratch(STORE), &alice, list, why);
}

static enum csign_err
look(struct csign_why *why)
{
	struct csign_device_list list = {NULL, 0};
	enum csign_err r = read_alice(&list, why);

	if (r != CSIGN_OK)
		assert_null(list.items);
	csign_device_list_clear(&list);
	return r;
}

static void
enrol(const struct csign_account *account, unsigned first, size_t n)
{
	struct csign_device_list list;

	people_list(first, n, &list);
	assert_ok(csign_devices_write(
	    people_crypto, scratch(STORE), account, &list, NULL));
	csign_device_list_clear(&list);
}

static mode_t
mode_of(const char *name)
{
	struct stat st;

	assert_int_equal(lstat(scratch(name), &st), 0);
	return st.st_mode & 07777;
}

/* --- the store itself ----------------------------------------------------- */

static void
a_store_is_made_and_left_alone(void **state)
{
	mode_t before = umask(0);

	(void)state;
	assert_int_equal(scratch_empty(state), 0);
	assert_ok(csign_store_create(scratch(STORE), NULL));
	(void)umask(before);
	assert_int_equal(mode_of(STORE), 0700);
	assert_int_equal(mode_of(STORE "/devices"), 0700);
	assert_int_equal(mode_of(STORE "/state"), 0700);
	assert_int_equal(mode_of(MARKER), 0600);
	enrol(&alice, 1, 1);
	assert_ok(csign_store_create(scratch(STORE), NULL));
	assert_ok(look(NULL));
	/* Half of it may be missing. */
	assert_int_equal(unlink(scratch(MARKER)), 0);
	assert_ok(csign_store_create(scratch(STORE), NULL));
	assert_ok(look(NULL));
	scratch_put_text(MARKER, 0600, "something else\n");
	assert_err(
	    "marker", csign_store_create(scratch(STORE), NULL), CSIGN_E_FILE);
	assert_err(
	    "parent", csign_store_create(scratch("a/b"), NULL), CSIGN_E_FILE);
}

static void
paths_have_a_bound(void **state)
{
	char path[CSIGN_STORE_PATH_SIZE], longest[2048];
	int fd = -1;

	(void)state;
	assert_ok(csign_store_path("/s", "devices", "alice", NULL, path));
	assert_string_equal(path, "/s/devices/alice");
	assert_ok(csign_store_path("/s", "devices", "", NULL, path));
	assert_string_equal(path, "/s/devices");
	memset(longest, 'a', sizeof(longest));
	longest[sizeof(longest) - 1] = '\0';
	assert_err("path",
	    csign_store_path(longest, "devices", "alice", NULL, path),
	    CSIGN_E_INVALID);
	assert_err("open", csign_store_open(longest, "devices", NULL, &fd),
	    CSIGN_E_INVALID);
}

/* --- reading and writing -------------------------------------------------- */

static void
devices_are_written_and_read(void **state)
{
	struct csign_device_list list, again;

	(void)state;
	people_list(1, 3, &list);
	assert_ok(csign_devices_write(
	    people_crypto, scratch(STORE), &alice, &list, NULL));
	assert_int_equal(mode_of(ALICE), 0600);
	assert_ok(read_alice(&again, NULL));
	assert_int_equal(again.n, 3);
	assert_memory_equal(again.items, list.items, 3 * sizeof(*list.items));
	csign_device_list_clear(&again);
	/* None: the file goes, and may be gone already. */
	list.n = 0;
	assert_ok(csign_devices_write(
	    people_crypto, scratch(STORE), &alice, &list, NULL));
	assert_err("none", look(NULL), CSIGN_E_UNENROLLED);
	assert_ok(csign_devices_write(
	    people_crypto, scratch(STORE), &alice, &list, NULL));
	csign_device_list_clear(&list);
}

static void
what_cannot_be_read_back_is_not_written(void **state)
{
	struct csign_device_list list;

	(void)state;
	enrol(&alice, 1, 2);
	people_list(3, 2, &list);
	list.items[1].point[64] ^= 1;
	assert_err("key",
	    csign_devices_write(
		people_crypto, scratch(STORE), &alice, &list, NULL),
	    CSIGN_E_DEVICES);
	people_device(3, &list.items[1]);
	assert_err("twice",
	    csign_devices_write(
		people_crypto, scratch(STORE), &alice, &list, NULL),
	    CSIGN_E_DEVICES);
	people_device(4, &list.items[1]);
	strcpy(list.items[1].name, "\x1b");
	assert_err("name",
	    csign_devices_write(
		people_crypto, scratch(STORE), &alice, &list, NULL),
	    CSIGN_E_INVALID);
	csign_device_list_clear(&list);
	assert_ok(read_alice(&list, NULL));
	assert_int_equal(list.n, 2);
	people_device(1, &list.items[1]);
	assert_string_equal(list.items[0].id, list.items[1].id);
	csign_device_list_clear(&list);
}

/* --- who has no device ---------------------------------------------------- */

static void
remove_store(void)
{
	assert_int_equal(rename(scratch(STORE), scratch("elsewhere")), 0);
}

static void
empty_mount(void)
{
	remove_store();
	assert_int_equal(mkdir(scratch(STORE), 0700), 0);
}

static void
empty_devices(void)
{
	empty_mount();
	assert_int_equal(mkdir(scratch(STORE "/devices"), 0700), 0);
}

static void
other_marker(void)
{
	scratch_put_text(MARKER, 0600, "countersign devices 2\n");
}

static void
state_s_marker(void)
{
	scratch_put_text(MARKER, 0600, "countersign state 1\n");
}

static void
open_marker(void)
{
	assert_int_equal(chmod(scratch(MARKER), 0622), 0);
}

static void
linked_devices(void)
{
	assert_int_equal(
	    rename(scratch(STORE "/devices"), scratch(STORE "/real")), 0);
	assert_int_equal(symlink("real", scratch(STORE "/devices")), 0);
}

static void
open_devices(void)
{
	assert_int_equal(chmod(scratch(STORE "/devices"), 0770), 0);
}

static void
open_store(void)
{
	assert_int_equal(chmod(scratch(STORE), 0777), 0);
}

static void
linked_file(void)
{
	assert_int_equal(symlink("nowhere", scratch(ALICE)), 0);
}

static void
folder(void)
{
	assert_int_equal(mkdir(scratch(ALICE), 0700), 0);
}

static void
fifo(void)
{
	assert_int_equal(mkfifo(scratch(ALICE), 0600), 0);
}

static void
empty_file(void)
{
	scratch_put_text(ALICE, 0600, "");
}

static void
huge_file(void)
{
	char *bytes = calloc(1, CSIGN_FILE_MAX + 1);

	assert_non_null(bytes);
	scratch_put(ALICE, 0600, bytes, CSIGN_FILE_MAX + 1);
	free(bytes);
}

static void
readable_file(void)
{
	enrol(&alice, 1, 1);
	assert_int_equal(chmod(scratch(ALICE), 0644), 0);
}

static void
hard_link(void)
{
	enrol(&alice, 1, 1);
	assert_int_equal(link(scratch(ALICE), scratch("copy")), 0);
}

static void
foreign_file(void)
{
	enrol(&bob, 1, 1);
	assert_int_equal(rename(scratch(BOB), scratch(ALICE)), 0);
}

static void
only_an_absent_file_in_a_sound_store_means_unenrolled(void **state)
{
	static const struct {
		const char *name;
		void (*damage)(void);
		enum csign_err want;
	} rows[] = {
#define ROW(damage, want) {#damage, damage, CSIGN_E_##want}
	    ROW(remove_store, FILE),
	    ROW(empty_mount, FILE),
	    ROW(empty_devices, FILE),
	    ROW(other_marker, FILE),
	    ROW(state_s_marker, FILE),
	    ROW(open_marker, FILE),
	    ROW(linked_devices, FILE),
	    ROW(open_devices, FILE),
	    ROW(open_store, FILE),
	    ROW(linked_file, FILE),
	    ROW(folder, FILE),
	    ROW(fifo, FILE),
	    ROW(empty_file, FILE),
	    ROW(huge_file, FILE),
	    ROW(readable_file, FILE),
	    ROW(hard_link, FILE),
	    ROW(foreign_file, DEVICES),
	};
	struct csign_why why;

	assert_err("sound", look(&why), CSIGN_E_UNENROLLED);
	for (size_t i = 0; i < N_ROWS(rows); i++) {
		assert_int_equal(fresh(state), 0);
		rows[i].damage();
		memset(&why, 0, sizeof(why));
		assert_err(rows[i].name, look(&why), rows[i].want);
		assert_non_null(strstr(why.text, scratch(STORE)));
	}
	assert_int_equal(fresh(state), 0);
	empty_devices();
	(void)look(&why);
	assert_non_null(strstr(why.text, "is its file system mounted?"));
}

/* --- all accounts --------------------------------------------------------- */

struct visit {
	char names[256];
	unsigned n, stop_after;
};

static bool
visit(void *arg, const char *user)
{
	struct visit *v = arg;
	size_t len = strlen(v->names);

	(void)snprintf(v->names + len, sizeof(v->names) - len, "%s|", user);
	return ++v->n != v->stop_after;
}

static void
accounts_are_visited_in_order(void **state)
{
	static const struct csign_account carol = {
	    .uid = 5, .name = "carol", .file = "carol"};
	struct visit v = {"", 0, 0};

	(void)state;
	assert_ok(csign_devices_each(scratch(STORE), visit, &v, NULL));
	assert_int_equal(v.n, 0);
	enrol(&carol, 1, 1);
	enrol(&alice, 2, 1);
	enrol(&bob, 3, 1);
	/* what a crash leaves behind is nobody's */
	scratch_put_text(STORE "/devices/.new-0123456789abcdef", 0600, "x");
	assert_ok(csign_devices_each(scratch(STORE), visit, &v, NULL));
	assert_string_equal(v.names, "Bob|alice|carol|");
	v = (struct visit){"", 0, 2};
	assert_ok(csign_devices_each(scratch(STORE), visit, &v, NULL));
	assert_string_equal(v.names, "Bob|alice|");
}

static void
a_file_of_nobody_is_trouble(void **state)
{
	struct visit v = {"", 0, 0};
	struct csign_why why;

	(void)state;
	enrol(&alice, 1, 1);
	scratch_put_text(STORE "/devices/alice~", 0600, "x");
	assert_err("backup",
	    csign_devices_each(scratch(STORE), visit, &v, &why),
	    CSIGN_E_DEVICES);
	assert_non_null(strstr(why.text, "alice~"));
	assert_int_equal(v.n, 0);
	assert_int_equal(fresh(state), 0);
	empty_mount();
	assert_err("store", csign_devices_each(scratch(STORE), visit, &v, NULL),
	    CSIGN_E_FILE);
}

/* ENR-7 */
static void
a_device_has_one_owner(void **state)
{
	char owner[CSIGN_USER_MAX + 1] = "?";
	struct csign_device device, other;

	(void)state;
	people_device(3, &device);
	assert_ok(csign_devices_owner(
	    people_crypto, scratch(STORE), &device, owner, NULL));
	assert_string_equal(owner, "");
	enrol(&alice, 1, 2);
	enrol(&bob, 3, 2);
	assert_ok(csign_devices_owner(
	    people_crypto, scratch(STORE), &device, owner, NULL));
	assert_string_equal(owner, "Bob");
	people_device(5, &device);
	assert_ok(csign_devices_owner(
	    people_crypto, scratch(STORE), &device, owner, NULL));
	assert_string_equal(owner, "");
	/* The same credential under another key. */
	people_device(1, &other);
	device.credential_len = other.credential_len;
	memcpy(device.credential, other.credential, sizeof(other.credential));
	assert_ok(csign_devices_owner(
	    people_crypto, scratch(STORE), &device, owner, NULL));
	assert_string_equal(owner, "alice");
	/* The same key under another id. */
	people_device(6, &device);
	people_device(2, &other);
	memcpy(device.point, other.point, sizeof(other.point));
	assert_ok(csign_devices_owner(
	    people_crypto, scratch(STORE), &device, owner, NULL));
	assert_string_equal(owner, "alice");
}

static void
an_unreadable_file_hides_no_owner(void **state)
{
	char owner[CSIGN_USER_MAX + 1] = "?";
	struct csign_device device;

	(void)state;
	people_device(9, &device);
	enrol(&alice, 1, 2);
	scratch_put_text(BOB, 0600, "nonsense\n");
	assert_err("nonsense",
	    csign_devices_owner(
		people_crypto, scratch(STORE), &device, owner, NULL),
	    CSIGN_E_DEVICES);
	/* a copy of alice's file under bob's name */
	assert_int_equal(unlink(scratch(BOB)), 0);
	assert_int_equal(rename(scratch(ALICE), scratch(BOB)), 0);
	assert_err("copy",
	    csign_devices_owner(
		people_crypto, scratch(STORE), &device, owner, NULL),
	    CSIGN_E_DEVICES);
	assert_string_equal(owner, "?");
}

#define TEST(f) cmocka_unit_test_setup(f, fresh)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_store_is_made_and_left_alone),
	    TEST(paths_have_a_bound),
	    TEST(devices_are_written_and_read),
	    TEST(what_cannot_be_read_back_is_not_written),
	    TEST(only_an_absent_file_in_a_sound_store_means_unenrolled),
	    TEST(accounts_are_visited_in_order),
	    TEST(a_file_of_nobody_is_trouble),
	    TEST(a_device_has_one_owner),
	    TEST(an_unreadable_file_hides_no_owner),
	};

	return cmocka_run_group_tests(tests, people_setup, people_teardown);
}
