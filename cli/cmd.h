/* SPDX-License-Identifier: BSD-2-Clause */
/* The commands of countersign(1), one a file. */
#ifndef CLI_CMD_H
#define CLI_CMD_H

#include "command.h"
#include "countersign.h"

/* The program's options, in the order of the table in main.c. */
enum cmd_option {
	OPT_CONFIG,
	OPT_SERVICE,
	OPT_ACCESS_KEY_FILE,
	OPT_SETTINGS,
	OPT_NAME,
	OPT_YES,
	OPT_QR,
	OPT_INVERSE,
	OPT_FORCE,
	OPT_JSON,
	OPT_LIST,
	OPT_PRINT_LINK,
	OPT_TITLE,
	OPT_DETAIL,
	OPT_CHOICE,
	OPT_SINCE,
	OPT_LINES,
	OPT_DRY_RUN,
	OPT_WITH_RECOVERY,
	OPT_ROOT,
	OPT_NO_PUSH,
	OPT_VERIFY,
	OPT_FILE,
	OPT_EVIDENCE,
	OPT_COUNT,
};

extern const struct program countersign_program; /* main.c */

enum out_status cmd_init(const struct args *args);
enum out_status cmd_enroll(const struct args *args);
enum out_status cmd_devices(const struct args *args);
enum out_status cmd_revoke(const struct args *args);
enum out_status cmd_deenroll(const struct args *args);
enum out_status cmd_rename(const struct args *args);
enum out_status cmd_recovery(const struct args *args);
enum out_status cmd_ask(const struct args *args);
enum out_status cmd_test(const struct args *args);
enum out_status cmd_log(const struct args *args);
enum out_status cmd_check(const struct args *args);
enum out_status cmd_pam(const struct args *args);
enum out_status cmd_backup(const struct args *args);
enum out_status cmd_restore(const struct args *args);
enum out_status cmd_agent(const struct args *args);
enum out_status cmd_check_config(const struct args *args);
enum out_status cmd_verify_page(const struct args *args);

/* --- what they share: common.c -------------------------------------------- */

/*
 * path made absolute by the current directory; NULL stays NULL.  *ret_path is
 * the caller's, from malloc(3).  False, with a message, if it cannot be.
 */
bool common_path(const char *path, char **ret_path);

/* A context with the configuration that --config names. */
enum csign_err common_context(
    const struct args *args, struct csign_ctx **ret_ctx);

/* Says why the newest call failed; returns its exit status. */
enum out_status common_fail(const struct csign_ctx *ctx, enum csign_err err);

/* "the service could not be told: ..." as a warning, with what is left to do.
 */
void common_service_left(
    const struct csign_ctx *ctx, enum csign_err err, const char *what_to_do);

/*
 * Who gives this command, for records: the agent's caller, else the login's
 * user, else the process's.
 */
#define COMMON_BY_SIZE 64
void common_by(char name[COMMON_BY_SIZE]);

/* How a removal at the service ended, for people and for --json. */
const char *common_removed(enum csign_err err);

#endif
