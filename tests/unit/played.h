/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A host in a folder with a courier that is played here: whatever the service
 * and the network could deliver, in any order, at any time.  The phone is the
 * real one of lib/phone.h; files are real files; time is ours.
 */
#ifndef PLAYED_H
#define PLAYED_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "account.h"
#include "buf.h"
#include "clock.h"
#include "crypto.h"
#include "ctx.h"
#include "device.h"
#include "frame.h"
#include "leash.h"
#include "link.h"
#include "phone.h"
#include "state.h"

#define QUEUE_MAX 32

struct played_courier {
	struct csign_frame frames[QUEUE_MAX];
	struct csign_buf *bytes[QUEUE_MAX];
	size_t head, tail;
	unsigned char content[CSIGN_CONTENT_MAX];
	size_t content_len;
	unsigned char copies[CSIGN_DEVICES_MAX * CSIGN_COPY_LEN];
	size_t n_copies;
	uint8_t rings;    /* as the service says */
	bool no_copies;   /* the service refuses a question with copies */
	uint64_t slow_ms; /* that pass until it has said so */
	char subject[CSIGN_USER_MAX + 1];
	unsigned int starts, frees, kills, conflicts;
	enum csign_trouble trouble;
	enum csign_outcome outcome;
	char reason[64], device[CSIGN_DEVICE_ID_SIZE];
	uint8_t tries_left;
	char removed[8][CSIGN_DEVICE_ID_SIZE];
	size_t n_removed;
	/* notes that come before the next question is there */
	struct csign_buf *notes[8];
	size_t n_notes;
	uint64_t now_ms;
	uint64_t tick_ms; /* that pass whenever somebody looks at the clock */
};
extern struct played_courier courier;

struct played_host {
	char dir[128], audit[160], evidence[160];
	char user[CSIGN_USER_MAX + 1];
	struct csign_account account;
	struct csign_ctx *ctx;
	struct csign_p256 *key, *other_key;
	struct csign_p256 *seal; /* of the devices, if they have one */
	struct csign_approval *ap;
	struct csign_enrolment *en;
	struct csign_link *link;
	struct csign_question question;
	struct csign_buf *answer;
};
extern struct played_host host;

/* For cmocka. */
int setup(void **state);
int teardown(void **state);
/* Settings of the host, with more lines than it needs. */
void configure(const char *more);
struct csign_p256 *key_from(unsigned char last);
/*
 * p256 devices "phone 1", "phone 2" of these keys, at most two; with host.seal,
 * if there is one.
 */
void set_devices(struct csign_p256 *const *keys, size_t n);
size_t count_devices(void);
void assert_audit(const char *needle);
bool in_audit(const char *needle);
/* From now on the host keeps evidence in the file that this is the name of. */
const char *keep_evidence(void);
/*
 * The newest record names the one line in it, of this choice with this code,
 * which is good; the file is removed.
 */
void assert_kept(const char *choice, const char *code);
/* A frame of the courier's, to be heard in its turn. */
void deliver(
    enum csign_frame_type type, uint8_t code, const void *bytes, size_t len);
struct csign_request *request_for(const char *user);
enum csign_err begin_for(const char *user, bool unproven);
void begin(void);
void begin_enrolment(const char *name);
/* The phone scans the link and opens what the service would give it. */
void scan(const char *link);
/* The phone's answer, into host.answer; answer() sends it too. */
void sign_code(
    const struct csign_p256 *key, const char *choice, const char *code);
void sign(const struct csign_p256 *key, const char *choice);
void send_answer(void);
void answer(const struct csign_p256 *key, const char *choice);
void decline(void); /* unsigned */
void answer_enrolment(const struct csign_p256 *key);
/* Whatever happened, nothing but CSIGN_OK may have written a verdict. */
enum csign_err wait_for(int timeout_ms);
/* Frees what belongs to one question. */
void end_question(void);

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

#endif
