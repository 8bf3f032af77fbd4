/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hygiene.h"

static const char *const part_names[HYGIENE_PARTS] = {"descriptors", "actions",
    "mask", "umask", "directory", "environment", "locale", "threads",
    "children"};

static void
list_folder(FILE *out, const char *path, bool links)
{
	struct dirent **names = NULL;
	int n = scandir(path, &names, NULL, alphasort);
	char link_path[512], target[512];
	ssize_t len;

	for (int i = 0; i < n; i++) {
		snprintf(link_path, sizeof(link_path), "%s/%s", path,
		    names[i]->d_name);
		len =
		    links ? readlink(link_path, target, sizeof(target) - 1) : 0;
		/* The folder's own descriptor is gone by now. */
		if (len >= 0 && names[i]->d_name[0] != '.')
			fprintf(out, "%s=%.*s ", names[i]->d_name, (int)len,
			    target);
		free(names[i]);
	}
	free(names);
}

static void
list_actions(FILE *out)
{
	struct sigaction sa;

	for (int s = 1; s < NSIG; s++) {
		if (sigaction(s, NULL, &sa) == 0 &&
		    (sa.sa_handler != SIG_DFL || sa.sa_flags != 0))
			fprintf(out, "%d:%p:%x ", s, (void *)sa.sa_handler,
			    (unsigned)sa.sa_flags);
	}
}

static void
list_mask(FILE *out)
{
	sigset_t set;

	sigprocmask(SIG_BLOCK, NULL, &set);
	for (int s = 1; s < NSIG; s++)
		if (sigismember(&set, s) == 1)
			fprintf(out, "%d ", s);
}

static void
list_one(FILE *out, size_t which)
{
	char path[4096];
	mode_t old;

	switch (which) {
	case 0:
		list_folder(out, "/proc/self/fd", true);
		break;
	case 1:
		list_actions(out);
		break;
	case 2:
		list_mask(out);
		break;
	case 3:
		old = umask(077);
		umask(old);
		fprintf(out, "%03o", (unsigned)old);
		break;
	case 4:
		fputs(getcwd(path, sizeof(path)) == NULL ? "?" : path, out);
		break;
	case 5:
		for (char **e = environ; e != NULL && *e != NULL; e++)
			fprintf(out, "%s ", *e);
		break;
	case 6:
		fputs(setlocale(LC_ALL, NULL), out);
		break;
	case 7:
		list_folder(out, "/proc/self/task", false);
		break;
	default:
		fputs(waitpid(-1, NULL, WNOHANG) < 0 && errno == ECHILD
			  ? "none"
			  : "some",
		    out);
		break;
	}
}

void
hygiene_take(struct hygiene *ret_state)
{
	for (size_t i = 0; i < HYGIENE_PARTS; i++) {
		size_t size;
		FILE *out;

		ret_state->text[i] = NULL;
		if ((out = open_memstream(&ret_state->text[i], &size)) == NULL)
			abort();
		list_one(out, i);
		fclose(out);
	}
}

void
hygiene_clear(struct hygiene *state)
{
	for (size_t i = 0; i < HYGIENE_PARTS; i++)
		free(state->text[i]);
}

bool
hygiene_same(const struct hygiene *before, const struct hygiene *after,
    void (*report)(const char *what))
{
	bool same = true;
	char text[2048];

	for (size_t i = 0; i < HYGIENE_PARTS; i++) {
		if (strcmp(before->text[i], after->text[i]) == 0)
			continue;
		same = false;
		snprintf(text, sizeof(text), "%s: before %.900s, after %.900s",
		    part_names[i], before->text[i], after->text[i]);
		report(text);
	}
	return same;
}
