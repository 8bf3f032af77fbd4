/* SPDX-License-Identifier: BSD-2-Clause */
/* What anybody may call: whether all is well. */
#include "config.h"

#include "api.h"
#include "clock.h"
#include "reply.h"

#define HEALTH_MS 1000

/* Anybody may ask as often as they like: that is no write each time. */
static enum csign_err
health(struct service *service)
{
	uint64_t now = 0;

	if (csign_clock_boot(&now) != CSIGN_OK ||
	    now - service->health_at >= HEALTH_MS) {
		service->health = store_check(service->store, call_now());
		service->health_at = now;
	}
	return service->health;
}

static void
healthz(struct call *call)
{
	struct reply reply;
	enum csign_err r;

	if ((r = health(call->service)) != CSIGN_OK) {
		call_fail(call, r);
		return;
	}
	reply_begin(&reply, call->service->out);
	reply_str(&reply, "status", "ok");
	reply_send(&reply, call->conn, 200, NULL);
}

const struct route open_routes[] = {
    {"/healthz", HTTP_GET, SIDE_OPEN, 0, false, healthz},
    {NULL, 0, SIDE_OPEN, 0, false, NULL},
};
