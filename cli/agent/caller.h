/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who gives a command: whoever runs the program, or, where the agent runs it
 * for somebody, that user of this host, who may do less than root.
 */
#ifndef CLI_AGENT_CALLER_H
#define CLI_AGENT_CALLER_H

#include <stdbool.h>
#include <sys/types.h>

#include "../command.h"
#include "countersign.h"

#define CALLER_NAME_MAX 256

struct caller {
	uid_t uid;
	gid_t gid;
	char name[CALLER_NAME_MAX + 1];
};

/*
 * The account of a uid, by its canonical name.  False, with *ret_why, if it
 * has none, or if the name leads to another uid.
 */
bool caller_find(uid_t uid, struct caller *ret_caller, const char **ret_why);

/*
 * From now on the commands of this process are this caller's, with this
 * configuration (NULL: the installed one).  Both stay the owner's.
 */
void caller_become(const struct caller *caller, const char *config);

/* The caller's name; NULL: nobody's but the process's own. */
const char *caller_name(void);
/* His uid, where there is a name. */
uid_t caller_uid(void);

/* Is it a command that the agent runs for users? */
bool caller_has_command(const char *command);

/*
 * May the command be run, as far as who calls is concerned?  STATUS_YES, or
 * the exit status after a message.  Puts the caller's name into args where
 * USER was left out.
 */
enum out_status caller_check(const struct command *cmd, struct args *args);

#endif
