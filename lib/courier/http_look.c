/* SPDX-License-Identifier: BSD-2-Clause */
/* What a check wants to know of a service besides its reply. */
#include "config.h"

#include <openssl/pem.h>
#include <openssl/x509.h>
#include <string.h>
#include <time.h>

#include "http_impl.h"

#define PEM_FIELD "Cert:"

/* The time in the reply's head. */
static uint64_t
date(CURL *easy)
{
	struct curl_header *header = NULL;
	time_t when;

	if (curl_easy_header(easy, "Date", 0, CURLH_HEADER, -1, &header) !=
		CURLHE_OK ||
	    header->amount != 1)
		return 0;
	when = curl_getdate(header->value, NULL);
	return when > 0 ? (uint64_t)when : 0;
}

/* The end of one certificate in PEM form. */
static uint64_t
end_of(const char *pem)
{
	BIO *bio = BIO_new_mem_buf(pem, -1);
	X509 *certificate = NULL;
	struct tm tm;
	time_t when = 0;

	if (bio != NULL)
		certificate = PEM_read_bio_X509(bio, NULL, NULL, NULL);
	if (certificate != NULL &&
	    ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &tm) == 1)
		when = timegm(&tm);
	X509_free(certificate);
	BIO_free(bio);
	return when > 0 ? (uint64_t)when : 0;
}

/* Of those that the service sent, the one that ends first. */
static uint64_t
first_end(CURL *easy)
{
	struct curl_certinfo *info = NULL;
	uint64_t first = 0, end;

	if (curl_easy_getinfo(easy, CURLINFO_CERTINFO, &info) != CURLE_OK ||
	    info == NULL)
		return 0;
	for (int i = 0; i < info->num_of_certs; i++) {
		for (struct curl_slist *field = info->certinfo[i];
		     field != NULL; field = field->next) {
			if (strncmp(
				field->data, PEM_FIELD, strlen(PEM_FIELD)) != 0)
				continue;
			end = end_of(field->data + strlen(PEM_FIELD));
			if (end != 0 && (first == 0 || end < first))
				first = end;
		}
	}
	return first;
}

void
csign_http_look(CURL *easy, struct csign_http_reply *reply)
{
	reply->date = date(easy);
	reply->certificate_end = first_end(easy);
}
