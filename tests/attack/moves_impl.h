/* SPDX-License-Identifier: BSD-2-Clause */
/* What the parts of moves.h share; each move is a function of one of them. */
#ifndef MOVES_IMPL_H
#define MOVES_IMPL_H

#include "login_impl.h"
#include "moves.h"

/* A new one, to be freed, or the test ends. */
struct csign_buf *moves_buf(size_t max);
/* Ends the test if that failed. */
void moves_must(enum csign_err r);
/* Draws each byte. */
void moves_fill(struct moves *m, unsigned char *bytes, size_t len);
/* Draws the first ones; the others follow from them. */
void moves_fill_long(struct moves *m, unsigned char *bytes, size_t len);
void moves_send_answer(struct moves *m, const struct csign_buf *sealed);

/* moves.c */
void moves_say(struct moves *m, enum csign_frame_type type, uint8_t code);
/* moves_packets.c */
void moves_random(struct moves *m);
void moves_mutated(struct moves *m);
void moves_huge(struct moves *m);
void moves_flood(struct moves *m);
/* moves_answers.c */
void moves_unsealed(struct moves *m);
void moves_replay(struct moves *m);
void moves_own(struct moves *m);
void moves_note(struct moves *m);
/* moves_forged.c */
void moves_decline(struct moves *m);
/* A phone of alice's; bent: a bit of the seal is changed then. */
void moves_answer(
    struct moves *m, const char *choice, unsigned int times, bool bent);

#endif
