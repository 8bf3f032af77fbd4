/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "figures.h"

unsigned int
figures_scale(void)
{
	const char *scale = getenv("ATTACK_SCALE");
	unsigned long n = scale == NULL ? 1 : strtoul(scale, NULL, 10);

	return n < 1 ? 1 : n > 10000 ? 10000 : (unsigned int)n;
}

void
figures_write(const char *name, const char *what, const struct figures *figures,
    const char *note)
{
	const char *top = getenv("top_builddir");
	char path[512];
	FILE *f;

	if (top == NULL)
		return;
	(void)snprintf(path, sizeof(path), "%s/tests/attack/figures", top);
	(void)mkdir(path, 0755);
	(void)snprintf(
	    path, sizeof(path), "%s/tests/attack/figures/%s", top, name);
	if ((f = fopen(path, "we")) == NULL ||
	    fprintf(f,
		"what=%s\ncases=%lu\ngrants=%lu\ncrashes=%lu\nleaks=%lu\n"
		"wrong=%lu\n",
		what, figures->cases, figures->grants, figures->crashes,
		figures->leaks, figures->wrong) < 0 ||
	    (note != NULL && fprintf(f, "note=%s\n", note) < 0) ||
	    fclose(f) != 0) {
		perror(path);
		exit(1);
	}
}
