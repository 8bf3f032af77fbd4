/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <unistd.h>

#include "agent.h"
#include "place.h"

#define NAME_SIZE 32

/* A file that none but root can open, and so lock. */
static int
take(int dir, uid_t uid, unsigned int n)
{
	char name[NAME_SIZE];
	int saved, fd;

	(void)snprintf(name, sizeof name, "%u.%u", uid, n);
	fd = openat(dir, name, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd == -1 || flock(fd, LOCK_EX | LOCK_NB) == 0)
		return fd;
	saved = errno;
	(void)close(fd);
	errno = saved;
	return -1;
}

int
agent_place(uid_t uid)
{
	int saved, fd = -1;
	int dir =
	    open(AGENT_FOLDER, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (dir == -1)
		return -1;
	errno = EWOULDBLOCK;
	for (unsigned int n = 0;
	     fd == -1 && errno == EWOULDBLOCK && n < AGENT_PLACES; n++)
		fd = take(dir, uid, n);
	saved = errno;
	(void)close(dir);
	errno = saved;
	return fd;
}
