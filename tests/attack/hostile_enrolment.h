/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An enrolment with a hostile courier (E6 of countersign-security(7)): whose
 * phone it brings about, and what the person says to that.
 */
#ifndef HOSTILE_ENROLMENT_H
#define HOSTILE_ENROLMENT_H

#include "plays.h"

/*
 * Its kind says who answers: the play's moves if there is a plan; if not, a
 * phone of the person's when that may be granted, else an onlooker's.
 */
void hostile_enrolment(struct play *p);

#endif
