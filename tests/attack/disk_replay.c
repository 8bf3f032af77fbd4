/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Replay: the folder as it is after some of the steps, without what was lost
 * of them.
 */
#include "config.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "disk_impl.h"
#include "lot.h"

#define BLOCK 512
#define LARGE ((size_t)1 << 17) /* no file of ours is larger */

/* Of disk_explains_all(), since nftw(3) hands nothing on. */
static bool unexplained;
static size_t seen;

/* --- names ---------------------------------------------------------------- */

static struct disk_entry *
entry_of(size_t in, const char *name)
{
	for (size_t i = 0; i < disk.n_entries; i++)
		if (disk.entries[i].in == in &&
		    strcmp(disk.entries[i].name, name) == 0)
			return &disk.entries[i];
	return NULL;
}

static void
drop_entry(struct disk_entry *entry)
{
	if (entry != NULL)
		*entry = disk.entries[--disk.n_entries];
}

static void
put_entry(size_t in, const char *name, size_t node)
{
	struct disk_entry *entry = entry_of(in, name);

	if (entry == NULL) {
		if (disk.n_entries == DISK_ENTRIES)
			disk_broken("too many names");
		entry = &disk.entries[disk.n_entries++];
		entry->in = in;
		disk_set_name(entry->name, name);
	}
	entry->node = node;
}

static void
apply(const struct disk_step *step)
{
	struct disk_entry *entry;

	switch (step->what) {
	case CREATED:
		put_entry(step->in, step->name, step->node);
		break;
	case RENAMED:
		if ((entry = entry_of(step->in, step->name)) != NULL) {
			size_t node = entry->node;

			drop_entry(entry);
			put_entry(step->in, step->to, node);
		}
		break;
	case REMOVED:
		drop_entry(entry_of(step->in, step->name));
		break;
	case WROTE:
	case SYNCED:
		break;
	}
}

/* --- what is lost --------------------------------------------------------- */

size_t
disk_synced_until(size_t node)
{
	size_t i = disk.until;

	while (i > 0 && (disk.steps[i - 1].what != SYNCED ||
			    disk.steps[i - 1].node != node))
		i--;
	return i;
}

static const struct disk_loss *
loss_of(size_t node)
{
	for (size_t i = 0; i < disk.n_losses; i++)
		if (disk.losses[i].node == node)
			return &disk.losses[i];
	return NULL;
}

/* Names: those of the steps that were synced, and of the next few. */
static void
make_entries(void)
{
	unsigned int done[DISK_NODES] = {0};
	const struct disk_loss *loss;
	size_t i, folder;

	memcpy(disk.entries, disk.first, sizeof(disk.entries));
	disk.n_entries = disk.n_first;
	for (i = 0; i < disk.until; i++) {
		const struct disk_step *step = &disk.steps[i];

		if (step->what == WROTE || step->what == SYNCED)
			continue;
		folder = step->in;
		loss = loss_of(folder);
		if (loss == NULL || i < disk_synced_until(folder) ||
		    done[folder]++ < loss->choice)
			apply(step);
	}
}

/* --- bytes ---------------------------------------------------------------- */

/* A write of so many bytes that fell to this fate. */
static void
put_bytes(
    unsigned char *bytes, const struct disk_step *step, enum disk_fate fate)
{
	if (step->at + step->len > LARGE)
		disk_broken("a large file");
	for (size_t i = 0; i < step->len; i++)
		bytes[step->at + i] =
		    fate == ZEROS     ? 0
		    : fate == RUBBISH ? (unsigned char)lot_draw(&disk.random)
				      : step->bytes[i];
}

/* Where a file ends of which the bytes behind kept were not synced. */
static size_t
cut_bytes(unsigned char *bytes, size_t kept, size_t len, enum disk_fate fate)
{
	size_t whole = len / BLOCK * BLOCK;

	if (whole < kept)
		whole = kept;
	if (fate == BLOCKS)
		return whole;
	if (fate == BLOCK_ZEROS)
		memset(bytes + whole, 0, len - whole);
	if (fate == CUT && len > kept)
		return kept + lot_draw(&disk.random) % (len - kept);
	return len;
}

/* What is in a file; the caller's to free. */
static unsigned char *
make_bytes(size_t node, size_t *ret_len)
{
	const struct disk_node *file = &disk.nodes[node];
	const struct disk_loss *loss = loss_of(node);
	const size_t sure = disk_synced_until(node);
	enum disk_fate fate = loss == NULL ? ALL : (enum disk_fate)loss->choice;
	size_t len = file->len, kept = len;
	unsigned char *bytes = calloc(1, LARGE);

	if (bytes == NULL)
		disk_broken("memory");
	if (len > LARGE)
		disk_broken("a large file");
	if (len > 0)
		memcpy(bytes, file->bytes, len);
	for (size_t i = 0; i < disk.until; i++) {
		const struct disk_step *step = &disk.steps[i];

		if (step->what != WROTE || step->node != node ||
		    (i >= sure && fate == NONE))
			continue;
		put_bytes(bytes, step, i < sure ? ALL : fate);
		if (step->at + step->len > len)
			len = step->at + step->len;
		if (i < sure)
			kept = len;
	}
	*ret_len = cut_bytes(bytes, kept, len, fate);
	return bytes;
}

/* --- the state, made ------------------------------------------------------ */

static void
write_file(const char *path, size_t node)
{
	size_t len = 0;
	unsigned char *bytes = make_bytes(node, &len);
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	if (fd < 0 || __real_write(fd, bytes, len) != (ssize_t)len ||
	    __real_fchmod(fd, disk.nodes[node].mode) != 0)
		disk_broken(path);
	(void)close(fd);
	free(bytes);
}

static void
write_folder(size_t folder, const char *path)
{
	char below[DISK_PATH];

	for (size_t i = 0; i < disk.n_entries; i++) {
		const struct disk_entry *entry = &disk.entries[i];

		if (entry->in != folder)
			continue;
		if (snprintf(below, sizeof(below), "%s/%s", path,
			entry->name) >= (int)sizeof(below))
			disk_broken(path);
		if (!disk.nodes[entry->node].folder) {
			write_file(below, entry->node);
			continue;
		}
		if (mkdir(below, 0700) != 0 ||
		    chmod(below, disk.nodes[entry->node].mode) != 0)
			disk_broken(below);
		write_folder(entry->node, below);
	}
}

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	return ftw->level == 0 ? 0 : remove(path);
}

void
disk_make_state(void)
{
	if (nftw(disk.folder, remove_one, 16, FTW_DEPTH | FTW_PHYS) != 0)
		disk_broken(disk.folder);
	make_entries();
	write_folder(0, disk.folder);
}

/* --- what was there at any time ------------------------------------------- */

/* The node of a name like "state/devices/root", or DISK_NO_NODE. */
static size_t
look_up(const char *name)
{
	const char *slash = NULL;
	char part[DISK_NAME];
	struct disk_entry *entry;
	size_t node = 0;

	for (;;) {
		slash = strchr(name, '/');
		if (slash == NULL)
			slash = name + strlen(name);
		if ((size_t)(slash - name) >= sizeof(part))
			return DISK_NO_NODE;
		memcpy(part, name, (size_t)(slash - name));
		part[slash - name] = '\0';
		if ((entry = entry_of(node, part)) == NULL)
			return DISK_NO_NODE;
		node = entry->node;
		if (*slash == '\0')
			return node;
		name = slash + 1;
	}
}

/* Without any cut, after so many steps. */
static void
as_it_was(size_t until)
{
	disk.until = until;
	disk.n_losses = 0;
	make_entries();
}

bool
disk_was(const char *name, const void *bytes, size_t len)
{
	const size_t now = disk.until, losses = disk.n_losses;
	bool was = false;

	for (size_t i = 0; i <= disk.n_steps && !was; i++) {
		size_t node, n = 0;
		unsigned char *then;

		as_it_was(i);
		if ((node = look_up(name)) == DISK_NO_NODE)
			continue;
		then = make_bytes(node, &n);
		was = n == len && memcmp(then, bytes, len) == 0;
		free(then);
	}
	disk.until = now;
	disk.n_losses = losses;
	return was;
}

/* --- is that all? --------------------------------------------------------- */

/* A file of the folder as it is now, and as the steps have it. */
static bool
is_explained(size_t node, const char *path, const struct stat *st)
{
	size_t len = 0;
	unsigned char *made = make_bytes(node, &len), *is = malloc(len + 1);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	bool same;

	if (is == NULL || fd < 0)
		disk_broken(path);
	same = (size_t)st->st_size == len &&
	       read(fd, is, len) == (ssize_t)len && memcmp(is, made, len) == 0;
	(void)close(fd);
	free(is);
	free(made);
	return same;
}

static int
check_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	size_t node;

	if (ftw->level == 0)
		return 0;
	node = look_up(path + strlen(disk.folder) + 1);
	unexplained = unexplained || node == DISK_NO_NODE ||
		      disk.nodes[node].mode != (st->st_mode & 07777) ||
		      (type == FTW_F && !is_explained(node, path, st));
	seen++;
	return 0;
}

bool
disk_explains_all(void)
{
	as_it_was(disk.n_steps);
	unexplained = false;
	seen = 0;
	if (nftw(disk.folder, check_one, 16, FTW_PHYS) != 0)
		disk_broken(disk.folder);
	return !unexplained && seen == disk.n_entries;
}
