/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the courier may reach, by Landlock.  Each version of it knows more:
 * files (1), renaming between folders (2), truncating (3), TCP ports (4),
 * ioctls of devices (5), abstract sockets and signals of others (6).  What
 * this kernel does not know is left out.
 *
 * A rule is for what is in its place now.  A file that somebody replaces while
 * a login waits cannot be read again, which matters for the name servers
 * alone; where they are in a folder of their own, the folder may be read.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <stddef.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sandbox_impl.h"

/* As in <linux/landlock.h>, which may be older than the kernel. */
#define FS_READ                                                                \
	((uint64_t)(LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR))
#define FS_REFER (1ULL << 13)
#define FS_TRUNCATE (1ULL << 14)
#define FS_IOCTL_DEV (1ULL << 15)
#define NET_BIND_TCP (1ULL << 0)
#define NET_CONNECT_TCP (1ULL << 1)
#define SCOPE_ABSTRACT_UNIX_SOCKET (1ULL << 0)
#define SCOPE_SIGNAL (1ULL << 1)
#define RULE_NET_PORT 2

#define DNS_PORT 53

struct ruleset_attr {
	uint64_t fs, net, scoped;
};

struct port_attr {
	uint64_t access, port;
};

/* Of the system's: libraries, and what TLS is checked with. */
static const char *const system_paths[] = {
    "/lib",
    "/lib64",
    "/usr",
    "/etc/ld.so.cache",
    "/etc/ca-certificates",
    "/etc/crypto-policies",
    "/etc/pki",
    "/etc/ssl",
    "/var/lib/ca-certificates",
};

/* What a name is looked up with. */
static const char *const name_paths[] = {
    "/etc/gai.conf",
    "/etc/host.conf",
    "/etc/hosts",
    "/etc/nsswitch.conf",
    "/etc/resolv.conf",
    "/run/NetworkManager",
    "/run/connman",
    "/run/netconfig",
    "/run/resolvconf",
    "/run/systemd/resolve",
};

/* 0: none. */
static long
version(void)
{
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0L,
	    LANDLOCK_CREATE_RULESET_VERSION);

	return abi > 0 ? abi : 0;
}

static int
new_ruleset(uint64_t fs, uint64_t net, uint64_t scoped)
{
	const struct ruleset_attr attr = {fs, net, scoped};

	return (int)syscall(
	    SYS_landlock_create_ruleset, &attr, sizeof(attr), 0L);
}

/* Closes it. */
static int
enforce(int ruleset)
{
	long r = syscall(SYS_landlock_restrict_self, ruleset, 0L);
	int saved = errno;

	(void)close(ruleset);
	errno = saved;
	return r == 0 ? 0 : -1;
}

/* What is there, and all that is in it.  What is not there is no error. */
static int
may_read(int ruleset, const char *path)
{
	struct landlock_path_beneath_attr rule = {.allowed_access = FS_READ};
	struct stat st;
	long r = -1;
	int saved;

	rule.parent_fd = open(path, O_PATH | O_CLOEXEC);
	if (rule.parent_fd < 0)
		return errno == ENOENT || errno == EACCES || errno == ENOTDIR
			   ? 0
			   : -1;
	if (fstat(rule.parent_fd, &st) == 0) {
		if (!S_ISDIR(st.st_mode))
			rule.allowed_access = LANDLOCK_ACCESS_FS_READ_FILE;
		r = syscall(SYS_landlock_add_rule, ruleset,
		    (long)LANDLOCK_RULE_PATH_BENEATH, &rule, 0L);
	}
	saved = errno;
	(void)close(rule.parent_fd);
	errno = saved;
	return r == 0 ? 0 : -1;
}

static int
may_read_all(int ruleset, const char *const *paths, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (may_read(ruleset, paths[i]) != 0)
			return -1;
	return 0;
}

static int
may_connect(int ruleset, uint16_t port)
{
	const struct port_attr rule = {NET_CONNECT_TCP, port};

	return syscall(SYS_landlock_add_rule, ruleset, (long)RULE_NET_PORT,
		   &rule, 0L) == 0
		   ? 0
		   : -1;
}

static int
add_files(int ruleset, const struct csign_sandbox_needs *needs)
{
#ifdef CSIGN_SANITIZED
	/* A sanitizer reads about its own process, wherever the kernel says. */
	if (may_read(ruleset, "/") != 0)
		return -1;
#endif
	if (may_read_all(ruleset, system_paths,
		sizeof(system_paths) / sizeof(system_paths[0])) != 0)
		return -1;
	if (needs->names && !needs->local &&
	    may_read_all(ruleset, name_paths,
		sizeof(name_paths) / sizeof(name_paths[0])) != 0)
		return -1;
	return needs->ca_file[0] == '\0' ? 0
					 : may_read(ruleset, needs->ca_file);
}

static int
add_ports(int ruleset, const struct csign_sandbox_needs *needs)
{
	if (needs->local)
		return 0;
	if (needs->names && may_connect(ruleset, DNS_PORT) != 0)
		return -1;
	return may_connect(ruleset, needs->port);
}

/* Nothing is changed, executed, or listened on, and nobody signalled. */
int
csign_sandbox_reach(void)
{
	uint64_t fs =
	    LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_WRITE_FILE |
	    LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_REMOVE_FILE |
	    LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_DIR |
	    LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_SOCK |
	    LANDLOCK_ACCESS_FS_MAKE_FIFO | LANDLOCK_ACCESS_FS_MAKE_BLOCK |
	    LANDLOCK_ACCESS_FS_MAKE_SYM;
	uint64_t net = 0, scoped = 0;
	const long abi = version();
	int ruleset;

	if (abi == 0)
		return 0;
	if (abi >= 2)
		fs |= FS_REFER;
	if (abi >= 3)
		fs |= FS_TRUNCATE;
	if (abi >= 4)
		net |= NET_BIND_TCP;
	if (abi >= 5)
		fs |= FS_IOCTL_DEV;
	if (abi >= 6)
		scoped |= SCOPE_ABSTRACT_UNIX_SOCKET | SCOPE_SIGNAL;
	ruleset = new_ruleset(fs, net, scoped);
	return ruleset < 0 ? -1 : enforce(ruleset);
}

int
csign_sandbox_reach_narrow(const struct csign_sandbox_needs *needs)
{
	const long abi = version();
	int ruleset, saved;

	if (abi == 0)
		return 0;
	ruleset = new_ruleset(FS_READ, abi >= 4 ? NET_CONNECT_TCP : 0, 0);
	if (ruleset < 0)
		return -1;
	if (add_files(ruleset, needs) != 0 ||
	    (abi >= 4 && add_ports(ruleset, needs) != 0)) {
		saved = errno;
		(void)close(ruleset);
		errno = saved;
		return -1;
	}
	return enforce(ruleset);
}
