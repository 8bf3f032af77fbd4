/* SPDX-License-Identifier: BSD-2-Clause */
/* Power cuts: logins by phone. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "played.h"
#include "power_cut.h"

const struct change a_login = {.name = "a_login",
    .prepare = two_devices,
    .make = login,
    .again = login,
    .record = "\"event\":\"approval\",\"result\":\"granted\""};

static enum csign_err
deny(void)
{
	enum csign_err r = login_by(host.key, "deny");

	return r == CSIGN_E_DENIED ? CSIGN_OK : r;
}

const struct change a_denial = {.name = "a_denial",
    .prepare = two_devices,
    .make = deny,
    .again = login,
    .record = "\"result\":\"denied\""};

static void
ringing_devices(void)
{
	host.seal = key_from(77);
	two_devices();
}

/* The file of rings, too; none of its turns may keep the next one out. */
const struct change a_login_that_rings = {.name = "a_login_that_rings",
    .prepare = ringing_devices,
    .make = login,
    .again = login,
    .record = "\"event\":\"approval\",\"result\":\"granted\""};

static void
evidence_kept(void)
{
	char lines[256];

	two_devices();
	(void)snprintf(lines, sizeof(lines),
	    "evidence = yes\nevidence_file = %s/evidence.log\n", host.dir);
	configure(lines);
}

static void
check_evidence(bool last)
{
	size_t len = 0;
	char *text = slurp("evidence.log", &len);

	ask(!last || (text != NULL && len > 500 && text[len - 1] == '\n' &&
			 memchr(text, '\0', len) == NULL),
	    "the evidence is missing");
	free(text);
}

const struct change a_login_with_evidence = {.name = "a_login_with_evidence",
    .prepare = evidence_kept,
    .make = login,
    .check = check_evidence,
    .again = login,
    .record = "\"event\":\"approval\",\"result\":\"granted\""};
