/* SPDX-License-Identifier: BSD-2-Clause */
/* The files of a login's host: one, or all as they were at the start. */
#include "config.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "login_impl.h"

void
login_path(const struct login *l, const char *name, char *out, size_t size)
{
	(void)snprintf(out, size, "%s/%s", l->dir, name);
}

static int
mode_of(const char *name)
{
	return strcmp(name, LOGIN_CONFIG) == 0 ? 0644 : 0600;
}

void
login_put(struct login *l, const char *name, const void *bytes, size_t len)
{
	char path[LOGIN_PATH];
	int fd;

	login_path(l, name, path, sizeof(path));
	l->backstage++;
	fd =
	    open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode_of(name));
	if (fd < 0 || write(fd, bytes, len) != (ssize_t)len || close(fd) != 0)
		login_fail(path);
	l->backstage--;
}

char *
login_get(const struct login *l, const char *name, size_t *ret_len)
{
	char path[LOGIN_PATH];
	struct stat st;
	char *bytes;
	int fd;

	login_path(l, name, path, sizeof(path));
	if ((fd = open(path, O_RDONLY | O_CLOEXEC)) < 0)
		return NULL;
	if (fstat(fd, &st) != 0 ||
	    (bytes = malloc((size_t)st.st_size + 1)) == NULL ||
	    read(fd, bytes, (size_t)st.st_size) != st.st_size)
		login_fail(path);
	(void)close(fd);
	bytes[st.st_size] = '\0';
	if (ret_len != NULL)
		*ret_len = (size_t)st.st_size;
	return bytes;
}

bool
login_is_file(const struct login *l, const struct login_file *file)
{
	size_t len = 0;
	char *now = login_get(l, file->name, &len);
	bool same = (now == NULL) == (file->bytes == NULL) &&
		    len == file->len &&
		    (now == NULL || memcmp(now, file->bytes, len) == 0);

	free(now);
	return same;
}

struct login_file *
login_file_of(struct login *l, const char *name)
{
	for (size_t i = 0; i < l->n_files; i++)
		if (strcmp(l->files[i].name, name) == 0)
			return &l->files[i];
	return NULL;
}

void
login_take_file(
    const struct login *l, const char *name, struct login_file *file)
{
	free(file->bytes);
	*file = (struct login_file){.bytes = NULL};
	(void)snprintf(file->name, sizeof(file->name), "%s", name);
	file->bytes = login_get(l, name, &file->len);
}

/* Calls visit with each file of the folder, by its name under l->dir. */
static void
each_file(struct login *l, const char *folder,
    void (*visit)(struct login *l, const char *name))
{
	char path[LOGIN_PATH], name[LOGIN_PATH];
	const struct dirent *entry;
	DIR *dir;

	login_path(l, folder, path, sizeof(path));
	if ((dir = opendir(path)) == NULL)
		login_fail(path);
	while ((entry = readdir(dir)) != NULL) {
		if (entry->d_type != DT_REG)
			continue;
		(void)snprintf(name, sizeof(name), "%s%s%.200s", folder,
		    folder[0] == '\0' ? "" : "/", entry->d_name);
		visit(l, name);
	}
	(void)closedir(dir);
}

static void
each(struct login *l, void (*visit)(struct login *l, const char *name))
{
	each_file(l, "", visit);
	each_file(l, "store", visit);
	each_file(l, "store/devices", visit);
	each_file(l, "store/state", visit);
}

static void
remember(struct login *l, const char *name)
{
	if (l->n_files == LOGIN_FILES_MAX)
		login_fail("too many files");
	login_take_file(l, name, &l->files[l->n_files++]);
}

void
login_remember_files(struct login *l)
{
	each(l, remember);
}

static bool
is_lock(const char *name)
{
	const char *dot = strrchr(name, '.');

	return dot != NULL && strcmp(dot, ".lock") == 0;
}

static void
remove_new(struct login *l, const char *name)
{
	char path[LOGIN_PATH];

	login_path(l, name, path, sizeof(path));
	if (login_file_of(l, name) == NULL && !is_lock(name) &&
	    unlink(path) != 0)
		login_fail(path);
}

void
login_reset(struct login *l)
{
	l->backstage++;
	each(l, remove_new);
	for (size_t i = 0; i < l->n_files; i++)
		if (!login_is_file(l, &l->files[i]))
			login_put(l, l->files[i].name, l->files[i].bytes,
			    l->files[i].len);
	l->backstage--;
}

void
login_keep_files(struct login *l, bool keep)
{
	l->keep = keep;
}
