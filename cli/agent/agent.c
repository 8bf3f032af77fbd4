/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

#include "agent.h"

#define NULL_MAJOR 1
#define NULL_MINOR 3

bool
agent_fd_safe(int fd)
{
	struct stat st;

	if (fstat(fd, &st) != 0)
		return false;
	if (S_ISFIFO(st.st_mode))
		return true;
	if (!S_ISCHR(st.st_mode))
		return false;
	return st.st_rdev == makedev(NULL_MAJOR, NULL_MINOR) || isatty(fd) == 1;
}

int64_t
agent_now_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}
