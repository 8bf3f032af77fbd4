/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "opt.h"

enum type { FLAG, PATH };

static const struct option {
	const char *name;
	enum type type;
	size_t offset; /* of the member of struct csign_opt */
} options[] = {
    {"after_first_factor", FLAG,
	offsetof(struct csign_opt, after_first_factor)},
    {"config", PATH, offsetof(struct csign_opt, config)},
    {"debug", FLAG, offsetof(struct csign_opt, debug)},
};

#define N_OPTIONS (sizeof(options) / sizeof(options[0]))

/* Adds one complaint; one that does not fit any more is left out. */
static void
complain(char *why, size_t size, const char *what, const char *arg)
{
	size_t len = strlen(why);

	(void)snprintf(why + len, size - len, "%s%s \"%.64s\"",
	    len == 0 ? "" : ", ", what, arg);
}

static const struct option *
find(const char *arg, size_t len)
{
	for (size_t i = 0; i < N_OPTIONS; i++)
		if (strlen(options[i].name) == len &&
		    strncmp(options[i].name, arg, len) == 0)
			return &options[i];
	return NULL;
}

/* NULL if the option was taken, else what is wrong with it. */
static const char *
take(const struct option *opt, const char *value, struct csign_opt *out)
{
	void *member = (char *)out + opt->offset;

	if (opt->type == FLAG) {
		if (value != NULL)
			return "value not allowed in";
		*(bool *)member = true;
		return NULL;
	}
	if (value == NULL || value[0] == '\0')
		return "value missing in";
	if (value[0] != '/')
		return "not an absolute path in";
	*(const char **)member = value;
	return NULL;
}

enum csign_err
csign_opt_parse(int argc, const char *const *argv, struct csign_opt *ret_opt,
    char *ret_why, size_t size)
{
	struct csign_opt opt = {.config = NULL};
	bool seen[N_OPTIONS] = {false};

	ret_why[0] = '\0';
	for (int i = 0; i < argc; i++) {
		const char *end = strchrnul(argv[i], '=');
		const struct option *o = find(argv[i], (size_t)(end - argv[i]));
		const char *wrong;

		if (o == NULL)
			wrong = "unknown option";
		else if (seen[o - options])
			wrong = "repeated option";
		else
			wrong = take(o, *end == '=' ? end + 1 : NULL, &opt);
		if (o != NULL)
			seen[o - options] = true;
		if (wrong != NULL)
			complain(ret_why, size, wrong, argv[i]);
	}
	if (ret_why[0] != '\0')
		return CSIGN_E_CONFIG;
	*ret_opt = opt;
	return CSIGN_OK;
}
