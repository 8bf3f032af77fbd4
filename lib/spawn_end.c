/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How a program ended that is nobody's child here: Linux 6.15 tells it to
 * whoever holds a pidfd.  Older ones do not, and it is only for people.
 */
#include "config.h"

#include <poll.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/wait.h>

#include "spawn.h"

/* For its parent to collect it; usually init, which does nothing else. */
#define END_TIMEOUT_MS 50

/* As in <linux/pidfd.h>, of its first version. */
struct pidfd_info {
	uint64_t mask, cgroup;
	uint32_t ids[11];
	int32_t exit_code;
};
#define INFO_EXIT (1ULL << 3)
#define GET_INFO _IOWR(0xff, 11, struct pidfd_info)

int
csign_spawn_end_signal(int pidfd)
{
	struct pollfd pfd = {.fd = pidfd}; /* POLLHUP */
	struct pidfd_info info = {.mask = INFO_EXIT};

	(void)poll(&pfd, 1, END_TIMEOUT_MS);
	if (ioctl(pidfd, GET_INFO, &info) != 0 ||
	    (info.mask & INFO_EXIT) == 0 || !WIFSIGNALED(info.exit_code))
		return 0;
	return WTERMSIG(info.exit_code);
}
