/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The courier's end of the socket to the library: frames in and out.
 */
#ifndef CSIGN_CHANNEL_H
#define CSIGN_CHANNEL_H

#include <stdbool.h>
#include <stdint.h>

#include "buf.h"
#include "countersign.h"
#include "frame.h"
#include "host_api.h"

#define CSIGN_CHANNEL_FD 3

struct csign_channel {
	bool gone; /* the library let go */
	/* What it decided, not yet told to the service. */
	bool decided;
	struct csign_api_outcome outcome;
	/* Devices that are gone from this host, not yet told to the service. */
	char removed[CSIGN_REMOVALS_MAX][CSIGN_DEVICE_ID_SIZE];
	size_t n_removed;
};

/* Waits for the first packet, which must be a job; strings are in store. */
CSIGN_WUR enum csign_err csign_channel_job(
    struct csign_buf **ret_store, struct csign_job *ret_job);
/* Takes in what has come since, without waiting. */
void csign_channel_hear(struct csign_channel *channel);
/* Waits up to timeout_ms for something to hear, and hears it. */
void csign_channel_wait(struct csign_channel *channel, uint32_t timeout_ms);
/* Never waits; a library that does not read is gone. */
void csign_channel_send(
    struct csign_channel *channel, const struct csign_frame *frame);
void csign_channel_trouble(
    struct csign_channel *channel, uint8_t trouble, const char *text);

#endif
