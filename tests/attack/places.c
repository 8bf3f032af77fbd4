/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "device_file.h"
#include "exchange.h"
#include "faults.h"
#include "places.h"
#include "proof.h"
#include "push.h"
#include "seal.h"
#include "state.h"

enum place place;

static void
was_in(enum place here, unsigned long hits)
{
	if (faults.hits > hits && place == PLACE_ANY)
		place = here;
}

#define AT(here, name, params, args)                                           \
	enum csign_err __real_##name params;                                   \
	enum csign_err __wrap_##name params;                                   \
	enum csign_err __wrap_##name params                                    \
	{                                                                      \
		const unsigned long hits = faults.hits;                        \
		const enum csign_err r = __real_##name args;                   \
                                                                               \
		was_in(here, hits);                                            \
		return r;                                                      \
	}

AT(PLACE_ANSWER, csign_open,
    (struct csign_crypto * crypto, enum csign_seal_use use,
	const unsigned char key[CSIGN_KEY_LEN], const unsigned char *sealed,
	size_t len, struct csign_buf *out),
    (crypto, use, key, sealed, len, out))
AT(PLACE_ANSWER, csign_proof_check,
    (struct csign_crypto * crypto, const struct csign_device *device,
	const struct csign_answer *answer,
	const unsigned char challenge[CSIGN_CHALLENGE_LEN],
	const struct csign_proof_policy *policy,
	struct csign_proof_facts *ret_facts),
    (crypto, device, answer, challenge, policy, ret_facts))
AT(PLACE_ANSWER, csign_registration_check,
    (struct csign_crypto * crypto, const struct csign_answer *answer,
	const unsigned char challenge[CSIGN_CHALLENGE_LEN], const char *rp,
	const char *origin, const struct csign_proof_policy *policy,
	struct csign_device *ret_device, struct csign_proof_facts *ret_facts),
    (crypto, answer, challenge, rp, origin, policy, ret_device, ret_facts))
AT(PLACE_BEST_EFFORT, csign_device_seal,
    (struct csign_crypto * crypto,
	const unsigned char seal_point[CSIGN_POINT_LEN],
	const char device_id[CSIGN_DEVICE_ID_SIZE],
	const unsigned char secret[CSIGN_SECRET_LEN],
	struct csign_p256 *ephemeral, unsigned char out[CSIGN_DEVICE_SEAL_LEN]),
    (crypto, seal_point, device_id, secret, ephemeral, out))
AT(PLACE_BEST_EFFORT, csign_rings_peek,
    (struct csign_crypto * crypto, const char *state_dir,
	const struct csign_account *account, struct csign_state *ret_state,
	struct csign_why *why),
    (crypto, state_dir, account, ret_state, why))
AT(PLACE_DEVICES, csign_devices_read,
    (struct csign_crypto * crypto, const char *state_dir,
	const struct csign_account *account, struct csign_device_list *ret_list,
	struct csign_why *why),
    (crypto, state_dir, account, ret_list, why))

enum csign_quiet __real_csign_push_take(struct csign_ctx *ctx,
    const struct csign_account *account, uint32_t open_for,
    char ret_ring[CSIGN_RING_SIZE], char ret_note[CSIGN_PUSH_NOTE_SIZE]);
enum csign_quiet __wrap_csign_push_take(struct csign_ctx *ctx,
    const struct csign_account *account, uint32_t open_for,
    char ret_ring[CSIGN_RING_SIZE], char ret_note[CSIGN_PUSH_NOTE_SIZE]);
void __real_csign_push_over(struct csign_ctx *ctx,
    const struct csign_account *account, const char *ring,
    enum csign_became became);
void __wrap_csign_push_over(struct csign_ctx *ctx,
    const struct csign_account *account, const char *ring,
    enum csign_became became);
void __real_csign_approval_free(struct csign_approval **app);
void __wrap_csign_approval_free(struct csign_approval **app);

enum csign_quiet
__wrap_csign_push_take(struct csign_ctx *ctx,
    const struct csign_account *account, uint32_t open_for,
    char ret_ring[CSIGN_RING_SIZE], char ret_note[CSIGN_PUSH_NOTE_SIZE])
{
	const unsigned long hits = faults.hits;
	const enum csign_quiet quiet =
	    __real_csign_push_take(ctx, account, open_for, ret_ring, ret_note);

	was_in(PLACE_BEST_EFFORT, hits);
	return quiet;
}

void
__wrap_csign_push_over(struct csign_ctx *ctx,
    const struct csign_account *account, const char *ring,
    enum csign_became became)
{
	const unsigned long hits = faults.hits;

	__real_csign_push_over(ctx, account, ring, became);
	was_in(PLACE_BEST_EFFORT, hits);
}

void
__wrap_csign_approval_free(struct csign_approval **app)
{
	const unsigned long hits = faults.hits;

	__real_csign_approval_free(app);
	was_in(PLACE_BEST_EFFORT, hits);
}
