/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What libcurl would decide by itself, by its build or by the environment is
 * decided here.
 */
#include "config.h"

#include <arpa/inet.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "http_strict.h"

#define CIPHERS "ECDHE+AESGCM:ECDHE+CHACHA20"
#define CIPHERS_13                                                             \
	"TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:"                 \
	"TLS_AES_128_GCM_SHA256"
#define SET(option, value) CSIGN_CURL_SET(easy, option, value)

/*
 * Without a proxy the empty string, which also keeps libcurl from looking into
 * the environment.
 */
bool
csign_curl_strict(CURL *easy, const char *protocol, const char *proxy)
{
	return SET(CURLOPT_PROTOCOLS_STR, protocol) &&
	       SET(CURLOPT_REDIR_PROTOCOLS_STR, protocol) &&
	       SET(CURLOPT_FOLLOWLOCATION, 0L) && SET(CURLOPT_MAXREDIRS, 0L) &&
	       SET(CURLOPT_NETRC, (long)CURL_NETRC_IGNORED) &&
	       SET(CURLOPT_COOKIEFILE, NULL) &&
	       SET(CURLOPT_UNRESTRICTED_AUTH, 0L) &&
	       SET(CURLOPT_DISALLOW_USERNAME_IN_URL, 1L) &&
	       SET(CURLOPT_PATH_AS_IS, 1L) &&
	       SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1) &&
	       SET(CURLOPT_HTTP09_ALLOWED, 0L) &&
	       SET(CURLOPT_ACCEPT_ENCODING, NULL) &&
	       SET(CURLOPT_HTTP_CONTENT_DECODING, 0L) &&
	       SET(CURLOPT_TRANSFER_ENCODING, 0L) &&
	       SET(CURLOPT_USERAGENT, PACKAGE_NAME) &&
	       SET(CURLOPT_PROXY, proxy != NULL ? proxy : "") &&
	       SET(CURLOPT_NOPROXY, "") && SET(CURLOPT_TCP_NODELAY, 1L) &&
	       SET(CURLOPT_NOSIGNAL, 1L) && SET(CURLOPT_QUICK_EXIT, 1L);
}

static bool
is_address(const char *host)
{
	struct in6_addr address;

	return inet_pton(AF_INET, host, &address) == 1 ||
	       inet_pton(AF_INET6, host, &address) == 1;
}

/*
 * libcurl takes a certificate's common name if it has no subjectAltName;
 * OpenSSL, told the name itself, does not.
 */
static CURLcode
on_tls(CURL *easy, void *ssl_ctx, void *arg)
{
	X509_VERIFY_PARAM *param = SSL_CTX_get0_param(ssl_ctx);
	const char *host = arg;

	(void)easy;
	X509_VERIFY_PARAM_set_hostflags(
	    param, X509_CHECK_FLAG_NEVER_CHECK_SUBJECT |
		       X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	if ((is_address(host)
		    ? X509_VERIFY_PARAM_set1_ip_asc(param, host)
		    : X509_VERIFY_PARAM_set1_host(param, host, 0)) != 1)
		return CURLE_SSL_CONNECT_ERROR;
	return CURLE_OK;
}

/*
 * Of the system's certificates, the folder where there is one: a file with all
 * of them takes 20 ms and megabytes to read.
 */
static bool
set_authorities(CURL *easy, const char *ca_file)
{
	const curl_version_info_data *info = curl_version_info(CURLVERSION_NOW);

	if (ca_file != NULL)
		return SET(CURLOPT_CAINFO, ca_file) &&
		       SET(CURLOPT_CAPATH, NULL);
	if (info->capath != NULL)
		return SET(CURLOPT_CAPATH, info->capath) &&
		       SET(CURLOPT_CAINFO, NULL);
	return info->cainfo != NULL && SET(CURLOPT_CAINFO, info->cainfo);
}

bool
csign_curl_tls(CURL *easy, const char *host, const char *ca_file)
{
	return SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2) &&
	       SET(CURLOPT_SSL_CIPHER_LIST, CIPHERS) &&
	       SET(CURLOPT_TLS13_CIPHERS, CIPHERS_13) &&
	       SET(CURLOPT_SSL_VERIFYPEER, 1L) &&
	       SET(CURLOPT_SSL_VERIFYHOST, 2L) &&
	       SET(CURLOPT_SSL_OPTIONS, 0L) && set_authorities(easy, ca_file) &&
	       SET(CURLOPT_SSL_CTX_FUNCTION, on_tls) &&
	       SET(CURLOPT_SSL_CTX_DATA, host);
}
