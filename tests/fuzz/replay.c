/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Stands in for libFuzzer: gives each file of SEEDS/<target>/ to the target,
 * cut at every byte, of long ones at some, and then whole.  A crash ends the
 * TAP early, which is a failure; so is a seed that is not what it was made for.
 */
#include "config.h"

#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"

#define SEED_MAX 65536
#define CUTS_MAX 2048 /* of one seed */

__attribute__((weak)) bool
fuzz_seed_holds(const char *name)
{
	(void)name;
	return true;
}

static bool
replay(const char *folder, const char *name)
{
	static uint8_t data[SEED_MAX];
	char path[4096];
	size_t i, n;
	FILE *file;

	(void)snprintf(path, sizeof path, "%s/%s", folder, name);
	if ((file = fopen(path, "rb")) == NULL)
		return false;
	n = fread(data, 1, sizeof data, file);
	if (fclose(file) != 0)
		return false;
	for (i = 0; i < n; i += 1 + n / CUTS_MAX)
		(void)LLVMFuzzerTestOneInput(data, i);
	(void)LLVMFuzzerTestOneInput(data, n);
	return n > 0 && fuzz_seed_holds(name);
}

static int
is_seed(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

/* The target's name, as the program has it; libtool may have put "lt-" there.
 */
static const char *
target_name(const char *program)
{
	const char *slash = strrchr(program, '/');
	const char *name = slash != NULL ? slash + 1 : program;

	return strncmp(name, "lt-", 3) == 0 ? name + 3 : name;
}

int
main(int argc, char **argv)
{
	struct dirent **seeds = NULL;
	char folder[2048];
	int i, n, failed;

	(void)snprintf(folder, sizeof folder, "%s/%s", SEEDS,
	    argc > 0 ? target_name(argv[0]) : "");
	n = scandir(folder, &seeds, is_seed, alphasort);
	failed = n <= 0;

	printf("1..%d\n", n > 0 ? n : 1);
	for (i = 0; i < n; i++) {
		bool ok = replay(folder, seeds[i]->d_name);

		printf("%sok %d - %s\n", ok ? "" : "not ", i + 1,
		    seeds[i]->d_name);
		(void)fflush(stdout);
		failed |= !ok;
		free(seeds[i]);
	}
	free(seeds);
	return failed;
}
