/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Power cuts: after each step, what was not synced may be lost in every way
 * there is; one state for each combination of them, or for some.
 */
#include "config.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "countersign.h"
#include "disk_impl.h"
#include "lot.h"

/* --- what can be lost ----------------------------------------------------- */

/* Which node's content or entries it changes; DISK_NO_NODE: none's. */
static size_t
changes(const struct disk_step *step)
{
	if (step->what == WROTE)
		return step->node;
	return step->what == SYNCED ? DISK_NO_NODE : step->in;
}

static void
find_losses(void)
{
	size_t i, node;
	unsigned int n;

	disk.n_losses = 0;
	for (node = 0; node < disk.n_nodes; node++) {
		n = 0;
		for (i = disk_synced_until(node); i < disk.until; i++)
			n += changes(&disk.steps[i]) == node;
		if (n == 0)
			continue;
		if (disk.n_losses == DISK_LOSSES)
			disk_broken("too much is not synced");
		disk.losses[disk.n_losses++] = (struct disk_loss){node,
		    disk.nodes[node].folder ? n + 1 : (unsigned int)FATES, 0};
	}
}

/* --- in words ------------------------------------------------------------- */

static void CSIGN_PRINTF(1, 2) add_to_story(const char *format, ...)
{
	size_t n = strlen(disk.story);
	va_list ap;

	va_start(ap, format);
	(void)vsnprintf(disk.story + n, sizeof(disk.story) - n, format, ap);
	va_end(ap);
}

static void
tell(void)
{
	static const char *const fates[] = {"all", "none", "zeros", "rubbish",
	    "whole blocks", "blocks and zeros", "cut"};

	disk.story[0] = '\0';
	add_to_story("after %zu of %zu operations", disk.until, disk.n_steps);
	for (size_t i = 0; i < disk.n_losses; i++) {
		const struct disk_loss *loss = &disk.losses[i];

		if (disk.nodes[loss->node].folder)
			add_to_story(", folder %zu: %u of %u changes",
			    loss->node, loss->choice, loss->choices - 1);
		else
			add_to_story(
			    ", file %zu: %s", loss->node, fates[loss->choice]);
	}
}

const char *
disk_story(void)
{
	return disk.story;
}

/* --- combinations --------------------------------------------------------- */

/* The next of all combinations; false: that was the last. */
static bool
next_combination(void)
{
	for (size_t i = 0; i < disk.n_losses; i++) {
		if (++disk.losses[i].choice < disk.losses[i].choices)
			return true;
		disk.losses[i].choice = 0;
	}
	return false;
}

static void
any_combination(void)
{
	for (size_t i = 0; i < disk.n_losses; i++)
		disk.losses[i].choice = (unsigned int)(lot_draw(&disk.random) %
						       disk.losses[i].choices);
}

static unsigned long
cuts_here(unsigned int max, void (*check)(bool last))
{
	unsigned long all = 1, n = 0;

	find_losses();
	for (size_t i = 0; i < disk.n_losses && all <= max; i++)
		all *= disk.losses[i].choices;
	do {
		if (all > max)
			any_combination();
		disk_make_state();
		tell();
		check(disk.until == disk.n_steps);
		n++;
	} while (all > max ? n < max : next_combination());
	return n;
}

unsigned long
disk_cuts(unsigned int max, uint64_t seed, void (*check)(bool last))
{
	unsigned long n = 0;

	disk.random = seed;
	for (disk.until = 0; disk.until <= disk.n_steps; disk.until++)
		n += cuts_here(max, check);
	return n;
}
