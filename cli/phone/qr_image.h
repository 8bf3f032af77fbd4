/* SPDX-License-Identifier: BSD-2-Clause */
/* QR codes in a part of the screen, by way of a picture and libzbar. */
#ifndef PHONE_QR_IMAGE_H
#define PHONE_QR_IMAGE_H

#include <stdbool.h>
#include <stddef.h>

#include "countersign.h"
#include "screen.h"

/* Lines first to first + n - 1 of the screen. */
struct qr_region {
	const struct screen *screen;
	size_t first, n;
};

/*
 * Calls found for each QR code with its text (NUL-terminated, len bytes) and
 * the line of the screen where it begins.  dark: filled cells are the dark
 * ones.
 */
CSIGN_WUR enum csign_err qr_image_decode(const struct qr_region *region,
    bool dark,
    enum csign_err (*found)(
	void *arg, const char *text, size_t len, size_t line),
    void *arg);

#endif
