/* SPDX-License-Identifier: BSD-2-Clause */
/* Writing a state file: csign_state_format(), declared in state_file.h. */
#include "config.h"

#include "clock.h"
#include "codec.h"
#include "state_file.h"

enum csign_err
csign_state_digest(struct csign_crypto *crypto, const void *bytes, size_t len,
    char out[CSIGN_STATE_DIGEST_SIZE])
{
	const struct csign_part part = {bytes, len};
	unsigned char sum[32];
	enum csign_err r = csign_sha256(crypto, &part, 1, sum);

	if (r != CSIGN_OK)
		return r;
	return csign_hex_encode(sum, sizeof(sum), out, CSIGN_STATE_DIGEST_SIZE);
}

/* A time, after what is formatted before it; 0 is "never". */
static enum csign_err
put_time(struct csign_buf *out, const char *before, uint64_t when)
{
	char text[CSIGN_TIME_SIZE] = "never";
	enum csign_err r = CSIGN_OK;

	if (when > 0)
		r = csign_time_format(when, text);
	return r == CSIGN_OK ? csign_buf_putf(out, "%s%s\n", before, text) : r;
}

static enum csign_err
put_use(struct csign_buf *out, const struct csign_device_use *use)
{
	enum csign_err r =
	    csign_buf_putf(out, "use %s counter=%u", use->id, use->counter);

	return r == CSIGN_OK ? put_time(out, " last_used=", use->last_used) : r;
}

static enum csign_err
put_code(struct csign_buf *out, const struct csign_recovery_code *code)
{
	char hash[2 * CSIGN_RECOVERY_HASH_LEN + 1];
	enum csign_err r = csign_hex_encode(
	    code->hash, sizeof(code->hash), hash, sizeof(hash));

	if (r == CSIGN_OK)
		r = csign_buf_putf(out, "code %s", hash);
	return r == CSIGN_OK ? put_time(out, " used=", code->used) : r;
}

static enum csign_err
put_gone(struct csign_buf *out, const struct csign_device_gone *gone)
{
	enum csign_err r = csign_buf_putf(out, "gone %s", gone->id);

	return r == CSIGN_OK ? put_time(out, " ", gone->when) : r;
}

enum csign_err
csign_state_format(struct csign_crypto *crypto,
    const struct csign_account *account, const struct csign_state *state,
    struct csign_buf *out)
{
	char sum[CSIGN_STATE_DIGEST_SIZE];
	enum csign_err r = CSIGN_E_INTERNAL;

	if (state->n_uses > CSIGN_DEVICES_MAX ||
	    state->n_codes > CSIGN_RECOVERY_CODES ||
	    state->n_gone > CSIGN_DEVICES_GONE_MAX ||
	    (state->n_codes > 0 && state->recovery_made == 0))
		return CSIGN_E_INVALID;
	r = csign_buf_putf(out, "%s%d user=%s uid=%u\nhad_device %s\n",
	    CSIGN_STATE_HEADER, CSIGN_STATE_VERSION, account->file,
	    (unsigned)account->uid, state->had_device ? "yes" : "no");
	for (size_t i = 0; i < state->n_uses && r == CSIGN_OK; i++)
		r = put_use(out, &state->uses[i]);
	if (r == CSIGN_OK)
		r = put_time(out, "recovery_made ", state->recovery_made);
	for (size_t i = 0; i < state->n_codes && r == CSIGN_OK; i++)
		r = put_code(out, &state->codes[i]);
	for (size_t i = 0; i < state->n_gone && r == CSIGN_OK; i++)
		r = put_gone(out, &state->gone[i]);
	if (r == CSIGN_OK)
		r = csign_state_digest(
		    crypto, csign_buf_data(out), csign_buf_len(out), sum);
	if (r == CSIGN_OK)
		r = csign_buf_putf(out, "%s%s\n", CSIGN_STATE_CHECKSUM, sum);
	return r;
}
