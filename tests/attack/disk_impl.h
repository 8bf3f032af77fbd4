/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the parts of disk.h share: the folder as it was at the start (disk.c),
 * the steps by which it was changed (disk_record.c), and the state that is
 * made of some of them now (disk_replay.c), with something lost
 * (disk_cuts.c).  There is one disk; a test that cannot go on with it is ended
 * by disk_broken().
 */
#ifndef DISK_IMPL_H
#define DISK_IMPL_H

#include <sys/types.h>

#include "disk.h"

struct stat;

#define DISK_NODES 512 /* how many at most */
#define DISK_NO_NODE DISK_NODES
#define DISK_ENTRIES 256
#define DISK_STEPS 2048
#define DISK_LOSSES 32
#define DISK_NAME 128
#define DISK_PATH 512

/* A file or a folder, whatever its names; the first is the folder itself. */
struct disk_node {
	ino_t ino;
	bool folder;
	mode_t mode;
	unsigned char *bytes; /* that are on the disk from the start */
	size_t len;
};

/* A name in a folder. */
struct disk_entry {
	size_t in; /* the folder: a node */
	char name[DISK_NAME];
	size_t node;
};

enum disk_what { CREATED, WROTE, SYNCED, RENAMED, REMOVED };

struct disk_step {
	enum disk_what what;
	size_t node; /* the file; SYNCED: file or folder */
	size_t in;   /* CREATED, RENAMED, REMOVED: the folder */
	char name[DISK_NAME], to[DISK_NAME];
	unsigned char *bytes;
	size_t at, len;
};

/* What may become of a file's bytes that were not synced. */
enum disk_fate { ALL, NONE, ZEROS, RUBBISH, BLOCKS, BLOCK_ZEROS, CUT, FATES };

/*
 * Something that was not synced: of a folder's entries the first so many
 * changes are there, a file's bytes have this fate.
 */
struct disk_loss {
	size_t node;
	unsigned int choices, choice;
};

struct disk {
	char folder[DISK_PATH];
	bool on; /* what is done is recorded */
	struct disk_node nodes[DISK_NODES];
	size_t n_nodes;
	struct disk_entry first[DISK_ENTRIES]; /* at the start */
	size_t n_first;
	struct disk_step steps[DISK_STEPS];
	size_t n_steps;
	/* the state that is made now */
	size_t until; /* of the steps, so many were done */
	struct disk_loss losses[DISK_LOSSES];
	size_t n_losses;
	struct disk_entry entries[DISK_ENTRIES];
	size_t n_entries;
	uint64_t random;
	char story[1024];
};
extern struct disk disk;

/* Ends the test. */
_Noreturn void disk_broken(const char *what);
/* A new node, without bytes. */
size_t disk_add_node(const struct stat *st);
void disk_set_name(char out[DISK_NAME], const char *name);
/* Behind the last sync of this node among the steps that were done. */
size_t disk_synced_until(size_t node);
/* Empties the folder and makes the state in it. */
void disk_make_state(void);
/* Nothing happened in the folder but what was recorded. */
bool disk_explains_all(void);
/* As they are, without being recorded: disk_record.c wraps the others. */
ssize_t __real_write(int fd, const void *bytes, size_t len);
int __real_fchmod(int fd, mode_t mode);

#endif
