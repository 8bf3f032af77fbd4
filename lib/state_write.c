/* SPDX-License-Identifier: BSD-2-Clause */
/* Writing a state file: csign_state_format(), declared in state_file.h. */
#include "config.h"

#include <stdio.h>
#include <string.h>

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

/* --- limits on push ------------------------------------------------------- */

/* "2026-11-22T08:00:00Z boot=512" */
static enum csign_err
put_moment(struct csign_buf *out, const struct csign_moment *m)
{
	char text[CSIGN_TIME_SIZE];
	enum csign_err r = csign_time_format(m->wall, text);

	return r == CSIGN_OK ? csign_buf_putf(out, "%s boot=%lld", text,
				   (long long)m->boot)
			     : r;
}

/* A line with a moment in it; seconds: how long from then, 0 for no matter. */
static enum csign_err
put_line(struct csign_buf *out, const char *before,
    const struct csign_moment *m, uint32_t seconds)
{
	enum csign_err r = csign_buf_put_str(out, before);

	if (r == CSIGN_OK)
		r = put_moment(out, m);
	if (r == CSIGN_OK && seconds > 0)
		r = csign_buf_putf(out, " for=%u", (unsigned)seconds);
	return r == CSIGN_OK ? csign_buf_put_str(out, "\n") : r;
}

static bool
is_moment(const struct csign_moment *m)
{
	return m->boot >= CSIGN_STATE_BOOT_MIN &&
	       m->boot <= CSIGN_STATE_BOOT_MAX;
}

/* Could it be read back? */
static bool
is_limit(const struct csign_limit *limit)
{
	bool rings = limit->open[0] != '\0', paused = limit->pause > 0;

	if (limit->n_pushes > CSIGN_PUSH_LONG_MAX ||
	    limit->open_for > CSIGN_PUSH_LONG ||
	    rings != (limit->open_for > 0) ||
	    limit->pause > CSIGN_PUSH_PAUSE_MAX ||
	    limit->pauses > CSIGN_PUSH_PAUSES_MAX ||
	    limit->denials >= CSIGN_PUSH_DENIALS ||
	    limit->unanswered >= CSIGN_PUSH_UNANSWERED ||
	    limit->wrong_codes > CSIGN_WRONG_CODES_MAX)
		return false;
	if (limit->n_pushes > 0 || rings || paused) {
		if (!csign_boot_id_valid(limit->boot_id))
			return false;
	} else if (limit->boot_id[0] != '\0') {
		return false;
	}
	for (size_t i = 0; i < limit->n_pushes; i++) {
		if (!is_moment(&limit->pushes[i]))
			return false;
	}
	return is_moment(&limit->opened) && is_moment(&limit->paused) &&
	       (!rings || strlen(limit->open) == CSIGN_RING_SIZE - 1);
}

static enum csign_err
put_limit(struct csign_buf *out, const struct csign_limit *limit)
{
	char ringing[sizeof("ringing ") + CSIGN_RING_SIZE + 1];
	enum csign_err r = csign_buf_putf(out,
	    "push not_me=%s denials=%u unanswered=%u wrong_codes=%u pauses=%u "
	    "boot=%s\n",
	    limit->not_me ? "yes" : "no", (unsigned)limit->denials,
	    (unsigned)limit->unanswered, (unsigned)limit->wrong_codes,
	    (unsigned)limit->pauses,
	    limit->boot_id[0] == '\0' ? "none" : limit->boot_id);

	for (size_t i = 0; i < limit->n_pushes && r == CSIGN_OK; i++)
		r = put_line(out, "rang ", &limit->pushes[i], 0);
	if (r == CSIGN_OK && limit->open[0] != '\0') {
		(void)snprintf(
		    ringing, sizeof(ringing), "ringing %s ", limit->open);
		r = put_line(out, ringing, &limit->opened, limit->open_for);
	}
	if (r == CSIGN_OK && limit->pause > 0)
		r = put_line(out, "paused ", &limit->paused, limit->pause);
	return r;
}

/* -------------------------------------------------------------------------- */

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
	    (state->n_codes > 0 && state->recovery_made == 0) ||
	    !is_limit(&state->limit))
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
		r = put_limit(out, &state->limit);
	if (r == CSIGN_OK)
		r = csign_state_digest(
		    crypto, csign_buf_data(out), csign_buf_len(out), sum);
	if (r == CSIGN_OK)
		r = csign_buf_putf(out, "%s%s\n", CSIGN_STATE_CHECKSUM, sum);
	return r;
}
