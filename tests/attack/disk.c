/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "countersign.h"
#include "disk.h"

#define NODES_MAX 512
#define ENTRIES_MAX 256
#define STEPS_MAX 2048
#define LOSSES_MAX 32
#define NAME_SIZE 128
#define PATH_SIZE 512
#define BLOCK 512

/* A file or a folder, whatever its names. */
struct node {
	ino_t ino;
	bool folder;
	mode_t mode;
	unsigned char *bytes; /* that are on the disk from the start */
	size_t len;
};

struct entry {
	size_t in; /* the folder: a node */
	char name[NAME_SIZE];
	size_t node;
};

enum what { CREATED, WROTE, SYNCED, RENAMED, REMOVED };

struct step {
	enum what what;
	size_t node; /* the file; SYNCED: file or folder */
	size_t in;   /* CREATED, RENAMED, REMOVED: the folder */
	char name[NAME_SIZE], to[NAME_SIZE];
	unsigned char *bytes;
	size_t at, len;
};

/* Something that was not synced: a folder's entries, or a file's bytes. */
struct loss {
	size_t node;
	unsigned int choices, choice;
};

static struct {
	char folder[PATH_SIZE];
	bool on;
	struct node nodes[NODES_MAX];
	size_t n_nodes;
	struct entry first[ENTRIES_MAX]; /* at the start */
	size_t n_first;
	struct step steps[STEPS_MAX];
	size_t n_steps;
	/* the state that is made now */
	struct entry entries[ENTRIES_MAX];
	size_t n_entries;
	struct loss losses[LOSSES_MAX];
	size_t n_losses;
	size_t until;
	uint64_t random;
	char story[1024];
} disk;

static _Noreturn void
broken(const char *what)
{
	(void)fprintf(
	    stderr, "tests/attack/disk: %s: %s\n", what, strerror(errno));
	abort();
}

static void *
copy_of(const void *bytes, size_t len)
{
	void *copy = malloc(len + 1);

	if (copy == NULL)
		broken("memory");
	memcpy(copy, bytes, len);
	return copy;
}

static void
set_name(char out[NAME_SIZE], const char *name)
{
	size_t len = strlen(name);

	if (len >= NAME_SIZE)
		broken(name);
	memcpy(out, name, len + 1);
}

/* --- what is there at the start ------------------------------------------- */

static size_t
add_node(const struct stat *st)
{
	struct node *node = &disk.nodes[disk.n_nodes];

	if (disk.n_nodes == NODES_MAX)
		broken("too many files");
	*node = (struct node){
	    .ino = st->st_ino,
	    .folder = S_ISDIR(st->st_mode),
	    .mode = st->st_mode & 07777,
	};
	return disk.n_nodes++;
}

static void
read_file(struct node *node, const char *path, size_t len)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	node->len = len;
	if (fd < 0 || (node->bytes = malloc(len + 1)) == NULL ||
	    read(fd, node->bytes, len) != (ssize_t)len)
		broken(path);
	(void)close(fd);
}

static void
read_folder(size_t folder, const char *path)
{
	const struct dirent *entry;
	char below[PATH_SIZE];
	DIR *dir = opendir(path);
	struct stat st;
	size_t node;

	if (dir == NULL)
		broken(path);
	while ((entry = readdir(dir)) != NULL) {
		if (strcmp(entry->d_name, ".") == 0 ||
		    strcmp(entry->d_name, "..") == 0)
			continue;
		if (snprintf(below, sizeof(below), "%s/%s", path,
			entry->d_name) >= (int)sizeof(below) ||
		    lstat(below, &st) != 0 || disk.n_first == ENTRIES_MAX)
			broken(below);
		node = add_node(&st);
		disk.first[disk.n_first].in = folder;
		disk.first[disk.n_first].node = node;
		set_name(disk.first[disk.n_first++].name, entry->d_name);
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
		broken(folder);
	read_folder(add_node(&st), folder);
	disk.on = true;
}

void
disk_end(void)
{
	disk.on = false;
}

size_t
disk_operations(void)
{
	return disk.n_steps;
}

/* --- recording ------------------------------------------------------------ */

/* The newest with this inode: numbers are used again. */
static size_t
node_of(int fd)
{
	struct stat st;

	if (!disk.on || fstat(fd, &st) != 0)
		return NODES_MAX;
	for (size_t i = disk.n_nodes; i-- > 0;)
		if (disk.nodes[i].ino == st.st_ino)
			return i;
	return NODES_MAX;
}

static struct step *
add_step(enum what what, size_t node)
{
	struct step *step = &disk.steps[disk.n_steps++];

	if (disk.n_steps == STEPS_MAX)
		broken("too many operations");
	*step = (struct step){.what = what, .node = node};
	return step;
}

static bool
is_there(int dir, const char *name)
{
	struct stat st;

	return fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

static void
created(int dir, const char *name, int fd)
{
	size_t in = node_of(dir);
	struct step *step;
	struct stat st;

	if (in == NODES_MAX)
		return;
	if (fstat(fd, &st) != 0)
		broken(name);
	step = add_step(CREATED, add_node(&st));
	step->in = in;
	set_name(step->name, name);
}

int __real_openat(int dir, const char *name, int flags, ...);
int __wrap_openat(int dir, const char *name, int flags, ...);
int __real_mkdirat(int dir, const char *name, mode_t mode);
int __wrap_mkdirat(int dir, const char *name, mode_t mode);
ssize_t __real_write(int fd, const void *bytes, size_t len);
ssize_t __wrap_write(int fd, const void *bytes, size_t len);
int __real_fchmod(int fd, mode_t mode);
int __wrap_fchmod(int fd, mode_t mode);
int __real_fchmodat(int dir, const char *name, mode_t mode, int flags);
int __wrap_fchmodat(int dir, const char *name, mode_t mode, int flags);
int __real_fsync(int fd);
int __wrap_fsync(int fd);
int __real_fdatasync(int fd);
int __wrap_fdatasync(int fd);
int __real_renameat2(
    int from_dir, const char *from, int to_dir, const char *to, unsigned flags);
int __wrap_renameat2(
    int from_dir, const char *from, int to_dir, const char *to, unsigned flags);
int __real_unlinkat(int dir, const char *name, int flags);
int __wrap_unlinkat(int dir, const char *name, int flags);

int
__wrap_openat(int dir, const char *name, int flags, ...)
{
	bool fresh = disk.on && (flags & O_CREAT) != 0 && !is_there(dir, name);
	mode_t mode = 0;
	va_list ap;
	int fd;

	if ((flags & O_CREAT) != 0) {
		va_start(ap, flags);
		mode = va_arg(ap, mode_t);
		va_end(ap);
	}
	fd = __real_openat(dir, name, flags, mode);
	if (fd >= 0 && fresh)
		created(dir, name, fd);
	return fd;
}

int
__wrap_mkdirat(int dir, const char *name, mode_t mode)
{
	int r = __real_mkdirat(dir, name, mode), fd;

	if (r != 0 || !disk.on)
		return r;
	fd = __real_openat(dir, name, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		broken(name);
	created(dir, name, fd);
	(void)close(fd);
	return r;
}

/* The mode comes with the name: no less is lost by that. */
static void
set_mode(size_t node, mode_t mode)
{
	if (node != NODES_MAX)
		disk.nodes[node].mode = mode;
}

int
__wrap_fchmod(int fd, mode_t mode)
{
	set_mode(node_of(fd), mode);
	return __real_fchmod(fd, mode);
}

int
__wrap_fchmodat(int dir, const char *name, mode_t mode, int flags)
{
	int fd = __real_openat(dir, name, O_RDONLY | O_CLOEXEC);

	if (fd >= 0) {
		set_mode(node_of(fd), mode);
		(void)close(fd);
	}
	return __real_fchmodat(dir, name, mode, flags);
}

ssize_t
__wrap_write(int fd, const void *bytes, size_t len)
{
	ssize_t n = __real_write(fd, bytes, len);
	size_t node = node_of(fd);
	struct step *step;

	if (n <= 0 || node == NODES_MAX)
		return n;
	step = add_step(WROTE, node);
	step->len = (size_t)n;
	step->at = (size_t)lseek(fd, 0, SEEK_CUR) - step->len;
	step->bytes = copy_of(bytes, step->len);
	return n;
}

static void
synced(int fd)
{
	size_t node = node_of(fd);

	if (node != NODES_MAX)
		(void)add_step(SYNCED, node);
}

int
__wrap_fsync(int fd)
{
	int r = __real_fsync(fd);

	if (r == 0)
		synced(fd);
	return r;
}

int
__wrap_fdatasync(int fd)
{
	int r = __real_fdatasync(fd);

	if (r == 0)
		synced(fd);
	return r;
}

int
__wrap_renameat2(
    int from_dir, const char *from, int to_dir, const char *to, unsigned flags)
{
	int r = __real_renameat2(from_dir, from, to_dir, to, flags);
	size_t in = node_of(from_dir);
	struct step *step;

	if (r != 0 || in == NODES_MAX)
		return r;
	if (node_of(to_dir) != in)
		broken("a file was moved to another folder");
	step = add_step(RENAMED, NODES_MAX);
	step->in = in;
	set_name(step->name, from);
	set_name(step->to, to);
	return r;
}

int
__wrap_unlinkat(int dir, const char *name, int flags)
{
	int r = __real_unlinkat(dir, name, flags);
	size_t in = node_of(dir);
	struct step *step;

	if (r != 0 || in == NODES_MAX)
		return r;
	step = add_step(REMOVED, NODES_MAX);
	step->in = in;
	set_name(step->name, name);
	return r;
}

/* --- what a power cut leaves ---------------------------------------------- */

static struct entry *
entry_of(size_t in, const char *name)
{
	for (size_t i = 0; i < disk.n_entries; i++)
		if (disk.entries[i].in == in &&
		    strcmp(disk.entries[i].name, name) == 0)
			return &disk.entries[i];
	return NULL;
}

static void
drop_entry(struct entry *entry)
{
	if (entry != NULL)
		*entry = disk.entries[--disk.n_entries];
}

static void
put_entry(size_t in, const char *name, size_t node)
{
	struct entry *entry = entry_of(in, name);

	if (entry == NULL) {
		if (disk.n_entries == ENTRIES_MAX)
			broken("too many names");
		entry = &disk.entries[disk.n_entries++];
		entry->in = in;
		set_name(entry->name, name);
	}
	entry->node = node;
}

static void
apply(const struct step *step)
{
	struct entry *entry;

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

/* Which node's content or entries it changes; NODES_MAX: none's. */
static size_t
changes(const struct step *step)
{
	if (step->what == WROTE)
		return step->node;
	return step->what == SYNCED ? NODES_MAX : step->in;
}

/* Behind the last sync of the node among the steps that were done. */
static size_t
synced_until(size_t node)
{
	size_t i = disk.until;

	while (i > 0 && (disk.steps[i - 1].what != SYNCED ||
			    disk.steps[i - 1].node != node))
		i--;
	return i;
}

/* What may become of bytes that were not synced. */
enum fate { ALL, NONE, ZEROS, RUBBISH, BLOCKS, BLOCK_ZEROS, CUT, N_FATES };

static void
find_losses(void)
{
	size_t i, node;
	unsigned int n;

	disk.n_losses = 0;
	for (node = 0; node < disk.n_nodes; node++) {
		n = 0;
		for (i = synced_until(node); i < disk.until; i++)
			n += changes(&disk.steps[i]) == node;
		if (n == 0)
			continue;
		if (disk.n_losses == LOSSES_MAX)
			broken("too much is not synced");
		disk.losses[disk.n_losses++] = (struct loss){node,
		    disk.nodes[node].folder ? n + 1 : (unsigned int)N_FATES, 0};
	}
}

static const struct loss *
loss_of(size_t node)
{
	for (size_t i = 0; i < disk.n_losses; i++)
		if (disk.losses[i].node == node)
			return &disk.losses[i];
	return NULL;
}

static uint64_t
draw(void)
{
	uint64_t z = disk.random += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

/* Names: those of the steps that were synced, and of the next few. */
static void
make_entries(void)
{
	unsigned int done[NODES_MAX] = {0};
	const struct loss *loss;
	size_t i, folder;

	memcpy(disk.entries, disk.first, sizeof(disk.entries));
	disk.n_entries = disk.n_first;
	for (i = 0; i < disk.until; i++) {
		const struct step *step = &disk.steps[i];

		if (step->what == WROTE || step->what == SYNCED)
			continue;
		folder = step->in;
		loss = loss_of(folder);
		if (loss == NULL || i < synced_until(folder) ||
		    done[folder]++ < loss->choice)
			apply(step);
	}
}

/* Bytes: first as if nothing of the rest had come, then as its fate is. */
static unsigned char *
make_bytes(size_t node, size_t *ret_len)
{
	const struct node *file = &disk.nodes[node];
	const struct loss *loss = loss_of(node);
	const size_t sure = synced_until(node);
	enum fate fate = loss == NULL ? ALL : (enum fate)loss->choice;
	size_t len = file->len, kept, i, b;
	unsigned char *bytes = calloc(1, (size_t)1 << 17);

	if (bytes == NULL)
		broken("memory");
	if (len > 0)
		memcpy(bytes, file->bytes, len);
	kept = len;
	for (i = 0; i < disk.until; i++) {
		const struct step *step = &disk.steps[i];

		if (step->what != WROTE || step->node != node)
			continue;
		if (step->at + step->len > (size_t)1 << 17)
			broken("a large file");
		if (i >= sure && fate == NONE)
			continue;
		for (b = 0; b < step->len; b++)
			bytes[step->at + b] =
			    i < sure || (fate != ZEROS && fate != RUBBISH)
				? step->bytes[b]
			    : fate == ZEROS ? 0
					    : (unsigned char)draw();
		if (step->at + step->len > len)
			len = step->at + step->len;
		if (i < sure)
			kept = len;
	}
	if (fate == BLOCKS || fate == BLOCK_ZEROS) {
		b = len / BLOCK * BLOCK;
		if (b < kept)
			b = kept;
		if (fate == BLOCKS)
			len = b;
		else
			memset(bytes + b, 0, len - b);
	} else if (fate == CUT && len > kept) {
		len = kept + draw() % (len - kept);
	}
	*ret_len = len;
	return bytes;
}

static void
write_file(const char *path, size_t node)
{
	size_t len = 0;
	unsigned char *bytes = make_bytes(node, &len);
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	if (fd < 0 || __real_write(fd, bytes, len) != (ssize_t)len ||
	    __real_fchmod(fd, disk.nodes[node].mode) != 0)
		broken(path);
	(void)close(fd);
	free(bytes);
}

static void
write_folder(size_t folder, const char *path)
{
	char below[PATH_SIZE];

	for (size_t i = 0; i < disk.n_entries; i++) {
		const struct entry *entry = &disk.entries[i];

		if (entry->in != folder)
			continue;
		if (snprintf(below, sizeof(below), "%s/%s", path,
			entry->name) >= (int)sizeof(below))
			broken(path);
		if (!disk.nodes[entry->node].folder) {
			write_file(below, entry->node);
			continue;
		}
		if (mkdir(below, 0700) != 0 ||
		    chmod(below, disk.nodes[entry->node].mode) != 0)
			broken(below);
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

static void CSIGN_PRINTF(1, 2) add_to_story(const char *format, ...)
{
	size_t n = strlen(disk.story);
	va_list ap;

	va_start(ap, format);
	(void)vsnprintf(disk.story + n, sizeof(disk.story) - n, format, ap);
	va_end(ap);
}

static void
tell(void)
{
	static const char *const fates[] = {"all", "none", "zeros", "rubbish",
	    "whole blocks", "blocks and zeros", "cut"};

	disk.story[0] = '\0';
	add_to_story("after %zu of %zu operations", disk.until, disk.n_steps);
	for (size_t i = 0; i < disk.n_losses; i++) {
		const struct loss *loss = &disk.losses[i];

		if (disk.nodes[loss->node].folder)
			add_to_story(", folder %zu: %u of %u changes",
			    loss->node, loss->choice, loss->choices - 1);
		else
			add_to_story(
			    ", file %zu: %s", loss->node, fates[loss->choice]);
	}
}

static void
make_state(void)
{
	if (nftw(disk.folder, remove_one, 16, FTW_DEPTH | FTW_PHYS) != 0)
		broken(disk.folder);
	make_entries();
	write_folder(0, disk.folder);
	tell();
}

/* The next of all combinations; false: that was the last. */
static bool
next_combination(void)
{
	for (size_t i = 0; i < disk.n_losses; i++) {
		if (++disk.losses[i].choice < disk.losses[i].choices)
			return true;
		disk.losses[i].choice = 0;
	}
	return false;
}

static void
any_combination(void)
{
	for (size_t i = 0; i < disk.n_losses; i++)
		disk.losses[i].choice =
		    (unsigned int)(draw() % disk.losses[i].choices);
}

static unsigned long
cuts_here(unsigned int max, void (*check)(bool last))
{
	unsigned long all = 1, n = 0;

	find_losses();
	for (size_t i = 0; i < disk.n_losses && all <= max; i++)
		all *= disk.losses[i].choices;
	do {
		if (all > max)
			any_combination();
		make_state();
		check(disk.until == disk.n_steps);
		n++;
	} while (all > max ? n < max : next_combination());
	return n;
}

unsigned long
disk_cuts(unsigned int max, uint64_t seed, void (*check)(bool last))
{
	unsigned long n = 0;

	disk_end();
	disk.random = seed;
	for (disk.until = 0; disk.until <= disk.n_steps; disk.until++)
		n += cuts_here(max, check);
	return n;
}

/* --- what was there at any time ------------------------------------------- */

/* The node of a name like "state/devices/root", or NODES_MAX. */
static size_t
look_up(const char *name)
{
	const char *slash = NULL;
	char part[NAME_SIZE];
	struct entry *entry;
	size_t node = 0;

	for (;;) {
		slash = strchr(name, '/');
		if (slash == NULL)
			slash = name + strlen(name);
		if ((size_t)(slash - name) >= sizeof(part))
			return NODES_MAX;
		memcpy(part, name, (size_t)(slash - name));
		part[slash - name] = '\0';
		if ((entry = entry_of(node, part)) == NULL)
			return NODES_MAX;
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
		if ((node = look_up(name)) == NODES_MAX)
			continue;
		then = make_bytes(node, &n);
		was = n == len && memcmp(then, bytes, len) == 0;
		free(then);
	}
	disk.until = now;
	disk.n_losses = losses;
	return was;
}

bool
disk_was_missing(const char *name)
{
	const size_t now = disk.until, losses = disk.n_losses;
	bool missing = false;

	for (size_t i = 0; i <= disk.n_steps && !missing; i++) {
		as_it_was(i);
		missing = look_up(name) == NODES_MAX;
	}
	disk.until = now;
	disk.n_losses = losses;
	return missing;
}

const char *
disk_story(void)
{
	return disk.story;
}
