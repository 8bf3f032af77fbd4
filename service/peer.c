/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <arpa/inet.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "codec.h"
#include "peer.h"

#define ADDRESS_MAX 63

/* An IPv4 or IPv6 address, text[0..len). */
static bool
parse_address(const char *text, size_t len, struct in6_addr *ret, bool *ret_v4)
{
	char copy[ADDRESS_MAX + 1];
	struct in_addr v4;

	if (len > ADDRESS_MAX)
		return false;
	memcpy(copy, text, len);
	copy[len] = '\0';
	*ret_v4 = inet_pton(AF_INET, copy, &v4) == 1;
	if (*ret_v4) {
		memset(ret, 0, sizeof *ret);
		ret->s6_addr[10] = ret->s6_addr[11] = 0xff;
		memcpy(&ret->s6_addr[12], &v4, 4);
		return true;
	}
	return inet_pton(AF_INET6, copy, ret) == 1;
}

/* "address" or "address/bits" */
static bool
parse_net(const char *word, size_t len, struct in6_addr *ret_address,
    unsigned *ret_bits)
{
	const char *slash = memchr(word, '/', len);
	size_t address_len = slash != NULL ? (size_t)(slash - word) : len;
	char digits[4] = "";
	size_t n_digits;
	uint32_t bits;
	bool v4;

	if (!parse_address(word, address_len, ret_address, &v4))
		return false;
	*ret_bits = 128;
	if (slash == NULL)
		return true;
	n_digits = len - address_len - 1;
	if (n_digits >= sizeof digits)
		return false;
	memcpy(digits, slash + 1, n_digits);
	if (csign_parse_u32(digits, 0, v4 ? 32 : 128, &bits) != CSIGN_OK)
		return false;
	*ret_bits = v4 ? 96 + bits : bits;
	return true;
}

enum csign_err
proxies_parse(
    const char *words, struct csign_why *why, struct proxies *ret_proxies)
{
	struct proxies proxies;
	size_t len;

	memset(&proxies, 0, sizeof proxies);
	while (words != NULL && *words != '\0') {
		len = strcspn(words, " ");
		if (len == 4 && memcmp(words, "unix", 4) == 0) {
			proxies.local = true;
		} else if (proxies.n == PROXIES_MAX ||
			   !parse_net(words, len,
			       &proxies.nets[proxies.n].address,
			       &proxies.nets[proxies.n].bits)) {
			csign_why_set(why,
			    "trusted_proxies: \"%.*s\" is not an address, an "
			    "address with /bits, or unix",
			    (int)len, words);
			return CSIGN_E_CONFIG;
		} else {
			proxies.n++;
		}
		words += len;
		words += strspn(words, " ");
	}
	*ret_proxies = proxies;
	return CSIGN_OK;
}

static bool
in_net(
    const struct in6_addr *address, const struct in6_addr *net, unsigned bits)
{
	unsigned bytes = bits / 8, rest = bits % 8;
	unsigned mask = 0xff00U >> rest & 0xffU;

	if (memcmp(address, net, bytes) != 0)
		return false;
	return rest == 0 ||
	       (address->s6_addr[bytes] & mask) == (net->s6_addr[bytes] & mask);
}

bool
peer_is_trusted(const struct proxies *proxies, const struct http_peer *peer)
{
	size_t i;

	if (peer->local)
		return proxies->local;
	for (i = 0; i < proxies->n; i++)
		if (in_net(&peer->address, &proxies->nets[i].address,
			proxies->nets[i].bits))
			return true;
	return false;
}

struct http_peer
peer_behind(const struct proxies *proxies, const struct http_peer *peer,
    const char *forwarded_for)
{
	struct http_peer result = *peer, next;
	const char *end, *start;
	bool v4;

	if (forwarded_for == NULL)
		return result;
	/* From the right: each trusted proxy vouches for one more. */
	end = forwarded_for + strlen(forwarded_for);
	while (peer_is_trusted(proxies, &result) && end > forwarded_for) {
		while (end > forwarded_for &&
		       (end[-1] == ' ' || end[-1] == ',' || end[-1] == '\t'))
			end--;
		start = end;
		while (start > forwarded_for && start[-1] != ',' &&
		       start[-1] != ' ' && start[-1] != '\t')
			start--;
		memset(&next, 0, sizeof next);
		if (!parse_address(
			start, (size_t)(end - start), &next.address, &v4))
			break;
		result = next;
		end = start;
	}
	return result;
}

size_t
peer_key(const struct http_peer *peer, unsigned char ret_key[16])
{
	memcpy(ret_key, &peer->address, 16);
	return IN6_IS_ADDR_V4MAPPED(&peer->address) ? 16 : 8;
}

void
peer_text(const struct http_peer *peer, char out[PEER_TEXT_SIZE])
{
	bool v4 = IN6_IS_ADDR_V4MAPPED(&peer->address);

	if (peer->local)
		(void)snprintf(out, PEER_TEXT_SIZE, "unix");
	else if (inet_ntop(v4 ? AF_INET : AF_INET6,
		     v4 ? (const void *)&peer->address.s6_addr[12]
			: (const void *)&peer->address,
		     out, PEER_TEXT_SIZE) == NULL)
		out[0] = '\0';
}
