/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../root.h"
#include "check.h"
#include "lines.h"

/* A line has to end where the programs that obey it see its end. */
static void
tame(char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];

		if (c == '\r' || c == '\t')
			text[i] = ' ';
		else if ((c < ' ' && c != '\n') || c == 0x7f)
			text[i] = '?';
	}
	text[len] = '\0';
}

/* The last max bytes, whatever the file does meanwhile. */
static ssize_t
read_end(int fd, char *text, size_t max, off_t size)
{
	off_t at = size > (off_t)max ? size - (off_t)max : 0;

	return lseek(fd, at, SEEK_SET) == -1 ? -1 : root_fill(fd, text, max);
}

char *
check_text(const char *path, size_t max)
{
	char *text = NULL;
	struct stat st;
	ssize_t len;
	int fd;

	fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd == -1)
		return NULL;
	if (fstat(fd, &st) != 0)
		goto out;
	if (!S_ISREG(st.st_mode)) {
		errno = EINVAL;
		goto out;
	}
	if ((text = malloc(max + 1)) == NULL)
		goto out;
	if ((len = read_end(fd, text, max, st.st_size)) == -1) {
		free(text);
		text = NULL;
		goto out;
	}
	tame(text, (size_t)len);
out:
	(void)close(fd);
	return text;
}

/* Cuts one line off; NULL at the end. */
static char *
cut_line(char **next)
{
	char *line = *next;
	size_t len;

	if (line == NULL || *line == '\0')
		return NULL;
	len = strcspn(line, "\n");
	*next = line[len] == '\n' ? line + len + 1 : NULL;
	line[len] = '\0';
	return line;
}

bool
check_line(struct check_lines *lines, bool joined)
{
	char *line = cut_line(&lines->next), *end, *more;

	if (line == NULL)
		return false;
	lines->number++;
	/* What is continued moves to the end of what it continues. */
	for (;;) {
		end = line + strlen(line);
		if (!joined || end == line || end[-1] != '\\' ||
		    (more = cut_line(&lines->next)) == NULL)
			break;
		end[-1] = ' ';
		memmove(end, more, strlen(more) + 1);
	}
	while (end > line && end[-1] == ' ')
		*--end = '\0';
	lines->line = line + strspn(line, " ");
	return true;
}

char *
check_word(char **text, const char *separators)
{
	char all[8];
	char *word;
	size_t len;

	(void)snprintf(all, sizeof all, " %s", separators);
	word = *text + strspn(*text, all);
	len = strcspn(word, all);
	*text = word + len;
	if (len == 0)
		return NULL;
	if (**text != '\0')
		*(*text)++ = '\0';
	return word;
}

bool
check_append(char *out, size_t size, const char *text, size_t len)
{
	size_t at = strlen(out), n = strnlen(text, len);
	bool fits = n < size - at;

	if (!fits)
		n = size - at - 1;
	memcpy(out + at, text, n);
	out[at + n] = '\0';
	return fits;
}

bool
check_each(
    const char *pattern, void (*visit)(void *arg, const char *path), void *arg)
{
	glob_t found = {0};
	bool any;

	any = glob(pattern, GLOB_ERR, NULL, &found) == 0;
	for (size_t i = 0; any && i < found.gl_pathc; i++)
		visit(arg, found.gl_pathv[i]);
	globfree(&found);
	return any;
}

const char *
check_at(char out[CHECK_SUBJECT_SIZE], const char *file, unsigned int line)
{
	if (line == 0)
		(void)snprintf(out, CHECK_SUBJECT_SIZE, "%s", file);
	else
		(void)snprintf(out, CHECK_SUBJECT_SIZE, "%s:%u", file, line);
	return out;
}

bool
check_safe(const char *path, char *why, size_t size)
{
	struct stat st;

	if (stat(path, &st) != 0)
		(void)snprintf(why, size, "it cannot be looked at: %m");
	else if (!S_ISREG(st.st_mode))
		(void)snprintf(why, size, "it is not a regular file");
	else if (st.st_uid != 0)
		(void)snprintf(
		    why, size, "it belongs to uid %u, not to root", st.st_uid);
	else if ((st.st_mode & 022) != 0)
		(void)snprintf(why, size, "mode %04o lets others write it",
		    st.st_mode & 07777);
	else
		return true;
	return false;
}
