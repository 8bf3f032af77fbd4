/* SPDX-License-Identifier: BSD-2-Clause */
/* Power cuts: the devices of an account, from the first to the last. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "played.h"
#include "power_cut.h"

/* --- enrolment ------------------------------------------------------------ */

/*
 * All up to the commit, by the phone with other_key; replaces: an id, or NULL
 * for none.
 */
static enum csign_err
enrol(const char *replaces)
{
	uint32_t verdict = CSIGN_VERDICT_NONE;
	enum csign_err r;

	begin_enrolment(NULL);
	answer_enrolment(host.other_key);
	if ((r = csign_enrolment_wait(host.en, 0)) != CSIGN_OK ||
	    (r = csign_enrolment_accept(host.en, true)) != CSIGN_OK ||
	    (replaces != NULL &&
		(r = csign_enrolment_replace(host.en, replaces)) != CSIGN_OK) ||
	    (r = csign_enrolment_test(host.en, NULL, &host.ap)) != CSIGN_OK)
		return r;
	scan(csign_approval_link(host.ap));
	answer(host.other_key, "approve");
	if ((r = csign_approval_wait(host.ap, 0, &verdict)) != CSIGN_OK)
		return r;
	return csign_enrolment_commit(host.en, host.ap);
}

static enum csign_err
enrol_first(void)
{
	return enrol(NULL);
}

static void
nobody_enrolled(void)
{
	remove_store();
	id_of(host.other_key, id);
}

static void
check_enrolled(bool last)
{
	const bool listed = is_listed(id);

	ask(!last || (listed && state_now().had_device),
	    "the new device is lost");
	ask(!listed || !now_and_then() ||
		login_by(host.other_key, "approve") == CSIGN_OK,
	    "a device is there and cannot be used");
	end_question();
}

const struct change a_first_device = {.name = "a_first_device",
    .prepare = nobody_enrolled,
    .make = enrol_first,
    .check = check_enrolled,
    .again = enrol_first,
    .may_say = CSIGN_E_EXISTS,
    .record = "\"event\":\"enrolment\",\"result\":\"granted\"",
    .may_look_unenrolled = true};

static enum csign_err
enrol_instead(void)
{
	return enrol(id);
}

static void
check_replaced(bool last)
{
	struct csign_state state = state_now();
	char new[CSIGN_DEVICE_ID_SIZE];

	id_of(host.other_key, new);
	ask(is_listed(id) != is_listed(new), "one of the two has to be there");
	ask(!last || (is_listed(new) && csign_state_is_gone(&state, id)),
	    "the old device is back");
}

const struct change a_replaced_device = {.name = "a_replaced_device",
    .prepare = one_device,
    .make = enrol_instead,
    .check = check_replaced};

/* --- revocation ----------------------------------------------------------- */

static enum csign_err
revoke(void)
{
	char found[CSIGN_DEVICE_ID_SIZE];

	return csign_device_revoke(
	    host.ctx, host.user, id, true, "root", found);
}

static void
check_revoked(bool last)
{
	struct csign_state state = state_now();
	const bool listed = is_listed(id);
	const bool gone = csign_state_is_gone(&state, id);
	bool in;

	ask(!last || (!listed && gone), "a revoked device is back");
	ask(listed || gone, "a device is missing, and nobody knows why");
	if (!now_and_then())
		return;
	in = login_by(host.other_key, "approve") == CSIGN_OK;
	no_grant(!in || (listed && !gone), "a revoked device lets in");
	ask(in || !listed || gone, "a device that is half revoked");
	end_question();
}

const struct change a_revocation = {.name = "a_revocation",
    .prepare = two_devices,
    .make = revoke,
    .check = check_revoked,
    .again = revoke,
    .may_say = CSIGN_E_NOT_FOUND,
    .record = "\"event\":\"revoke\",\"result\":\"granted\""};

static void
check_last_revoked(bool last)
{
	struct csign_state state = state_now();

	ask(!last || (!is_listed(id) && csign_state_is_gone(&state, id)),
	    "a revoked device is back");
}

const struct change a_revocation_of_the_last = {
    .name = "a_revocation_of_the_last",
    .prepare = one_device,
    .make = revoke,
    .check = check_last_revoked,
    .again = revoke,
    .may_say = CSIGN_E_UNENROLLED};

/* --- a name --------------------------------------------------------------- */

static enum csign_err
rename_it(void)
{
	char found[CSIGN_DEVICE_ID_SIZE];

	return csign_device_rename(
	    host.ctx, host.user, id, "another name", "root", found);
}

static void
check_renamed(bool last)
{
	size_t len = 0;
	char name[128], *text;

	(void)snprintf(
	    name, sizeof(name), "state/devices/%s", host.account.file);
	text = slurp(name, &len);
	ask(!last || (text != NULL && strstr(text, "another name") != NULL),
	    "the new name is lost");
	ask(is_listed(id), "a device is lost");
	free(text);
}

const struct change a_new_name = {.name = "a_new_name",
    .prepare = two_devices,
    .make = rename_it,
    .check = check_renamed,
    .again = rename_it};

/* --- the end of all ------------------------------------------------------- */

static enum csign_err
deenrol(void)
{
	return csign_user_deenroll(host.ctx, host.user, "root");
}

static void
check_deenrolled(bool last)
{
	struct csign_state state = state_now();

	if (last) {
		ask(!is_listed(NULL), "a device is back");
		ask(csign_state_codes_left(&state) == 0, "codes are back");
	}
	/* Neither may outlive the other in a way that lets somebody in. */
	ask(use(codes[3]) == CSIGN_OK || csign_state_codes_left(&state) == 0,
	    "a code is there and cannot be used");
}

const struct change an_end = {.name = "an_end",
    .prepare = devices_and_codes,
    .make = deenrol,
    .check = check_deenrolled,
    .again = deenrol,
    .may_say = CSIGN_E_NOT_FOUND,
    .may_look_unenrolled = true};
