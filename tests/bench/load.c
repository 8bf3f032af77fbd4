/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a PAM application pays for a module before the first question: time of
 * dlopen(3), libraries and memory added.  usage: load MODULE
 */
#include "config.h"

#include <dlfcn.h>
#include <link.h>
#include <security/pam_appl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static int
count(struct dl_phdr_info *info, size_t size, void *arg)
{
	(void)info;
	(void)size;
	++*(int *)arg;
	return 0;
}

static long
resident_kb(void)
{
	char line[256];
	long kb = -1;
	FILE *f = fopen("/proc/self/status", "re");

	while (f != NULL && fgets(line, sizeof line, f) != NULL)
		if (strncmp(line, "VmRSS:", 6) == 0)
			kb = strtol(line + 6, &(char *){NULL}, 10);
	if (f != NULL)
		fclose(f);
	return kb;
}

int
main(int argc, char **argv)
{
	struct timespec a, b;
	int before = 0, after = 0;
	long rss;

	if (argc != 2)
		return 2;
	/* libpam is there already, as in every application that uses it. */
	(void)pam_strerror(NULL, PAM_SUCCESS);
	dl_iterate_phdr(count, &before);
	rss = resident_kb();
	clock_gettime(CLOCK_MONOTONIC, &a);
	if (dlopen(argv[1], RTLD_NOW) == NULL) {
		fprintf(stderr, "load: %s\n", dlerror());
		return 1;
	}
	clock_gettime(CLOCK_MONOTONIC, &b);
	dl_iterate_phdr(count, &after);
	printf("%.3f %d %ld\n",
	    (double)(b.tv_sec - a.tv_sec) * 1e3 +
		(double)(b.tv_nsec - a.tv_nsec) / 1e6,
	    after - before, resident_kb() - rss);
	return 0;
}
