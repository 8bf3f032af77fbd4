/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * countersign check: the page that phones open is the released one; whoever
 * serves another could show one question and have another one signed.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "../page_list.h"
#include "check.h"
#include "lines.h"

struct pages {
	size_t n, wrong;
	char names[512]; /* of the wrong ones */
};

static void
tell(void *arg, const char *name, enum csign_err err)
{
	struct pages *pages = arg;

	pages->n++;
	if (err == CSIGN_OK)
		return;
	if (pages->wrong++ > 0)
		(void)check_append(pages->names, sizeof pages->names, ", ", 2);
	(void)check_append(
	    pages->names, sizeof pages->names, name, strlen(name));
}

void
check_page(struct check *c)
{
	struct pages pages = {0};
	enum csign_err err = CSIGN_OK;
	char *url;

	if (!c->loaded)
		return;
	if ((url = strdup(check_setting(c, NULL, "page_url"))) == NULL)
		return;
	switch (
	    page_list_compare(c->ctx, url, c->page_list, tell, &pages, &err)) {
	case PAGE_LIST_OK:
		if (pages.wrong == 0)
			check_good(c->report, GROUP_PAGE,
			    "%s delivers the installed release", url);
		else
			check_find(c->report, FIND_PAGE, NULL, url, NULL,
			    "What phones open is not the installed release's: "
			    "%zu of %zu files are other ones: %s.",
			    pages.wrong, pages.n, pages.names);
		break;
	case PAGE_LIST_MISSING:
	case PAGE_LIST_BAD:
		check_find(c->report, FIND_PAGE_UNREAD, NULL, c->page_list,
		    "install countersign anew",
		    "The list of the released page cannot be read, so the page "
		    "was not compared.");
		break;
	case PAGE_LIST_STOPPED:
		check_find(c->report, FIND_PAGE_UNREAD, NULL, url, NULL,
		    "The page could not be fetched: %s.",
		    csign_ctx_why(c->ctx));
		break;
	}
	free(url);
}
