/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * countersign check: when the service is away, or the phone is lost, is there
 * a way left to root?  One that this host can see: a rescue medium is not.
 */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "check.h"
#include "people.h"

#define WAYS_SHOWN 3
#define PEOPLE_TRIED 64 /* sshd is asked about each of them */

/* Ways that do not need the phone, as people would call them. */
enum way {
	WAY_NONE,
	WAY_CONSOLE, /* a password at the console */
	WAY_KEY,     /* a key over ssh */
	WAY_PASSWORD,
	WAY_CODES, /* a recovery code in place of the phone */
};

static const char *const names[] = {
    [WAY_NONE] = "no way",
    [WAY_CONSOLE] = "a password at the console",
    [WAY_KEY] = "a key over ssh",
    [WAY_PASSWORD] = "a password over ssh",
    [WAY_CODES] = "recovery codes",
};

/* Does a code do in place of the phone? */
static bool
codes_do(
    struct check *c, const char *service, const struct check_person *person)
{
	return person->codes > 0 && !person->files_bad &&
	       strcmp(check_setting(c, service, "recovery"), "yes") == 0;
}

static enum way
over_ssh(struct check *c, const struct check_person *person)
{
	struct check_sshd sshd;
	bool root = person->uid == 0, key;

	if (!c->sshd.known)
		return WAY_NONE;
	check_sshd_for(c, person->name, &sshd);
	if (root && (strcmp(sshd.root_login, "no") == 0 ||
			strcmp(sshd.root_login, "forced-commands-only") == 0))
		return WAY_NONE;
	key = check_has_key(person, sshd.keys);
	if (key && check_sshd_alone(&sshd))
		return WAY_KEY;
	if (root && strcmp(sshd.root_login, "yes") != 0)
		return WAY_NONE;
	if (check_sshd_needs_key(&sshd) && !key)
		return WAY_NONE;
	if (!sshd.kbdint && !sshd.password)
		return WAY_NONE;
	if (!sshd.use_pam || !check_asks(c, "sshd"))
		return person->password ? WAY_PASSWORD : WAY_NONE;
	return sshd.kbdint && codes_do(c, "sshd", person) ? WAY_CODES
							  : WAY_NONE;
}

/* In, without a phone. */
static enum way
way_in(struct check *c, const struct check_person *person)
{
	if (!person->shell)
		return WAY_NONE;
	if (person->password && !check_asks(c, "login"))
		return WAY_CONSOLE;
	if (person->password && codes_do(c, "login", person))
		return WAY_CODES;
	return over_ssh(c, person);
}

/* And up, once in. */
static enum way
way_up(struct check *c, const struct check_person *person)
{
	const struct check_person *root = check_person(c, "root");

	if (person->admin &&
	    (person->nopasswd || (!check_asks(c, "sudo") && person->password)))
		return WAY_PASSWORD;
	if (root != NULL && root->password && !check_asks(c, "su"))
		return WAY_PASSWORD;
	if (person->admin && codes_do(c, "sudo", person))
		return WAY_CODES;
	return WAY_NONE;
}

/* The phone at sudo is of little use beside another door to the same room. */
static void
check_other_ways(struct check *c)
{
	const struct check_person *root = check_person(c, "root");

	if (!check_asks(c, "sudo"))
		return;
	if (check_pam_service(c, "su") != NULL && !check_asks(c, "su") &&
	    root != NULL && root->password)
		check_find(c->report, FIND_OTHER_WAY, NULL, "su", NULL,
		    "sudo asks the phone; su, with root's password, does not.");
	if (check_pam_service(c, "polkit-1") != NULL &&
	    !check_asks(c, "polkit-1"))
		check_find(c->report, FIND_OTHER_WAY, NULL, "polkit-1", NULL,
		    "sudo asks the phone; pkexec, with an administrator's "
		    "password, does not.");
	if (check_pam_service(c, "doas") != NULL && !check_asks(c, "doas"))
		check_find(c->report, FIND_OTHER_WAY, NULL, "doas", NULL,
		    "sudo asks the phone; doas does not.");
}

void
check_recovery(struct check *c)
{
	size_t found = 0, tried = 0;

	if (!check_asks(c, "sshd") && !check_asks(c, "login") &&
	    !check_asks(c, "sudo") && !check_asks(c, "su"))
		return;
	check_other_ways(c);
	for (size_t i = 0;
	     i < c->people.n && found < WAYS_SHOWN && tried < PEOPLE_TRIED;
	     i++) {
		const struct check_person *person = &c->people.item[i];
		enum way in = WAY_NONE, up = WAY_NONE;

		if (person->uid == 0) {
			in = up = way_in(c, person);
		} else if (person->shell &&
			   (up = way_up(c, person)) != WAY_NONE) {
			in = way_in(c, person);
		}
		if (up != WAY_NONE)
			tried++;
		if (in == WAY_NONE)
			continue;
		found++;
		check_good(c->report, GROUP_RECOVERY, "%s: %s%s", person->name,
		    names[in],
		    up == WAY_CODES && in != WAY_CODES ? ", then recovery codes"
						       : "");
	}
	if (found == 0)
		check_find(c->report, FIND_NO_BREAK_GLASS, NULL, "root", NULL,
		    "When the service is away, or the phones are, nobody can "
		    "become root on this host: every way that was found needs "
		    "a phone.");
}
