/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "cmd.h"
#include "log.h"
#include "server.h"

static const char usage[] =
    "usage: countersignd serve [--config FILE]\n"
    "       countersignd host add NAME [--space SPACE] [--rights LIST]"
    " [--json]\n"
    "       countersignd host list [--json]\n"
    "       countersignd host revoke NAME [--json]\n"
    "       countersignd host rotate NAME [--overlap MINUTES] [--json]\n"
    "       countersignd user list [--host HOST | --space SPACE] [--json]\n"
    "       countersignd user show NAME [--host HOST | --space SPACE]"
    " [--json]\n"
    "       countersignd user remove NAME [--host HOST | --space SPACE]"
    " [--json]\n"
    "       countersignd backup FILE\n"
    "       countersignd restore FILE\n"
    "       countersignd web --list [--json]\n"
    "       countersignd --help | --version\n"
    "Each but web takes --config FILE.\n";

int
cmd_serve(int argc, char **argv)
{
	static const struct option options[] = {
	    {"config", required_argument, NULL, 'c'}, {NULL, 0, NULL, 0}};
	const char *config = NULL;
	struct csign_why why = {""};
	int option;

	while ((option = getopt_long(argc, argv, "+", options, NULL)) != -1) {
		if (option != 'c')
			return CMD_USAGE;
		config = optarg;
	}
	if (optind != argc)
		return CMD_USAGE;
	if (server_run(config, &why) == CSIGN_OK)
		return CMD_OK;
	log_event(CSIGN_LOG_ERR, "not_started", "reason", why.text);
	return CMD_TROUBLE;
}

/*
 * Libraries take proxies, key logs, resolver options and more from the
 * environment; of ours systemd's socket is all that is wanted.
 */
static bool
forget_environment(void)
{
	const char *socket = secure_getenv("NOTIFY_SOCKET");
	char *copy = socket != NULL ? strdup(socket) : NULL;
	bool done;

	done = (socket == NULL || copy != NULL) && clearenv() == 0 &&
	       (copy == NULL || setenv("NOTIFY_SOCKET", copy, 1) == 0);
	free(copy);
	return done;
}

/* Keys pass through here: no core, no debugger, no file for others. */
static bool
protect_process(void)
{
	static const struct rlimit none = {0, 0};

	umask(077);
	return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0 &&
	       setrlimit(RLIMIT_CORE, &none) == 0;
}

static int
dispatch(int argc, char **argv)
{
	static const struct {
		const char *name;
		int (*run)(int argc, char **argv);
	} commands[] = {
	    {"backup", cmd_backup},
	    {"host", cmd_host},
	    {"restore", cmd_restore},
	    {"serve", cmd_serve},
	    {"user", cmd_user},
	    {"web", cmd_web},
	};
	size_t i;

	if (argc < 1)
		return CMD_USAGE;
	for (i = 0; i < sizeof commands / sizeof commands[0]; i++)
		if (strcmp(argv[0], commands[i].name) == 0)
			return commands[i].run(argc, argv);
	if (argc == 1 && strcmp(argv[0], "--version") == 0)
		(void)puts("countersignd " PACKAGE_VERSION);
	else if (argc == 1 && strcmp(argv[0], "--help") == 0)
		(void)fputs(usage, stdout);
	else
		return CMD_USAGE;
	return CMD_OK;
}

int
main(int argc, char **argv)
{
	int status;

	if (!protect_process() || !forget_environment()) {
		cmd_say("the process could not be protected");
		return CMD_TROUBLE;
	}
	status = dispatch(argc - 1, argv + 1);
	if (status == CMD_USAGE)
		(void)fputs(usage, stderr);
	if (fflush(stdout) != 0 && status == CMD_OK)
		status = CMD_TROUBLE;
	return status;
}
