/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * countersign check: who has no phone and needs one, whose phone is of no use,
 * and who is one lost phone away from a locked door.
 */
#include "config.h"

#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "check.h"
#include "lines.h"
#include "people.h"

#define CODES_LOW 3
#define NAMES_SHOWN 5

/* Services that people use to get in or up. */
static const char *const doors[] = {"sshd", "login", "sudo", "su"};
#define N_DOORS (sizeof doors / sizeof doors[0])

/* --- devices -------------------------------------------------------------- */

/* Would this service take the device's answer?  Else why not. */
static const char *
refusal(struct check *c, const char *service,
    const struct csign_device_info *device)
{
	if (strstr(check_setting(c, service, "device_kinds"), device->kind) ==
	    NULL)
		return "device_kinds does not have its kind";
	if (device->synced &&
	    strcmp(check_setting(c, service, "device_bound"), "required") == 0)
		return "it may leave its phone, and device_bound is required";
	return NULL;
}

/* The host of "https://host:port". */
static bool
same_host(const char *url, const char *rp)
{
	const char *host = strstr(url, "://");
	size_t len;

	if (host == NULL)
		return true;
	host += 3;
	len = host[0] == '[' ? strcspn(host, "]") + 1 : strcspn(host, ":/");
	return strlen(rp) == len && strncasecmp(host, rp, len) == 0;
}

static void
check_device(struct check *c, struct check_person *person,
    const struct csign_device_info *device)
{
	char subject[CHECK_SUBJECT_SIZE], id[20];
	bool usable = true;

	out_device_id(device->id, id);
	(void)snprintf(subject, sizeof subject, "%s %s", person->name, id);
	for (size_t i = 0; i < N_DOORS; i++) {
		const char *service = check_asks_anywhere(c) ? doors[i] : NULL;
		const char *why = refusal(c, service, device);

		if (why == NULL || (service != NULL && !check_asks(c, service)))
			continue;
		usable = false;
		check_find(c->report, FIND_DEVICE_REFUSED, service, subject,
		    NULL, "Its answers are refused: %s.", why);
	}
	if (device->rp[0] != '\0' &&
	    !same_host(check_setting(c, NULL, "page_url"), device->rp)) {
		usable = false;
		check_find(c->report, FIND_DEVICE_ORIGIN, NULL, subject, NULL,
		    "This passkey belongs to %s, and page_url is %s: the phone "
		    "cannot use it there.",
		    device->rp, check_setting(c, NULL, "page_url"));
	}
	if (device->last_used[0] == '\0')
		check_find(c->report, FIND_DEVICE_UNUSED, NULL, subject, NULL,
		    "This device has never answered a question.");
	person->devices++;
	if (usable)
		person->usable++;
}

static void
check_reserve(struct check *c, const struct check_person *person)
{
	if (person->devices > 0 && person->usable == 0)
		check_find(c->report, FIND_DEVICES_REFUSED, NULL, person->name,
		    NULL, "None of this account's devices can be used.");
	else if (person->usable == 1 && person->codes == 0)
		check_find(c->report, FIND_SINGLE_DEVICE, NULL, person->name,
		    NULL,
		    "One device and no recovery code: when the phone is lost, "
		    "this account is locked out.");
	else if (person->codes > 0 && person->codes <= CODES_LOW)
		check_find(c->report, FIND_CODES_LOW, NULL, person->name, NULL,
		    "%zu recovery code%s left.", person->codes,
		    person->codes == 1 ? " is" : "s are");
}

static bool
check_user(void *arg, const char *name)
{
	struct check *c = arg;
	struct check_person *person = check_person(c, name);
	struct csign_devices *devices = NULL;
	const struct csign_device_info *device;
	char note[CSIGN_PUSH_NOTE_SIZE];

	/* what is wrong with files was found with the configuration */
	if (person == NULL)
		return true;
	person->enrolled = true;
	if (csign_devices_load(c->ctx, name, &devices) != CSIGN_OK) {
		person->files_bad = true;
		return true;
	}
	for (size_t i = 0; (device = csign_devices_get(devices, i)) != NULL;
	     i++)
		check_device(c, person, device);
	csign_devices_free(&devices);
	if (csign_push_look(c->ctx, name, note) == CSIGN_OK && note[0] != '\0')
		check_find(
		    c->report, FIND_PUSH_QUIET, NULL, name, NULL, "%s", note);
	if (csign_recovery_left(c->ctx, name, &person->codes) == CSIGN_OK)
		check_reserve(c, person);
	else
		person->files_bad = true;
	return true;
}

/* --- people without one --------------------------------------------------- */

/* Is the account denied there for want of a device? */
static bool
is_stuck(
    struct check *c, const char *service, const struct check_person *person)
{
	return check_asks(c, service) && !person->enrolled &&
	       strcmp(check_setting(c, service, "unenrolled"), "deny") == 0 &&
	       check_is_asked(c, service, person);
}

static void
check_admins(struct check *c)
{
	for (size_t i = 0; i < c->people.n; i++) {
		const struct check_person *person = &c->people.item[i];
		const char *service = NULL;
		char remedy[CHECK_SUBJECT_SIZE];

		if (!person->admin || person->uid == 0 || !person->shell)
			continue;
		if (!person->nopasswd && is_stuck(c, "sudo", person))
			service = "sudo";
		else if (is_stuck(c, "sshd", person))
			service = "sshd";
		if (service == NULL)
			continue;
		(void)snprintf(remedy, sizeof remedy, "countersign enroll %s",
		    person->name);
		check_find(c->report, FIND_ADMIN_UNENROLLED, service,
		    person->name, remedy,
		    "This administrator has no device and is denied.");
	}
}

/* Can this account use that door at all? */
static bool
may_enter(
    struct check *c, const char *service, const struct check_person *person)
{
	bool key;

	if (!person->shell)
		return false;
	if (strcmp(service, "sshd") != 0)
		return person->password;
	if (!c->sshd.known ||
	    (person->uid == 0 && strcmp(c->sshd.root_login, "yes") != 0))
		return false;
	key = check_has_key(person, c->sshd.keys);
	/* who gets in by a key alone is not stuck */
	if (key && check_sshd_alone(&c->sshd))
		return false;
	return key || (person->password && !check_sshd_needs_key(&c->sshd));
}

static void
check_others(struct check *c, const char *service)
{
	char names[512] = "";
	size_t n = 0;

	for (size_t i = 0; i < c->people.n; i++) {
		const struct check_person *person = &c->people.item[i];

		if ((person->admin && person->uid != 0) ||
		    !may_enter(c, service, person) ||
		    !is_stuck(c, service, person) || n++ >= NAMES_SHOWN)
			continue;
		if (n > 1)
			(void)check_append(names, sizeof names, ", ", 2);
		(void)check_append(
		    names, sizeof names, person->name, sizeof person->name);
	}
	if (n > NAMES_SHOWN)
		check_find(c->report, FIND_USER_UNENROLLED, service, service,
		    NULL,
		    "Accounts without a device are denied there: %s and "
		    "%zu more.",
		    names, n - NAMES_SHOWN);
	else if (n > 0)
		check_find(c->report, FIND_USER_UNENROLLED, service, service,
		    NULL, "Accounts without a device are denied there: %s.",
		    names);
}

static void
check_uids(struct check *c)
{
	for (size_t i = 0; i < c->people.n; i++)
		if (c->people.item[i].uid == 0 &&
		    strcmp(c->people.item[i].name, "root") != 0)
			check_find(c->report, FIND_UID_ZERO, NULL,
			    c->people.item[i].name, NULL,
			    "This is another name of uid 0: the phone of the "
			    "account that comes first in passwd is asked for "
			    "both.");
}

void
check_accounts(struct check *c)
{
	size_t devices = 0, users = 0;

	check_people(c);
	check_uids(c);
	if (!c->loaded || csign_users_each(c->ctx, check_user, c) != CSIGN_OK)
		return; /* check_files() said why */
	check_admins(c);
	check_others(c, "sshd");
	check_others(c, "login");
	for (size_t i = 0; i < c->people.n; i++) {
		devices += c->people.item[i].devices;
		users += c->people.item[i].devices > 0;
	}
	check_good(c->report, GROUP_ACCOUNTS,
	    "%zu account%s with a device, %zu device%s in all", users,
	    users == 1 ? "" : "s", devices, devices == 1 ? "" : "s");
}
