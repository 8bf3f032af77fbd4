/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "audit_syslog.h"
#include "bounds.h"
#include "buf.h"
#include "clock.h"
#include "codec.h"
#include "dir.h"

#define AUTHPRIV (10 << 3)
#define IDENTIFIER "countersign"
#define HEAD_MAX 64 /* everything before the line */

/* journald's own first: there, /dev/log is a link, and none is followed. */
const char *const csign_syslog_addresses[] = {
    "/run/systemd/journal/dev-log", "/dev/log", NULL};

/* "Nov 22 08:14:03": sixteen bytes with a space, which some count and skip. */
static enum csign_err
put_time(struct csign_buf *out)
{
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	char when[CSIGN_TIME_SIZE];
	enum csign_err r = CSIGN_E_INTERNAL;
	uint64_t now = 0;
	int month = 0;

	if ((r = csign_clock_wall(&now)) != CSIGN_OK ||
	    (r = csign_time_format(now / 1000, when)) != CSIGN_OK)
		return r;
	month = (when[5] - '0') * 10 + (when[6] - '0') - 1;
	return csign_buf_putf(out, "%.3s %c%c %.8s ", months + month * 3,
	    when[8] == '0' ? ' ' : when[8], when[9], when + 11);
}

static enum csign_err
write_message(
    enum csign_log_level level, const char *line, struct csign_buf *out)
{
	enum csign_err r = csign_buf_putf(out, "<%d>", AUTHPRIV | (int)level);

	if (r == CSIGN_OK)
		r = put_time(out);
	if (r == CSIGN_OK)
		r = csign_buf_putf(
		    out, IDENTIFIER "[%ld]: %s", (long)getpid(), line);
	return r;
}

/* Only root could have made what has this name. */
static enum csign_err
check_address(const char *path, struct csign_why *why)
{
	enum csign_err r = CSIGN_E_FILE;
	const char *name = NULL;
	struct stat st;
	int dir = -1;

	if ((r = csign_dir_parent(path, 022, why, &dir, &name)) != CSIGN_OK)
		return r;
	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) != 0) {
		r = errno == ENOENT ? CSIGN_E_NOT_FOUND : CSIGN_E_FILE;
		csign_why_errno(why, errno, "%s", path);
	} else if (!S_ISSOCK(st.st_mode)) {
		csign_why_set(why, "%s: is not a socket", path);
		r = CSIGN_E_FILE;
	}
	csign_close(&dir);
	return r;
}

/*
 * As who this process is in effect: otherwise the daemon is told the real user,
 * who is the caller's own with su(1), and could not tell this from a line that
 * the caller made up.
 */
static ssize_t
send_as_owner(
    int fd, const struct sockaddr_un *to, const struct csign_buf *message)
{
	const struct ucred who = {
	    .pid = getpid(), .uid = geteuid(), .gid = getegid()};
	union {
		struct cmsghdr head;
		char bytes[CMSG_SPACE(sizeof(who))];
	} control = {.bytes = {0}};
	/* Neither is written to. */
	struct sockaddr_un name = *to;
	struct iovec part = {
	    (void *)(uintptr_t)csign_buf_data(message), csign_buf_len(message)};
	struct msghdr whole = {
	    .msg_name = &name,
	    .msg_namelen = sizeof(name),
	    .msg_iov = &part,
	    .msg_iovlen = 1,
	    .msg_control = control.bytes,
	    .msg_controllen = sizeof(control.bytes),
	};
	struct cmsghdr *head = CMSG_FIRSTHDR(&whole);

	head->cmsg_level = SOL_SOCKET;
	head->cmsg_type = SCM_CREDENTIALS;
	head->cmsg_len = CMSG_LEN(sizeof(who));
	memcpy(CMSG_DATA(head), &who, sizeof(who));
	return sendmsg(fd, &whole, MSG_NOSIGNAL);
}

/* False: errno says why.  No signal makes it wait longer. */
static bool
send_until(int fd, const struct sockaddr_un *to,
    const struct csign_buf *message, uint64_t deadline)
{
	uint64_t now = 0;
	ssize_t n = -1;

	do {
		struct timeval left = {0, 0};

		if (csign_clock_boot(&now) != CSIGN_OK || now >= deadline) {
			errno = EAGAIN;
			return false;
		}
		left.tv_sec = (time_t)((deadline - now) / 1000);
		left.tv_usec = (suseconds_t)((deadline - now) % 1000) * 1000;
		if (setsockopt(
			fd, SOL_SOCKET, SO_SNDTIMEO, &left, sizeof(left)) != 0)
			return false;
		n = send_as_owner(fd, to, message);
	} while (n < 0 && errno == EINTR);
	return n >= 0 && (size_t)n == csign_buf_len(message);
}

static enum csign_err
send_to(const char *path, const struct csign_buf *message, uint32_t timeout_ms,
    struct csign_why *why)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	enum csign_err r = CSIGN_E_FILE;
	uint64_t now = 0;
	int fd = -1;

	if (strlen(path) >= sizeof(to.sun_path)) {
		csign_why_set(why, "%s: is too long for a socket", path);
		return CSIGN_E_FILE;
	}
	memcpy(to.sun_path, path, strlen(path) + 1);
	if ((r = csign_clock_boot(&now)) != CSIGN_OK)
		return r;
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || !send_until(fd, &to, message, now + timeout_ms)) {
		/* Refused: a daemon left its socket behind. */
		r = errno == ECONNREFUSED ? CSIGN_E_NOT_FOUND : CSIGN_E_FILE;
		csign_why_errno(
		    why, errno, "%s: the system's log took no record", path);
	}
	csign_close(&fd);
	return r;
}

enum csign_err
csign_syslog_put(const char *const *addresses, enum csign_log_level level,
    const char *line, uint32_t timeout_ms, struct csign_why *why)
{
	enum csign_err r = CSIGN_E_INTERNAL;
	struct csign_buf *message = NULL;
	const char *path = NULL;

	if ((r = csign_buf_new(CSIGN_AUDIT_MAX + HEAD_MAX, &message)) !=
		CSIGN_OK ||
	    (r = write_message(level, line, message)) != CSIGN_OK)
		goto out;
	r = CSIGN_E_NOT_FOUND;
	csign_why_set(why, "there is no socket of the system's log");
	for (; (path = *addresses) != NULL; addresses++) {
		struct csign_why what;
		enum csign_err there = check_address(path, &what);

		/* A folder on the way that is missing is no reason either. */
		if (there != CSIGN_OK) {
			csign_why_set(why, "%s", what.text);
			continue;
		}
		r = send_to(path, message, timeout_ms, why);
		if (r != CSIGN_E_NOT_FOUND)
			break;
	}
out:
	csign_buf_free(&message);
	return r;
}
