/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Packets between library and courier: what is read is what would be written,
 * to the last byte, and leads nowhere outside the packet.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "frame.h"
#include "fuzz.h"

#define MUST(condition)                                                        \
	do {                                                                   \
		if (!(condition))                                              \
			abort();                                               \
	} while (0)

static void
check_written(const struct csign_buf *out, const uint8_t *packet, size_t size)
{
	MUST(csign_buf_len(out) == size);
	MUST(memcmp(csign_buf_data(out), packet, size) == 0);
}

static void
check_frame(const uint8_t *packet, size_t size)
{
	struct csign_frame frame;
	struct csign_buf *out = NULL;

	if (csign_frame_read(packet, size, &frame) != CSIGN_OK)
		return;
	MUST(frame.len == 0 || (frame.bytes >= packet &&
				   frame.bytes + frame.len <= packet + size));
	MUST(csign_buf_new(CSIGN_FRAME_MAX, &out) == CSIGN_OK);
	MUST(csign_frame_write(out, &frame) == CSIGN_OK);
	check_written(out, packet, size);
	csign_buf_free(&out);
}

static void
check_job(const uint8_t *packet, size_t size)
{
	struct csign_buf *out = NULL, *store = NULL;
	struct csign_job job;

	if (csign_frame_read_job(packet, size, &store, &job) != CSIGN_OK)
		return;
	MUST(job.copies_len % CSIGN_COPY_LEN == 0);
	MUST(job.copies_len <= (size_t)CSIGN_COPY_LEN * CSIGN_DEVICES_MAX);
	MUST(job.copies_len == 0 || job.op == CSIGN_OP_APPROVE);
	MUST(csign_buf_new(CSIGN_FRAME_MAX, &out) == CSIGN_OK);
	MUST(csign_frame_job(out, &job) == CSIGN_OK);
	check_written(out, packet, size);
	csign_buf_free(&out);
	csign_buf_free(&store);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* No byte more than there is: a read behind it is seen. */
	uint8_t *packet = malloc(size > 0 ? size : 1);

	MUST(packet != NULL);
	if (size > 0)
		memcpy(packet, data, size);
	check_frame(packet, size);
	check_job(packet, size);
	free(packet);
	return 0;
}
