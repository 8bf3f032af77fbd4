/* SPDX-License-Identifier: BSD-2-Clause */
/* Power cuts: what several of the changes do, before and in them. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>

#include "played.h"
#include "power_cut.h"
#include "request.h"
#include "store.h"

char id[CSIGN_DEVICE_ID_SIZE];
char codes[CSIGN_RECOVERY_CODES][CSIGN_RECOVERY_SIZE];

void
id_of(const struct csign_p256 *key, char out[CSIGN_DEVICE_ID_SIZE])
{
	unsigned char point[CSIGN_POINT_LEN];

	csign_p256_point(key, point);
	assert_int_equal(
	    csign_device_id(host.ctx->crypto, point, out), CSIGN_OK);
}

void
one_device(void)
{
	set_devices(&host.key, 1);
	id_of(host.key, id);
}

void
two_devices(void)
{
	set_devices((struct csign_p256 *const[]){host.key, host.other_key}, 2);
	id_of(host.other_key, id);
}

enum csign_err
make_codes(void)
{
	return csign_recovery_make(host.ctx, host.user, "root", codes);
}

void
devices_and_codes(void)
{
	two_devices();
	assert_int_equal(make_codes(), CSIGN_OK);
	/* One use, so that the account has a state with everything in it. */
	assert_int_equal(login(), CSIGN_OK);
	end_question();
}

void
remove_store(void)
{
	char command[192];

	(void)snprintf(command, sizeof(command), "rm -rf '%s/state'", host.dir);
	assert_int_equal(system(command), 0); /* the name is ours */
	assert_int_equal(
	    csign_store_create(host.ctx->settings.state_dir, &host.ctx->why),
	    CSIGN_OK);
}

enum csign_err
login_by(const struct csign_p256 *key, const char *choice)
{
	uint32_t verdict = CSIGN_VERDICT_NONE;
	enum csign_err r = begin_for(host.user, false);

	if (r != CSIGN_OK)
		return r;
	scan(csign_approval_link(host.ap));
	answer(key, choice);
	return csign_approval_wait(host.ap, 0, &verdict);
}

enum csign_err
login(void)
{
	return login_by(host.key, "approve");
}

enum csign_err
use(const char *code)
{
	struct csign_request *req = request_for(host.user);
	uint32_t verdict = CSIGN_VERDICT_NONE;
	size_t left = 0;
	enum csign_err r =
	    csign_recovery_use(host.ctx, req, code, &verdict, &left);

	csign_request_free(&req);
	no_grant((verdict == CSIGN_VERDICT_GRANTED) == (r == CSIGN_OK),
	    "a verdict without a yes");
	return r;
}
