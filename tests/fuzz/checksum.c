/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <string.h>

#include "checksum.h"
#include "state_file.h"

struct csign_buf *
checksum_repair(const uint8_t *data, size_t size)
{
	const size_t line =
	    strlen(CSIGN_STATE_CHECKSUM) + CSIGN_STATE_DIGEST_SIZE;
	struct csign_buf *out = fuzz_buf(size + line);
	char digest[CSIGN_STATE_DIGEST_SIZE];

	if (size >= line && memcmp(data + size - line, CSIGN_STATE_CHECKSUM,
				strlen(CSIGN_STATE_CHECKSUM)) == 0)
		size -= line;
	MUST(csign_state_digest(fuzz_crypto(), data, size, digest) == CSIGN_OK);
	MUST(csign_buf_put(out, data, size) == CSIGN_OK);
	MUST(csign_buf_putf(out, CSIGN_STATE_CHECKSUM "%s\n", digest) ==
	     CSIGN_OK);
	return out;
}
