/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What every libcurl handle of ours has in common: that it speaks HTTP/1.1 with
 * one server and nobody else, remembers and guesses nothing, and takes nothing
 * from the environment (countersign-security(7) NET-1, NET-2).
 */
#ifndef CSIGN_COURIER_HTTP_STRICT_H
#define CSIGN_COURIER_HTTP_STRICT_H

#include <curl/curl.h>
#include <stdbool.h>

#define CSIGN_CURL_SET(easy, option, value)                                    \
	(curl_easy_setopt((easy), (option), (value)) == CURLE_OK)

/* protocol: "https" or "http".  proxy: http://host:port, or NULL for none. */
bool csign_curl_strict(CURL *easy, const char *protocol, const char *proxy);

/*
 * TLS 1.2 or newer with ECDHE and AEAD; the certificate has to name host, which
 * is a name or an address without brackets and lives as long as the handle.
 * ca_file: PEM, or NULL for the system's.
 */
bool csign_curl_tls(CURL *easy, const char *host, const char *ca_file);

#endif
