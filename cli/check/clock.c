/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * countersign check: the clock.  Questions do not depend on it; certificates,
 * the keys of countersign-phone and what records say do.
 */
#include "config.h"

#include <stdlib.h>
#include <sys/timex.h>

#include "check.h"

#define SKEW_MAX 30 /* seconds */

/* ahead: of the service's clock, in seconds. */
void
check_clock(struct check *c, int64_t ahead)
{
	struct timex state = {0};

	if (llabs(ahead) > SKEW_MAX)
		check_find(c->report, FIND_CLOCK, NULL,
		    check_setting(c, NULL, "service"), NULL,
		    "This host's clock is %lld seconds %s the service's: from "
		    "60 on plain keys are refused, and records tell wrong "
		    "times.",
		    llabs(ahead), ahead > 0 ? "ahead of" : "behind");
	else
		check_good(
		    c->report, GROUP_CLOCK, "it agrees with the service's");
	if (adjtimex(&state) != -1 && (state.status & STA_UNSYNC) != 0)
		check_find(c->report, FIND_CLOCK_FREE, NULL, "clock", NULL,
		    "The kernel says that nothing keeps the clock right.");
}
