/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "codec.h"
#include "listen.h"

#define BACKLOG 1024

union address {
	struct sockaddr any;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
	struct sockaddr_un un;
	struct sockaddr_storage storage;
};

static bool
is_loopback(const union address *address)
{
	if (address->any.sa_family == AF_INET)
		return ntohl(address->in.sin_addr.s_addr) >> 24 == 127;
	return IN6_IS_ADDR_LOOPBACK(&address->in6.sin6_addr);
}

/* "127.0.0.1:8080", "[::1]:8080"; the length, or 0. */
static socklen_t
parse_address(const char *word, union address *address)
{
	const char *colon = strrchr(word, ':');
	char host[INET6_ADDRSTRLEN];
	size_t len;
	uint32_t port;
	bool v6 = *word == '[';

	if (colon == NULL ||
	    csign_parse_u32(colon + 1, 0, 65535, &port) != CSIGN_OK)
		return 0;
	len = (size_t)(colon - word);
	if (v6 && (len < 2 || word[len - 1] != ']'))
		return 0;
	if (v6) {
		word++;
		len -= 2;
	}
	if (len >= sizeof host)
		return 0;
	memcpy(host, word, len);
	host[len] = '\0';
	if (v6) {
		address->in6.sin6_family = AF_INET6;
		address->in6.sin6_port = htons((uint16_t)port);
		return inet_pton(AF_INET6, host, &address->in6.sin6_addr) == 1
			   ? sizeof address->in6
			   : 0;
	}
	address->in.sin_family = AF_INET;
	address->in.sin_port = htons((uint16_t)port);
	return inet_pton(AF_INET, host, &address->in.sin_addr) == 1
		   ? sizeof address->in
		   : 0;
}

static bool
name_bound(int fd, bool tls, char *bound, size_t bound_size)
{
	char host[INET6_ADDRSTRLEN];
	union address address;
	socklen_t len = sizeof address;
	bool v4;
	int n;

	memset(&address, 0, sizeof address);
	if (getsockname(fd, &address.any, &len) != 0)
		return false;
	v4 = address.any.sa_family == AF_INET;
	if (inet_ntop(address.any.sa_family,
		v4 ? (const void *)&address.in.sin_addr
		   : (const void *)&address.in6.sin6_addr,
		host, sizeof host) == NULL)
		return false;
	n = snprintf(bound, bound_size, v4 ? "%s://%s:%u" : "%s://[%s]:%u",
	    tls ? "https" : "http", host,
	    ntohs(v4 ? address.in.sin_port : address.in6.sin6_port));
	return n > 0 && (size_t)n < bound_size;
}

static enum csign_err
open_socket(const union address *address, socklen_t len, const char *name,
    struct csign_why *why, int *ret_fd)
{
	int one = 1;
	int fd = socket(address->any.sa_family,
	    SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd >= 0 &&
	    (address->any.sa_family == AF_UNIX ||
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) ==
		    0) &&
	    (address->any.sa_family != AF_INET6 ||
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof one) ==
		    0) &&
	    bind(fd, &address->any, len) == 0 && listen(fd, BACKLOG) == 0) {
		*ret_fd = fd;
		return CSIGN_OK;
	}
	csign_why_errno(why, errno, "cannot listen on %s", name);
	if (fd >= 0)
		close(fd);
	return CSIGN_E_SYSTEM;
}

enum csign_err
listen_tcp(const char *word, bool tls, char *bound, size_t bound_size,
    struct csign_why *why, int *ret_fd)
{
	union address address;
	socklen_t len;
	enum csign_err r;
	int fd;

	memset(&address, 0, sizeof address);
	if ((len = parse_address(word, &address)) == 0) {
		csign_why_set(why,
		    "listen: \"%s\" is not address:port (an IPv4 address, or "
		    "an IPv6 address in brackets)",
		    word);
		return CSIGN_E_CONFIG;
	}
	if (!tls && !is_loopback(&address)) {
		csign_why_set(why,
		    "listen: %s would carry access keys in clear; set "
		    "tls_certificate and tls_key, or listen on a loopback "
		    "address",
		    word);
		return CSIGN_E_CONFIG;
	}
	if ((r = open_socket(&address, len, word, why, &fd)) != CSIGN_OK)
		return r;
	if (!name_bound(fd, tls, bound, bound_size)) {
		close(fd);
		return CSIGN_E_SYSTEM;
	}
	*ret_fd = fd;
	return CSIGN_OK;
}

enum csign_err
listen_unix(const char *path, struct csign_why *why, int *ret_fd)
{
	union address address;
	struct stat st;
	enum csign_err r;
	size_t len = strlen(path);
	int fd;

	memset(&address, 0, sizeof address);
	address.un.sun_family = AF_UNIX;
	if (len >= sizeof address.un.sun_path) {
		csign_why_set(why, "listen_socket: the path is too long");
		return CSIGN_E_CONFIG;
	}
	memcpy(address.un.sun_path, path, len);
	if (lstat(path, &st) == 0 && S_ISSOCK(st.st_mode))
		unlink(path);
	if ((r = open_socket(&address, sizeof address.un, path, why, &fd)) !=
	    CSIGN_OK)
		return r;
	/* The access key says who may do what, not the socket. */
	if (chmod(path, 0666) != 0) {
		csign_why_errno(why, errno, "%s", path);
		close(fd);
		return CSIGN_E_SYSTEM;
	}
	*ret_fd = fd;
	return CSIGN_OK;
}
