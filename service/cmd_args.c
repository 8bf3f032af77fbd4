/* SPDX-License-Identifier: BSD-2-Clause */
/* The words of a command. */
#include "config.h"

#include <getopt.h>
#include <string.h>

#include "cmd.h"

static const char **
place_of(struct cmd_args *args, int option)
{
	switch (option) {
	case 'c':
		return &args->config;
	case CMD_HOST:
		return &args->host;
	case CMD_OVERLAP:
		return &args->overlap;
	case CMD_RIGHTS:
		return &args->rights;
	case CMD_SPACE:
		return &args->space;
	default:
		return NULL;
	}
}

/* Options may stand before and after the operand. */
static bool
read_options(int argc, char **argv, struct cmd_args *args)
{
	static const struct option options[] = {
	    {"config", required_argument, NULL, 'c'},
	    {"host", required_argument, NULL, CMD_HOST},
	    {"json", no_argument, NULL, CMD_JSON},
	    {"overlap", required_argument, NULL, CMD_OVERLAP},
	    {"rights", required_argument, NULL, CMD_RIGHTS},
	    {"space", required_argument, NULL, CMD_SPACE},
	    {NULL, 0, NULL, 0},
	};
	const char **place;
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == '?')
			return false;
		if (option == CMD_JSON)
			args->json = true;
		else if ((place = place_of(args, option)) != NULL)
			*place = optarg;
		if (option != 'c')
			args->said |= (unsigned)option;
	}
	return true;
}

/* argv[optind] is the operand, if there is one. */
static int
run(int argc, char **argv, const struct cmd_verb *verb, struct cmd_args *args)
{
	if ((args->said & ~verb->options) != 0 ||
	    argc - optind != (verb->operand ? 1 : 0))
		return CMD_USAGE;
	if (verb->operand)
		args->operand = argv[optind];
	return verb->run(args);
}

int
cmd_verbs(int argc, char **argv, const struct cmd_verb *verbs)
{
	struct cmd_args args = {.json = false};

	if (!read_options(argc, argv, &args) || optind == argc)
		return CMD_USAGE;
	for (; verbs->name != NULL; verbs++)
		if (strcmp(verbs->name, argv[optind]) == 0) {
			optind++;
			return run(argc, argv, verbs, &args);
		}
	return CMD_USAGE;
}

int
cmd_single(int argc, char **argv, const struct cmd_verb *verb)
{
	struct cmd_args args = {.json = false};

	if (!read_options(argc, argv, &args))
		return CMD_USAGE;
	return run(argc, argv, verb, &args);
}
