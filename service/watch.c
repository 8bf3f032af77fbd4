/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>

#include "api.h"
#include "clock.h"
#include "log.h"
#include "watch.h"

#define EVERY_S 1
#define TIDY_EVERY 3600 /* of those */

struct watch {
	struct service *service;
	struct event *timer;
	unsigned until_tidy;
};

static void
log_command(const struct command *command)
{
	char uid[12], time[CSIGN_TIME_SIZE];

	(void)snprintf(uid, sizeof uid, "%u", command->uid);
	log_event(CSIGN_LOG_NOTICE, "admin_command", "command", command->what,
	    "name", command->name[0] != '\0' ? command->name : NULL, "space",
	    command->space[0] != '\0' ? command->space : NULL, "uid", uid,
	    "time",
	    csign_time_format(command->time / 1000, time) == CSIGN_OK ? time
								      : NULL);
}

/* Errors have been logged, and the next time comes soon. */
static void
look(struct service *service)
{
	enum csign_err r;

	if (!store_changed_outside(service->store))
		return;
	approvals_changed_outside(service->approvals);
	inbox_changed_all(service->inbox);
	r = store_commands_take(service->store, log_command);
	(void)r;
}

static void
tidy(struct service *service)
{
	uint64_t now = call_now();
	enum csign_err r;

	r = store_old_keys_expire(service->store, now);
	if (r == CSIGN_OK)
		r = store_removals_expire(service->store, now);
	if (r == CSIGN_OK)
		r = store_rings_expire(service->store, now);
	(void)r;
}

static void
on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct watch *watch = arg;

	(void)fd;
	(void)what;
	look(watch->service);
	if (watch->until_tidy-- == 0) {
		tidy(watch->service);
		watch->until_tidy = TIDY_EVERY;
	}
}

enum csign_err
watch_new(struct service *service, struct watch **ret_watch)
{
	static const struct timeval every = {EVERY_S, 0};
	struct watch *watch;

	if ((watch = calloc(1, sizeof *watch)) == NULL)
		return CSIGN_E_NOMEM;
	watch->service = service;
	watch->timer =
	    event_new(service->base, -1, EV_PERSIST, on_timer, watch);
	if (watch->timer == NULL || event_add(watch->timer, &every) != 0) {
		watch_free(&watch);
		return CSIGN_E_NOMEM;
	}
	on_timer(-1, 0, watch);
	*ret_watch = watch;
	return CSIGN_OK;
}

void
watch_free(struct watch **watch)
{
	if (*watch == NULL)
		return;
	if ((*watch)->timer != NULL)
		event_free((*watch)->timer);
	free(*watch);
	*watch = NULL;
}
