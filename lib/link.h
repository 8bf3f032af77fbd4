/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The link secret S and what is derived from it: countersign-protocol(7),
 * section LINK SECRET.
 */
#ifndef CSIGN_LINK_H
#define CSIGN_LINK_H

#include "bounds.h"
#include "buf.h"
#include "countersign.h"
#include "crypto.h"

struct csign_link; /* holds S and its keys as secrets */

/* A fresh S. */
CSIGN_WUR enum csign_err csign_link_new(
    struct csign_crypto *crypto, struct csign_link **ret_link);
CSIGN_WUR enum csign_err csign_link_from_secret(struct csign_crypto *crypto,
    const unsigned char secret[CSIGN_SECRET_LEN], struct csign_link **ret_link);
/*
 * The link of the test approval that follows an enrolment: its secret is
 * derived from the enrolment's, so that the phone goes on without a second
 * scan.  Whoever saw the enrolment's link may open it, but only the new device
 * can sign what it asks.
 */
CSIGN_WUR enum csign_err csign_link_for_test(struct csign_crypto *crypto,
    const struct csign_link *enrolment, struct csign_link **ret_link);
/*
 * From "https://host[:port]/#<26 characters>", scheme and host in any case;
 * http:// for loopback hosts alone.  *ret_origin, malloc(3)ed, is
 * "https://host[:port]" in lower case.  CSIGN_E_FORMAT.
 */
CSIGN_WUR enum csign_err csign_link_parse(struct csign_crypto *crypto,
    const char *text, struct csign_link **ret_link, char **ret_origin);
void csign_link_free(struct csign_link **link);

const unsigned char *csign_link_secret(const struct csign_link *link);
/* 22 characters: the service's name for the link. */
const char *csign_link_id(const struct csign_link *link);
const unsigned char *csign_link_content_key(const struct csign_link *link);
const unsigned char *csign_link_answer_key(const struct csign_link *link);
/* origin "https://host[:port]" and "/#" and S; upper: as it is in a QR code. */
CSIGN_WUR enum csign_err csign_link_text(const struct csign_link *link,
    const char *origin, bool upper, char out[CSIGN_LINK_MAX + 1]);
/* Is url a valid origin for links and services?  (scheme, host, port) */
CSIGN_WUR enum csign_err csign_origin_check(const char *url);
/* The host of a valid origin, without port; a relying party id. */
CSIGN_WUR enum csign_err csign_origin_host(
    const char *origin, char out[CSIGN_HOST_MAX + 1]);

#endif
