/* SPDX-License-Identifier: BSD-2-Clause */
/* Reading a state file: csign_state_parse(), declared in state.h. */
#include "config.h"

#include <string.h>

#include "clock.h"
#include "codec.h"
#include "piece.h"
#include "secret.h"
#include "state.h"
#include "state_file.h"

#define HASH_TEXT_LEN (2 * CSIGN_RECOVERY_HASH_LEN)
#define CHECKSUM_LINE_LEN                                                      \
	(sizeof(CSIGN_STATE_CHECKSUM) - 1 + CSIGN_STATE_DIGEST_SIZE)

static bool
read_time(const struct csign_piece *piece, uint64_t *ret_seconds)
{
	char text[CSIGN_TIME_SIZE];

	if (csign_piece_is(piece, "never")) {
		*ret_seconds = 0;
		return true;
	}
	return csign_piece_copy(piece, text, sizeof(text)) &&
	       csign_time_parse(text, ret_seconds) == CSIGN_OK;
}

static bool
read_id(const struct csign_piece *piece, char id[CSIGN_DEVICE_ID_SIZE])
{
	return piece->len == CSIGN_DEVICE_ID_SIZE - 1 &&
	       csign_piece_copy(piece, id, CSIGN_DEVICE_ID_SIZE);
}

/* "name=1001" as the next token. */
static bool
read_number(struct csign_piece *line, const char *name, uint32_t max,
    uint32_t *ret_number)
{
	struct csign_piece token;

	return csign_piece_token(line, &token) &&
	       csign_piece_skip(&token, name) &&
	       csign_piece_u32(&token, max, ret_number);
}

/* "use 4hx2k7q3m5rj6wza counter=12 last_used=2026-11-22T08:00:00Z" */
static bool
read_use(struct csign_piece line, struct csign_state *state)
{
	struct csign_piece id, counter, last_used;
	struct csign_device_use use;

	if (state->n_uses == CSIGN_DEVICES_MAX ||
	    !csign_piece_skip(&line, "use ") ||
	    !csign_piece_token(&line, &id) ||
	    !csign_piece_token(&line, &counter) ||
	    !csign_piece_token(&line, &last_used) || line.len > 0)
		return false;
	if (!read_id(&id, use.id) || !csign_piece_skip(&counter, "counter=") ||
	    !csign_piece_u32(&counter, UINT32_MAX, &use.counter) ||
	    !csign_piece_skip(&last_used, "last_used=") ||
	    !read_time(&last_used, &use.last_used))
		return false;
	for (size_t i = 0; i < state->n_uses; i++) {
		if (strcmp(state->uses[i].id, use.id) == 0)
			return false;
	}
	state->uses[state->n_uses++] = use;
	return true;
}

/* "recovery_made 2026-11-22T08:00:00Z" */
static bool
read_made(struct csign_piece line, struct csign_state *state)
{
	return csign_piece_skip(&line, "recovery_made ") &&
	       read_time(&line, &state->recovery_made);
}

static int
digit_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool
read_hash(const struct csign_piece *piece,
    unsigned char hash[CSIGN_RECOVERY_HASH_LEN])
{
	int high = 0, low = 0;

	if (piece->len != HASH_TEXT_LEN)
		return false;
	for (size_t i = 0; i < CSIGN_RECOVERY_HASH_LEN; i++) {
		high = digit_value(piece->at[2 * i]);
		low = digit_value(piece->at[2 * i + 1]);
		if (high < 0 || low < 0)
			return false;
		hash[i] = (unsigned char)(high << 4 | low);
	}
	return true;
}

/* "code 9f86d0...0a08 used=never" */
static bool
read_code(struct csign_piece line, struct csign_state *state)
{
	struct csign_recovery_code code;
	struct csign_piece hash, used;

	if (state->n_codes == CSIGN_RECOVERY_CODES ||
	    state->recovery_made == 0 || !csign_piece_skip(&line, "code ") ||
	    !csign_piece_token(&line, &hash) ||
	    !csign_piece_token(&line, &used) || line.len > 0 ||
	    !read_hash(&hash, code.hash) || !csign_piece_skip(&used, "used=") ||
	    !read_time(&used, &code.used))
		return false;
	for (size_t i = 0; i < state->n_codes; i++) {
		if (csign_equal(
			state->codes[i].hash, code.hash, sizeof(code.hash)))
			return false;
	}
	state->codes[state->n_codes++] = code;
	return true;
}

/* "gone 4hx2k7q3m5rj6wza 2026-11-22T08:00:00Z" */
static bool
read_gone(struct csign_piece line, struct csign_state *state)
{
	struct csign_device_gone gone;
	struct csign_piece id, when;

	if (state->n_gone == CSIGN_DEVICES_GONE_MAX ||
	    !csign_piece_skip(&line, "gone ") ||
	    !csign_piece_token(&line, &id) ||
	    !csign_piece_token(&line, &when) || line.len > 0 ||
	    !read_id(&id, gone.id) || !read_time(&when, &gone.when) ||
	    gone.when == 0 || csign_state_is_gone(state, gone.id))
		return false;
	state->gone[state->n_gone++] = gone;
	return true;
}

/* --- limits on push ------------------------------------------------------- */

/* "name=yes" as the next token. */
static bool
read_bool(struct csign_piece *line, const char *name, bool *ret_yes)
{
	struct csign_piece token;

	if (!csign_piece_token(line, &token) || !csign_piece_skip(&token, name))
		return false;
	*ret_yes = csign_piece_is(&token, "yes");
	return *ret_yes || csign_piece_is(&token, "no");
}

/* "boot=1b4e28ba-2fa1-41d2-883f-0016d3cca427", the last of its line. */
static bool
read_boot_id(struct csign_piece line, char boot_id[CSIGN_BOOT_ID_SIZE])
{
	if (!csign_piece_skip(&line, "boot="))
		return false;
	if (csign_piece_is(&line, "none")) {
		boot_id[0] = '\0';
		return true;
	}
	return csign_piece_copy(&line, boot_id, CSIGN_BOOT_ID_SIZE) &&
	       csign_boot_id_valid(boot_id);
}

/*
 * "push not_me=no denials=0 unanswered=1 wrong_codes=0 pauses=0 boot=none"
 */
static bool
read_push(struct csign_piece line, struct csign_state *state)
{
	struct csign_limit *limit = &state->limit;

	return csign_piece_skip(&line, "push ") &&
	       read_bool(&line, "not_me=", &limit->not_me) &&
	       read_number(&line, "denials=", CSIGN_PUSH_DENIALS - 1,
		   &limit->denials) &&
	       read_number(&line, "unanswered=", CSIGN_PUSH_UNANSWERED - 1,
		   &limit->unanswered) &&
	       read_number(&line, "wrong_codes=", CSIGN_WRONG_CODES_MAX,
		   &limit->wrong_codes) &&
	       read_number(
		   &line, "pauses=", CSIGN_PUSH_PAUSES_MAX, &limit->pauses) &&
	       read_boot_id(line, limit->boot_id);
}

/* "2026-11-22T08:00:00Z boot=-12" as the next two tokens, of a known boot. */
static bool
read_moment(struct csign_piece *line, const struct csign_limit *limit,
    struct csign_moment *ret_moment)
{
	struct csign_piece when, boot;
	char text[CSIGN_TIME_SIZE];
	uint32_t seconds = 0;
	bool before = false;

	if (limit->boot_id[0] == '\0' || !csign_piece_token(line, &when) ||
	    !csign_piece_copy(&when, text, sizeof(text)) ||
	    csign_time_parse(text, &ret_moment->wall) != CSIGN_OK ||
	    !csign_piece_token(line, &boot) ||
	    !csign_piece_skip(&boot, "boot="))
		return false;
	before = csign_piece_skip(&boot, "-");
	if (!csign_piece_u32(&boot,
		before ? (uint32_t)-CSIGN_STATE_BOOT_MIN
		       : (uint32_t)CSIGN_STATE_BOOT_MAX,
		&seconds) ||
	    (before && seconds == 0))
		return false;
	ret_moment->boot = before ? -(int64_t)seconds : (int64_t)seconds;
	return true;
}

/* "rang 2026-11-22T08:00:00Z boot=512" */
static bool
read_rang(struct csign_piece line, struct csign_state *state)
{
	struct csign_limit *limit = &state->limit;

	return limit->n_pushes < CSIGN_PUSH_LONG_MAX &&
	       csign_piece_skip(&line, "rang ") &&
	       read_moment(&line, limit, &limit->pushes[limit->n_pushes++]) &&
	       line.len == 0;
}

/* "for=900", the last of its line. */
static bool
read_for(struct csign_piece line, uint32_t max, uint32_t *ret_seconds)
{
	return csign_piece_skip(&line, "for=") &&
	       csign_piece_u32(&line, max, ret_seconds) && *ret_seconds > 0;
}

/* "ringing q83vEjRWeJCr 2026-11-22T08:00:00Z boot=512 for=95" */
static bool
read_ringing(struct csign_piece line, struct csign_state *state)
{
	struct csign_limit *limit = &state->limit;
	struct csign_piece ring;
	unsigned char bytes[CSIGN_RING_SIZE];
	size_t len = 0;

	return csign_piece_skip(&line, "ringing ") &&
	       csign_piece_token(&line, &ring) &&
	       ring.len == CSIGN_RING_SIZE - 1 &&
	       csign_b64u_decode(
		   ring.at, ring.len, bytes, sizeof(bytes), &len) == CSIGN_OK &&
	       csign_piece_copy(&ring, limit->open, sizeof(limit->open)) &&
	       read_moment(&line, limit, &limit->opened) &&
	       read_for(line, CSIGN_PUSH_LONG, &limit->open_for);
}

/* "paused 2026-11-22T08:00:00Z boot=512 for=900" */
static bool
read_paused(struct csign_piece line, struct csign_state *state)
{
	struct csign_limit *limit = &state->limit;

	return csign_piece_skip(&line, "paused ") && limit->pause == 0 &&
	       read_moment(&line, limit, &limit->paused) &&
	       read_for(line, CSIGN_PUSH_PAUSE_MAX, &limit->pause);
}

/* A boot is named where there is something that it dates. */
static bool
names_boot(const struct csign_limit *limit)
{
	return limit->boot_id[0] != '\0';
}

static bool
has_moment(const struct csign_limit *limit)
{
	return limit->n_pushes > 0 || limit->open_for > 0 || limit->pause > 0;
}

/* --- the file ------------------------------------------------------------- */

struct header {
	uint32_t version;
	struct csign_piece user;
	uint32_t uid;
};

/* The first line; NULL if it is one, else what is wrong. */
static const char *
read_header(struct csign_piece line, struct header *ret_header)
{
	struct header header;

	if (!csign_piece_skip(&line, CSIGN_STATE_HEADER) ||
	    !read_number(&line, "", UINT32_MAX, &header.version))
		return "this is not a state file";
	if (header.version > CSIGN_STATE_VERSION)
		return "this was written by a newer version of countersign: "
		       "install that one again";
	if (header.version < CSIGN_STATE_VERSION_OLDEST ||
	    !csign_piece_token(&line, &header.user) ||
	    !csign_piece_skip(&header.user, "user=") ||
	    !read_number(&line, "uid=", UINT32_MAX - 1, &header.uid) ||
	    line.len > 0)
		return "the header is malformed";
	*ret_header = header;
	return NULL;
}

/* What follows had_device, in this order. */
static const struct line_type {
	bool (*read)(struct csign_piece line, struct csign_state *state);
	const char *word;
	const char *wrong;
	const char *missing; /* NULL: it may be */
	bool once;
	uint32_t since; /* version */
} line_types[] = {
    {read_use, "use ", "this is not the use of a device", NULL, false, 1},
    {read_made, "recovery_made ", "this is not the time of the codes",
	"there is no recovery_made", true, 2},
    {read_code, "code ", "this is not a recovery code", NULL, false, 2},
    {read_gone, "gone ", "this is not a device that is gone", NULL, false, 2},
    {read_push, "push ", "this is not about push", "there is no push", true, 3},
    {read_rang, "rang ", "this is not when a phone rang", NULL, false, 3},
    {read_ringing, "ringing ", "this is not what rings", NULL, true, 3},
    {read_paused, "paused ", "this is not a pause of push", NULL, false, 3},
};

#define N_LINE_TYPES (sizeof(line_types) / sizeof(line_types[0]))

static size_t
count_types(uint32_t version)
{
	size_t n = 0;

	while (n < N_LINE_TYPES && line_types[n].since <= version)
		n++;
	return n;
}

/* The lines between the header and the checksum. */
static const char *
read_body(struct csign_piece *rest, uint32_t version, struct csign_state *state,
    unsigned *ret_line)
{
	const size_t n_types = count_types(version);
	struct csign_piece line, word;
	bool ended = false, seen[N_LINE_TYPES] = {false};
	size_t type = 0;

	*ret_line = 2;
	if (!csign_piece_line(rest, &line, &ended))
		return "there is no had_device";
	if (csign_piece_is(&line, "had_device yes"))
		state->had_device = true;
	else if (!csign_piece_is(&line, "had_device no"))
		return "there is no had_device";
	while (csign_piece_line(rest, &line, &ended)) {
		(*ret_line)++;
		/* A line of a type that is over is one of none. */
		for (word = line;
		     type + 1 < n_types &&
		     !csign_piece_skip(&word, line_types[type].word);
		     word = line)
			type++;
		if (!line_types[type].read(line, state))
			return line_types[type].wrong;
		seen[type] = true;
		type += line_types[type].once;
	}
	(*ret_line)++;
	for (type = 0; type < n_types; type++) {
		if (line_types[type].missing != NULL && !seen[type])
			return line_types[type].missing;
	}
	if (names_boot(&state->limit) != has_moment(&state->limit))
		return "push names a boot for nothing";
	return NULL;
}

static enum csign_err
check_sum(struct csign_crypto *crypto, const char *text, size_t len,
    struct csign_piece *ret_body)
{
	char sum[CSIGN_STATE_DIGEST_SIZE];
	enum csign_err r = CSIGN_E_INTERNAL;
	struct csign_piece last;

	if (len < CHECKSUM_LINE_LEN)
		return CSIGN_E_FORMAT;
	len -= CHECKSUM_LINE_LEN;
	/* A line of its own, so that the one before it has an end. */
	if (len == 0 || text[len - 1] != '\n')
		return CSIGN_E_FORMAT;
	if ((r = csign_state_digest(crypto, text, len, sum)) != CSIGN_OK)
		return r;
	last = (struct csign_piece){text + len, CHECKSUM_LINE_LEN};
	if (!csign_piece_skip(&last, CSIGN_STATE_CHECKSUM) ||
	    !csign_piece_skip(&last, sum) || !csign_piece_is(&last, "\n"))
		return CSIGN_E_FORMAT;
	*ret_body = (struct csign_piece){text, len};
	return CSIGN_OK;
}

enum csign_err
csign_state_parse(struct csign_crypto *crypto, const char *path,
    const char *text, size_t len, const struct csign_account *account,
    struct csign_state *ret_state, struct csign_why *why)
{
	struct csign_piece rest = {text, len};
	struct csign_state state = {0};
	enum csign_err r = CSIGN_E_INTERNAL;
	struct csign_piece line;
	struct header header;
	const char *wrong = NULL;
	bool ended = false;
	unsigned at = 1;

	/* The version first: a newer one may have another checksum. */
	if (!csign_piece_line(&rest, &line, &ended))
		return CSIGN_E_STATE;
	wrong = read_header(line, &header);
	if (wrong == NULL && (!csign_piece_is(&header.user, account->file) ||
				 header.uid != account->uid))
		wrong = "the header names another account: was the uid given "
			"to somebody else?";
	if (wrong != NULL)
		goto wrong;
	r = check_sum(crypto, text, len, &rest);
	if (r == CSIGN_E_FORMAT) {
		csign_why_set(why, "%s: the checksum is wrong", path);
		return CSIGN_E_STATE;
	}
	if (r != CSIGN_OK)
		return r;
	(void)csign_piece_line(&rest, &line, &ended);
	wrong = read_body(&rest, header.version, &state, &at);
	if (wrong != NULL)
		goto wrong;
	*ret_state = state;
	return CSIGN_OK;
wrong:
	csign_why_set(why, "%s:%u: %s", path, at, wrong);
	return CSIGN_E_STATE;
}

enum csign_err
csign_state_whose(
    const char *text, size_t len, struct csign_account *ret_account)
{
	struct csign_account account = {0};
	struct csign_piece rest = {text, len}, line;
	struct header header;
	bool ended = false;

	if (!csign_piece_line(&rest, &line, &ended) ||
	    read_header(line, &header) != NULL ||
	    !csign_piece_copy(
		&header.user, account.file, sizeof(account.file)) ||
	    csign_account_from_file_name(account.file, account.name) !=
		CSIGN_OK)
		return CSIGN_E_STATE;
	account.uid = header.uid;
	*ret_account = account;
	return CSIGN_OK;
}
