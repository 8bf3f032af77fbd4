/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <string.h>
#include <strings.h>

#include "bounds.h"
#include "codec.h"
#include "sandbox.h"

/* Of an address or of "localhost", libcurl asks nobody. */
static bool
is_name(const char *host)
{
	char bare[INET6_ADDRSTRLEN + 1] = "";
	struct in6_addr address;
	size_t len = strlen(host);

	if (len > 2 && host[0] == '[' && len - 2 < sizeof(bare))
		memcpy(bare, host + 1, len - 2);
	return strcasecmp(host, "localhost") != 0 &&
	       inet_pton(AF_INET, host, &address) != 1 &&
	       inet_pton(AF_INET6, bare, &address) != 1;
}

enum csign_err
csign_sandbox_needs(
    const struct csign_job *job, struct csign_sandbox_needs *ret_needs)
{
	const char *at = job->proxy[0] != '\0' ? job->proxy : job->service;
	CURLU *url = curl_url();
	char *host = NULL, *port = NULL;
	enum csign_err r = CSIGN_E_CONFIG;
	uint32_t number = 0;

	if (url == NULL ||
	    curl_url_set(url, CURLUPART_URL, at, 0) != CURLUE_OK ||
	    curl_url_get(url, CURLUPART_HOST, &host, 0) != CURLUE_OK ||
	    curl_url_get(url, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) !=
		CURLUE_OK ||
	    csign_parse_u32(port, 1, UINT16_MAX, &number) != CSIGN_OK)
		goto out;
	*ret_needs = (struct csign_sandbox_needs){
	    .ca_file = job->ca_file,
	    .local = job->socket[0] != '\0',
	    .names = is_name(host),
	    .port = (uint16_t)number,
	};
	r = CSIGN_OK;
out:
	curl_free(host);
	curl_free(port);
	curl_url_cleanup(url);
	return r;
}
