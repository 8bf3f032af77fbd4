/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Programs made of commands, and the one way in which both programs read
 * their arguments: "--name value", "--name=value", "--flag", "--", and
 * operands, of which "-" is one.  No abbreviations, nothing twice.
 */
#ifndef CLI_COMMAND_H
#define CLI_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "out.h"

#define COMMAND_OPTIONS_MAX 16
#define COMMAND_OPERANDS_MAX 2

/* The command line of a command.  An option that is missing is NULL. */
struct args {
	const char *option[COMMAND_OPTIONS_MAX]; /* a flag that is there: "" */
	const char *operand[COMMAND_OPERANDS_MAX];
	size_t n_operands;
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
};

#define OPTION_BIT(option) (UINT32_C(1) << (option))

/* Everything from main()'s arguments to its exit status. */
int program_run(const struct program *program, int argc, char **argv);

/* Is the flag there? */
static inline bool
args_flag(const struct args *args, unsigned int option)
{
	return args->option[option] != NULL;
}

#endif
