/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Stands in for libFuzzer: gives each file of the folder SEEDS to the target,
 * whole and cut at every byte.  A crash ends the TAP early, which is a failure.
 */
#include "config.h"

#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "fuzz.h"

#define SEED_MAX 65536

static bool
replay(const char *name)
{
	static uint8_t data[SEED_MAX];
	char path[4096];
	size_t i, n;
	FILE *file;

	(void)snprintf(path, sizeof path, "%s/%s", SEEDS, name);
	if ((file = fopen(path, "rb")) == NULL)
		return false;
	n = fread(data, 1, sizeof data, file);
	if (fclose(file) != 0)
		return false;
	for (i = 0; i <= n; i++)
		(void)LLVMFuzzerTestOneInput(data, i);
	return n > 0;
}

static int
is_seed(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

int
main(void)
{
	struct dirent **seeds = NULL;
	int i, n = scandir(SEEDS, &seeds, is_seed, alphasort);
	int failed = n <= 0;

	printf("1..%d\n", n > 0 ? n : 1);
	for (i = 0; i < n; i++) {
		bool ok = replay(seeds[i]->d_name);

		printf("%sok %d - %s\n", ok ? "" : "not ", i + 1,
		    seeds[i]->d_name);
		(void)fflush(stdout);
		failed |= !ok;
		free(seeds[i]);
	}
	free(seeds);
	return failed;
}
