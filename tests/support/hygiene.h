/* SPDX-License-Identifier: BSD-2-Clause */
/* What a guest in a process must leave as it found it, before and after. */
#ifndef CSIGN_TEST_HYGIENE_H
#define CSIGN_TEST_HYGIENE_H

#include <stdbool.h>

/* Descriptors, signal actions and so on, each as text. */
#define HYGIENE_PARTS 9

struct hygiene {
	char *text[HYGIENE_PARTS];
};

void hygiene_take(struct hygiene *ret_state);
/* Calls report for each part that differs; true if none does. */
bool hygiene_same(const struct hygiene *before, const struct hygiene *after,
    void (*report)(const char *what));
void hygiene_clear(struct hygiene *state);

#endif
