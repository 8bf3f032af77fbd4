/* SPDX-License-Identifier: BSD-2-Clause */
/* countersign check: is the service there, for how long, and at what time? */
#include "config.h"

#include <stdio.h>
#include <time.h>

#include "check.h"

#define CERTIFICATE_SOON 1814400 /* seconds: 21 days */

static void
check_certificate(struct check *c, uint64_t end, uint64_t now)
{
	time_t when = (time_t)end;
	char text[32] = "";
	struct tm tm;

	if (end == 0)
		return; /* plain, on this machine */
	if (gmtime_r(&when, &tm) != NULL)
		(void)strftime(text, sizeof text, "%Y-%m-%d", &tm);
	if (end < now + CERTIFICATE_SOON)
		check_find(c->report, FIND_CERTIFICATE, NULL,
		    check_setting(c, NULL, "service"), NULL,
		    "Its certificate, or one that it is signed with, ends on "
		    "%s, in %ld days; then nobody can be asked.",
		    text, end > now ? (long)((end - now) / 86400) : 0L);
	else
		check_good(c->report, GROUP_SERVICE,
		    "its certificate is good until %s", text);
}

void
check_service_there(struct check *c)
{
	struct csign_service_facts facts = {0};
	struct timespec now;
	enum csign_err err;

	if (!c->loaded)
		return;
	err = csign_service_look(c->ctx, &facts);
	if (err == CSIGN_E_SERVICE_REFUSED) {
		check_find(c->report, FIND_SERVICE_KEY, NULL,
		    check_setting(c, NULL, "service"), NULL, "%s.",
		    csign_ctx_why(c->ctx));
		return;
	}
	if (err != CSIGN_OK) {
		check_find(c->report, FIND_SERVICE, NULL,
		    check_setting(c, NULL, "service"), NULL,
		    "Nobody can be asked now: %s.", csign_ctx_why(c->ctx));
		return;
	}
	(void)clock_gettime(CLOCK_REALTIME, &now);
	check_good(c->report, GROUP_SERVICE, "%s answers, and knows this host",
	    check_setting(c, NULL, "service"));
	check_certificate(c, facts.certificate_end, (uint64_t)now.tv_sec);
	if (facts.clock != 0)
		check_clock(c, (int64_t)now.tv_sec - (int64_t)facts.clock);
}
