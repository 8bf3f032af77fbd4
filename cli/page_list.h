/* SPDX-License-Identifier: BSD-2-Clause */
/* The list of the released page's files, as sha256sum(1) writes it. */
#ifndef CLI_PAGE_LIST_H
#define CLI_PAGE_LIST_H

#include <stddef.h>

#include "countersign.h"

#define PAGE_LIST_FILE CSIGN_DATADIR "/page.sha256"

enum page_list {
	PAGE_LIST_OK,      /* every file was compared */
	PAGE_LIST_MISSING, /* the list cannot be opened */
	PAGE_LIST_BAD,     /* it is no list, or empty */
	PAGE_LIST_STOPPED, /* *ret_err: the comparison itself failed */
};

/*
 * Compares each file that the list names with what url delivers, and tells:
 * err is CSIGN_OK (the same), CSIGN_E_FORMAT or CSIGN_E_NOT_FOUND, for which
 * csign_ctx_why() has the reason.
 */
enum page_list page_list_compare(struct csign_ctx *ctx, const char *url,
    const char *list,
    void (*tell)(void *arg, const char *name, enum csign_err err), void *arg,
    enum csign_err *ret_err);

#endif
