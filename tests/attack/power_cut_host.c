/* SPDX-License-Identifier: BSD-2-Clause */
/* Power cuts: a host that is set up. */
#include "config.h"

#include <stdio.h>

#include "played.h"
#include "power_cut.h"

static struct csign_ctx *fresh_ctx;

static void
new_context(void)
{
	assert_int_equal(csign_ctx_new(NULL, &fresh_ctx), CSIGN_OK);
}

static void
free_context(void)
{
	csign_ctx_free(&fresh_ctx);
}

static enum csign_err
init(void)
{
	char path[256], lines[512];

	(void)snprintf(path, sizeof(path), "%s/etc/new.conf", host.dir);
	(void)snprintf(lines, sizeof(lines),
	    "host = web1\nstate_dir = %s/new\naudit_file = %s/log/audit.log\n",
	    host.dir, host.dir);
	return csign_host_init(fresh_ctx, path, "https://approve.example.org",
	    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", lines);
}

static void
check_init(bool last)
{
	char path[256];
	enum csign_err r;

	(void)snprintf(path, sizeof(path), "%s/etc/new.conf", host.dir);
	r = csign_ctx_load(fresh_ctx, path, NULL);
	ask(r == CSIGN_OK || !last, "the configuration is lost");
	if (r != CSIGN_OK)
		return;
	/* It comes last: whoever has it has all of the host. */
	r = csign_host_check(fresh_ctx, path, NULL, NULL);
	ask(r == CSIGN_OK, csign_ctx_why(fresh_ctx));
}

const struct change a_new_host = {.name = "a_new_host",
    .prepare = new_context,
    .make = init,
    .check = check_init,
    .again = init,
    .may_say = CSIGN_E_EXISTS,
    .clean = free_context,
    .elsewhere = true};
