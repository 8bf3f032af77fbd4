/* SPDX-License-Identifier: BSD-2-Clause */
/* The disk at its start: all that is below the folder then. */
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "disk_impl.h"

struct disk disk;

_Noreturn void
disk_broken(const char *what)
{
	(void)fprintf(
	    stderr, "tests/attack/disk: %s: %s\n", what, strerror(errno));
	abort();
}

void
disk_set_name(char out[DISK_NAME], const char *name)
{
	size_t len = strlen(name);

	if (len >= DISK_NAME)
		disk_broken(name);
	memcpy(out, name, len + 1);
}

size_t
disk_add_node(const struct stat *st)
{
	struct disk_node *node = &disk.nodes[disk.n_nodes];

	if (disk.n_nodes == DISK_NODES)
		disk_broken("too many files");
	*node = (struct disk_node){
	    .ino = st->st_ino,
	    .folder = S_ISDIR(st->st_mode),
	    .mode = st->st_mode & 07777,
	};
	return disk.n_nodes++;
}

static void
read_file(struct disk_node *node, const char *path, size_t len)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	node->len = len;
	if (fd < 0 || (node->bytes = malloc(len + 1)) == NULL ||
	    read(fd, node->bytes, len) != (ssize_t)len)
		disk_broken(path);
	(void)close(fd);
}

static void
read_folder(size_t folder, const char *path)
{
	const struct dirent *entry;
	char below[DISK_PATH];
	DIR *dir = opendir(path);
	struct stat st;
	size_t node;

	if (dir == NULL)
		disk_broken(path);
	while ((entry = readdir(dir)) != NULL) {
		if (strcmp(entry->d_name, ".") == 0 ||
		    strcmp(entry->d_name, "..") == 0)
			continue;
		if (snprintf(below, sizeof(below), "%s/%s", path,
			entry->d_name) >= (int)sizeof(below) ||
		    lstat(below, &st) != 0 || disk.n_first == DISK_ENTRIES)
			disk_broken(below);
		node = disk_add_node(&st);
		disk.first[disk.n_first].in = folder;
		disk.first[disk.n_first].node = node;
		disk_set_name(disk.first[disk.n_first++].name, entry->d_name);
		if (S_ISDIR(st.st_mode))
			read_folder(node, below);
		else
			read_file(&disk.nodes[node], below, (size_t)st.st_size);
	}
	(void)closedir(dir);
}

static void
forget(void)
{
	for (size_t i = 0; i < disk.n_nodes; i++)
		free(disk.nodes[i].bytes);
	for (size_t i = 0; i < disk.n_steps; i++)
		free(disk.steps[i].bytes);
	memset(&disk, 0, sizeof(disk));
}

void
disk_begin(const char *folder)
{
	struct stat st;

	forget();
	if (snprintf(disk.folder, sizeof(disk.folder), "%s", folder) >=
		(int)sizeof(disk.folder) ||
	    stat(folder, &st) != 0)
		disk_broken(folder);
	read_folder(disk_add_node(&st), folder);
	disk.on = true;
}

void
disk_end(void)
{
	disk.on = false;
	if (!disk_explains_all()) {
		errno = ENOTSUP;
		disk_broken("a call that changed files was not recorded");
	}
}

size_t
disk_operations(void)
{
	return disk.n_steps;
}
