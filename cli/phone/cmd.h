/* SPDX-License-Identifier: BSD-2-Clause */
/* The commands of countersign-phone(1), and what they share. */
#ifndef PHONE_CMD_H
#define PHONE_CMD_H

#include <stdbool.h>

#include "../command.h"
#include "../tty.h"
#include "bounds.h"
#include "crypto.h"
#include "secret.h"
#include "store.h"
#include "why.h"

/* The program's options, in the order of the table in main.c. */
enum phone_option {
	OPT_NAME,
	OPT_CHOICE,
	OPT_CODE,
	OPT_NOT_ME,
	OPT_UNSIGNED,
	OPT_DEVICE,
	OPT_ONCE,
	OPT_NO_TEST,
	OPT_YES,
	OPT_FORCE,
	OPT_LOCAL,
	OPT_STORE,
	OPT_PASSPHRASE_FILE,
	OPT_CA_FILE,
	OPT_JSON,
	OPT_INBOX,
	OPT_WAIT,
	OPT_COUNT,
};

enum out_status cmd_enroll(const struct args *args);
enum out_status cmd_approve(const struct args *args);
enum out_status cmd_deny(const struct args *args);
enum out_status cmd_watch(const struct args *args);
enum out_status cmd_inbox(const struct args *args);
enum out_status cmd_push(const struct args *args);
enum out_status cmd_devices(const struct args *args);
enum out_status cmd_remove(const struct args *args);
enum out_status cmd_backup(const struct args *args);
enum out_status cmd_restore(const struct args *args);

/* --- a phone that is switched on: phone_common.c ---------------------------
 */

struct phone {
	const struct args *args;
	struct csign_crypto *crypto;
	struct store *store;
	int stop_fd; /* readable: somebody pressed Ctrl-C */
	char followed[CSIGN_LINK_ID_SIZE]; /* the last link without a scan */
	/* what else is to be done while a person thinks; or NULL */
	const struct tty_waiter *waiter;
	const char *prompt; /* what the terminal asks at this moment, or NULL */
	struct csign_why why;
};

/* On failure it has said why. */
enum out_status phone_open(struct phone *phone, const struct args *args);
void phone_close(struct phone *phone);

/* Says phone->why, or what err means; returns the exit status. */
enum out_status phone_fail(const struct phone *phone, enum csign_err err);

/* Asks on the terminal; see tty_line(). */
enum tty_result phone_line(
    struct phone *phone, const char *prompt, bool echo, char *out, size_t size);

/*
 * The first line of standard input, which is no terminal; false, having said
 * so: there is none, or it does not fit.
 */
bool phone_stdin_line(struct phone *phone, char *out, size_t size);

/*
 * The link: the operand, or found in standard input when that is "-" or
 * missing; asked for when there is a terminal.
 */
enum out_status phone_link(
    struct phone *phone, char ret_link[CSIGN_LINK_MAX + 1]);

/*
 * From --passphrase-file or the terminal, at least 8 characters; what: its name
 * there; repeat: a new one, asked for twice.  NUL-terminated.
 */
#define PHONE_PASSPHRASE_SIZE 256
enum out_status phone_passphrase(struct phone *phone, const char *what,
    bool repeat, struct csign_secret **ret_passphrase);

/* Is it "<number>" seconds, as --wait has it?  Missing: 0. */
bool phone_wait_option(const struct args *args, uint32_t *ret_seconds);

/* The signing key of a device, after the passphrase.  It has said why not. */
enum out_status phone_key(
    struct phone *phone, const char *id, struct csign_p256 **ret_key);

/* --- what watch calls for each link or question ---------------------------
 */

struct visit;

enum out_status enroll_visit(struct phone *phone, struct visit *visit);
enum out_status approve_visit(struct phone *phone, struct visit *visit);

/* Asks about every link in standard input: stream.c */
enum out_status stream_watch(const struct args *args);
/* Acts on the question of the inbox that --inbox names: cmd_inbox.c */
enum out_status inbox_command(const struct args *args,
    enum out_status (*act)(struct phone *phone, struct visit *visit));

#endif
