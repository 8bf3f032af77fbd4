/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <locale.h>
#include <stdio.h>
#include <string.h>

#include "command.h"
#include "process.h"

static void
usage_line(FILE *to, const struct program *program, const struct command *cmd)
{
	(void)fprintf(to, "usage: %s %s", program->name, cmd->name);
	if (cmd->operands[0] != '\0')
		(void)fprintf(to, " %s", cmd->operands);
	for (size_t i = 0; i < program->n_options; i++) {
		const struct command_option *o = &program->options[i];

		if ((cmd->options & OPTION_BIT(i)) == 0)
			continue;
		(void)fprintf(to,
		    (cmd->required & OPTION_BIT(i)) != 0 ? " --%s%s%s%s"
							 : " [--%s%s%s]%s",
		    o->name, o->argument != NULL ? " " : "",
		    o->argument != NULL ? o->argument : "",
		    (program->lists & OPTION_BIT(i)) != 0 ? "..." : "");
	}
	(void)fputc('\n', to);
}

static enum out_status
usage_error(const struct program *program, const struct command *cmd)
{
	if (cmd != NULL)
		usage_line(stderr, program, cmd);
	else
		(void)fprintf(stderr,
		    "usage: %s COMMAND [ARGUMENTS]; "
		    "%s --help lists the commands\n",
		    program->name, program->name);
	return STATUS_USAGE;
}

static enum out_status
command_help(const struct program *program, const struct command *cmd)
{
	usage_line(stdout, program, cmd);
	(void)printf("\n%s\n\n", cmd->summary);
	for (size_t i = 0; i < program->n_options; i++) {
		const struct command_option *o = &program->options[i];

		if ((cmd->options & OPTION_BIT(i)) != 0)
			(void)printf("  --%s %s%*s%s\n", o->name,
			    o->argument != NULL ? o->argument : "",
			    22 - (int)strlen(o->name) -
				(o->argument != NULL ? (int)strlen(o->argument)
						     : 0),
			    "", o->help);
	}
	return STATUS_YES;
}

static enum out_status
program_help(const struct program *program)
{
	(void)printf("usage: %s COMMAND [ARGUMENTS]\n\n%s\n\n", program->name,
	    program->summary);
	for (size_t i = 0; i < program->n_commands; i++)
		(void)printf("  %-13s %s\n", program->commands[i].name,
		    program->commands[i].summary);
	(void)printf("\n  %s --version\n  %s COMMAND --help\n"
		     "\n%s(1) says more.\n",
	    program->name, program->name, program->name);
	return STATUS_YES;
}

/* The option that arg ("name" or "name=value") names; n_options if none. */
static size_t
find_option(const struct program *program, const struct command *cmd,
    const char *arg, const char **ret_value)
{
	size_t len = strcspn(arg, "=");
	size_t i;

	for (i = 0; i < program->n_options; i++)
		if ((cmd->options & OPTION_BIT(i)) != 0 &&
		    strlen(program->options[i].name) == len &&
		    memcmp(program->options[i].name, arg, len) == 0)
			break;
	*ret_value = arg[len] == '=' ? arg + len + 1 : NULL;
	return i;
}

const char *
args_value(const struct args *args, size_t option, size_t n)
{
	for (size_t i = 0; i < args->n_values; i++)
		if (args->values[i].option == option && n-- == 0)
			return args->values[i].value;
	return NULL;
}

/* Once more is once too often, except for a list that is not full. */
static bool
store_option(const struct program *program, const struct command *cmd, size_t i,
    const char *value, struct args *args)
{
	bool list = (program->lists & OPTION_BIT(i)) != 0;

	if (list && args->n_values == COMMAND_VALUES_MAX) {
		out_error("%s: --%s is there too often", cmd->name,
		    program->options[i].name);
		return false;
	}
	if (!list && args->option[i] != NULL) {
		out_error("%s: --%s is there twice", cmd->name,
		    program->options[i].name);
		return false;
	}
	if (args->option[i] == NULL)
		args->option[i] = value;
	if (list) {
		args->values[args->n_values].option = i;
		args->values[args->n_values++].value = value;
	}
	return true;
}

/* One "--..." and, if it needs one, the value behind it. */
static bool
take_option(const struct program *program, const struct command *cmd,
    char **argv, int *at, struct args *args)
{
	const char *name = argv[*at] + 2, *value = NULL;
	size_t i = find_option(program, cmd, name, &value);
	bool wants;

	if (i == program->n_options) {
		/* the name alone: a value may be a secret typed in error */
		out_error("%s: unknown option --%.*s", cmd->name,
		    (int)strcspn(name, "="), name);
		return false;
	}
	name = program->options[i].name;
	wants = program->options[i].argument != NULL;
	if (wants && value == NULL && argv[*at + 1] != NULL)
		value = argv[++*at];
	if (wants != (value != NULL)) {
		out_error("%s: --%s %s", cmd->name, name,
		    wants ? "needs a value" : "takes no value");
		return false;
	}
	return store_option(program, cmd, i, wants ? value : "", args);
}

static bool
args_parse(const struct program *program, const struct command *cmd,
    char **argv, struct args *args, bool *ret_help)
{
	bool only_operands = false;

	for (int i = 0; argv[i] != NULL; i++) {
		const char *arg = argv[i];

		if (only_operands || arg[0] != '-' || arg[1] == '\0') {
			if (args->n_operands == cmd->max_operands) {
				out_error("%s: too many arguments", cmd->name);
				return false;
			}
			args->operand[args->n_operands++] = arg;
		} else if (strcmp(arg, "--") == 0) {
			only_operands = true;
		} else if (strcmp(arg, "--help") == 0 ||
			   strcmp(arg, "-h") == 0) {
			*ret_help = true;
			return true;
		} else if (arg[1] != '-') {
			out_error("%s: unknown option %.2s", cmd->name, arg);
			return false;
		} else if (!take_option(program, cmd, argv, &i, args)) {
			return false;
		}
	}
	if (args->n_operands < cmd->min_operands) {
		out_error("%s: too few arguments", cmd->name);
		return false;
	}
	for (size_t i = 0; i < program->n_options; i++) {
		if ((cmd->required & OPTION_BIT(i)) == 0 ||
		    args->option[i] != NULL)
			continue;
		out_error(
		    "%s: --%s is missing", cmd->name, program->options[i].name);
		return false;
	}
	return true;
}

static enum out_status
command_run(
    const struct program *program, const struct command *cmd, char **argv)
{
	struct args args = {0};
	enum out_status status;
	bool help = false;

	if (!args_parse(program, cmd, argv + 1, &args, &help))
		return usage_error(program, cmd);
	if (help)
		return command_help(program, cmd);
	status = program->run != NULL ? program->run(cmd, &args, argv)
				      : cmd->run(&args);
	return status == STATUS_USAGE ? usage_error(program, cmd) : status;
}

static const struct command *
command_find(const struct program *program, const char *name)
{
	for (size_t i = 0; i < program->n_commands; i++)
		if (strcmp(program->commands[i].name, name) == 0)
			return &program->commands[i];
	return NULL;
}

enum out_status
program_dispatch(const struct program *program, int argc, char **argv)
{
	const struct command *cmd;

	if (argc < 2) {
		out_error("which command?");
		return usage_error(program, NULL);
	}
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)
		return program_help(program);
	if (strcmp(argv[1], "--version") == 0) {
		(void)printf("%s %s\n", program->name, PACKAGE_VERSION);
		return STATUS_YES;
	}
	if ((cmd = command_find(program, argv[1])) == NULL) {
		out_error("there is no such command");
		return usage_error(program, NULL);
	}
	return command_run(program, cmd, argv + 1);
}

int
program_run(const struct program *program, int argc, char **argv)
{
	enum out_status status;

	out_set_program(program->name);
	if (!process_harden(program->name))
		return STATUS_TROUBLE;
	(void)setlocale(LC_CTYPE, "");
	status = program_dispatch(program, argc, argv);
	if (!out_flush()) {
		out_error("standard output could not be written");
		return STATUS_TROUBLE;
	}
	return (int)status;
}
