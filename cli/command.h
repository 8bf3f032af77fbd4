/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Programs made of commands, and the one way in which both programs read
 * their arguments: "--name value", "--name=value", "--flag", "--", and
 * operands, of which "-" is one.  No abbreviations, nothing twice but the
 * options that are lists.
 */
#ifndef CLI_COMMAND_H
#define CLI_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "out.h"

#define COMMAND_OPTIONS_MAX 32
#define COMMAND_OPERANDS_MAX 3
#define COMMAND_VALUES_MAX 32

/*
 * The command line of a command.  An option that is missing is NULL; a flag
 * that is there is ""; of an option that is a list it is the first value, and
 * args_value() has all.
 */
struct args {
	const char *option[COMMAND_OPTIONS_MAX];
	const char *operand[COMMAND_OPERANDS_MAX];
	size_t n_operands;
	struct {
		size_t option;
		const char *value;
	} values[COMMAND_VALUES_MAX]; /* of the lists, as they came */
	size_t n_values;
};

struct command_option {
	const char *name;     /* without the dashes */
	const char *argument; /* what --help calls it; NULL for a flag */
	const char *help;
};

struct command {
	const char *name;
	const char *operands; /* "USER DEVICE" as the usage line shows them */
	const char *summary;
	uint32_t options;  /* bit i: option i of the program */
	uint32_t required; /* of these, the ones that must be there */
	size_t min_operands, max_operands;
	enum out_status (*run)(const struct args *args);
};

struct program {
	const char *name;
	const char *summary;
	const struct command_option *options;
	size_t n_options;
	const struct command *commands;
	size_t n_commands;
	uint32_t lists; /* bit i: option i may be there more than once */
	/*
	 * Runs a command whose command line was read; argv begins with its
	 * name.  NULL: cmd->run(args), whoever calls.
	 */
	enum out_status (*run)(
	    const struct command *cmd, struct args *args, char **argv);
};

#define OPTION_BIT(option) (UINT32_C(1) << (option))

/* Everything from main()'s arguments to its exit status. */
int program_run(const struct program *program, int argc, char **argv);
/* The part of it that reads the arguments and runs a command. */
enum out_status program_dispatch(
    const struct program *program, int argc, char **argv);

/* Is the flag there? */
static inline bool
args_flag(const struct args *args, unsigned int option)
{
	return args->option[option] != NULL;
}

/* Value n, from 0, of an option that is a list; NULL behind the last. */
const char *args_value(const struct args *args, size_t option, size_t n);

#endif
