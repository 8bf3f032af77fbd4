/* SPDX-License-Identifier: BSD-2-Clause */
/* What a test of this folder leaves for the table at the end: summary.py. */
#ifndef FIGURES_H
#define FIGURES_H

/* ATTACK_SCALE of the environment, 1 if it is missing. */
unsigned int figures_scale(void);
/* Counted, never constants; all but cases must be 0. */
struct figures {
	unsigned long cases;
	unsigned long grants; /* that should not be */
	unsigned long crashes, leaks;
	/* anything else that should not be: a wrong code, a torn file */
	unsigned long wrong;
};

/* note: NULL for none. */
void figures_write(const char *name, const char *what,
    const struct figures *figures, const char *note);

#endif
