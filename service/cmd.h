/* SPDX-License-Identifier: BSD-2-Clause */
/* The commands of countersignd and what they share. */
#ifndef SERVICE_CMD_H
#define SERVICE_CMD_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "countersign.h"
#include "reply.h"
#include "store.h"

/* Exit statuses, countersignd(8). */
enum cmd_exit {
	CMD_OK = 0,
	CMD_NO = 1,      /* not found, there already */
	CMD_USAGE = 2,   /* wrong usage */
	CMD_TROUBLE = 3, /* could not be done */
};

/* "countersignd: ..." on standard error. */
void cmd_say(const char *fmt, ...) CSIGN_PRINTF(1, 2);

/* argv[0] is the command's name. */
int cmd_backup(int argc, char **argv);
int cmd_host(int argc, char **argv);
int cmd_restore(int argc, char **argv);
int cmd_serve(int argc, char **argv);
int cmd_user(int argc, char **argv);
int cmd_web(int argc, char **argv);

/* --- words ---------------------------------------------------------------- */

#define CMD_HOST 1U
#define CMD_JSON 2U
#define CMD_OVERLAP 4U
#define CMD_RIGHTS 8U
#define CMD_SPACE 16U

struct cmd_args {
	const char *config; /* each NULL if it was not said */
	const char *host;
	const char *overlap;
	const char *rights;
	const char *space;
	bool json;
	unsigned said; /* CMD_... */
	const char *operand;
};

struct cmd_verb {
	const char *name;
	bool operand;     /* has one, and needs it */
	unsigned options; /* CMD_..., beside --config */
	int (*run)(const struct cmd_args *args);
};

/* Runs the one that argv[1] names; verbs is ended by name NULL. */
int cmd_verbs(int argc, char **argv, const struct cmd_verb *verbs);
/* The same for a command without verbs. */
int cmd_single(int argc, char **argv, const struct cmd_verb *verb);

/* --- the database --------------------------------------------------------- */

struct cmd_store {
	struct store *store;
	uint64_t now;
	uid_t uid; /* of who gave the command */
};

/*
 * The setting `database`, to be given to free(3); NULL after it said why not.
 */
char *cmd_database(const char *config);
/*
 * As root, become the owner of the database, so that no file of root's is left
 * beside it that the service could not write.
 */
bool cmd_become_owner(const char *database);
/* Both false after they said why. */
bool cmd_open(const char *config, struct cmd_store *ret_store);
bool cmd_find_space(const struct cmd_store *store, const struct cmd_args *args,
    int64_t *ret_space);
/* What is done, for the log of the service; in a transaction with it. */
CSIGN_WUR enum csign_err cmd_record(const struct cmd_store *store,
    const char *what, const char *name, const char *space);

/* --- output --------------------------------------------------------------- */

/* A line of JSON being made, then printed; NULL: no memory, which was said. */
struct csign_buf *cmd_json(struct reply *reply);
int cmd_print(struct reply *reply, struct csign_buf **buf);
/* Foreign text in a table: harmless, and padded to width. */
void cmd_cell(const char *text, int width);
/* Milliseconds as RFC 3339 in a table, with a space behind it. */
void cmd_time(uint64_t ms);

#endif
