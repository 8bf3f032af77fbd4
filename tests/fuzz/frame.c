/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Packets between library and courier: what is read is what would be written,
 * to the last byte, and leads nowhere outside the packet.
 */
#include "config.h"

#include <stdlib.h>

#include "frame.h"
#include "fuzz.h"

static void
check_frame(const uint8_t *packet, size_t size)
{
	struct csign_frame frame;
	struct csign_buf *out;

	if (csign_frame_read(packet, size, &frame) != CSIGN_OK)
		return;
	MUST(frame.len == 0 || (frame.bytes >= packet &&
				   frame.bytes + frame.len <= packet + size));
	out = fuzz_buf(CSIGN_FRAME_MAX);
	MUST(csign_frame_write(out, &frame) == CSIGN_OK);
	MUST(fuzz_buf_is(out, packet, size));
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
	out = fuzz_buf(CSIGN_FRAME_MAX);
	MUST(csign_frame_job(out, &job) == CSIGN_OK);
	MUST(fuzz_buf_is(out, packet, size));
	csign_buf_free(&out);
	csign_buf_free(&store);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *packet = fuzz_copy(data, size);

	check_frame(packet, size);
	check_job(packet, size);
	free(packet);
	return 0;
}
