/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a running service does beside calls: it notices that a command has
 * written to the database, and lets go of what has had its time.
 */
#ifndef SERVICE_WATCH_H
#define SERVICE_WATCH_H

#include "service.h"

struct watch;

/* service must outlive the result. */
CSIGN_WUR enum csign_err watch_new(
    struct service *service, struct watch **ret_watch);
void watch_free(struct watch **watch);

#endif
