/* SPDX-License-Identifier: BSD-2-Clause */
/* Accounts and devices for tests of what is stored about them. */
#ifndef PEOPLE_H
#define PEOPLE_H

#include "account.h"
#include "crypto.h"
#include "device.h"

extern const struct csign_account alice, bob;
/* Made by people_setup(). */
extern struct csign_crypto *people_crypto;

/* Fixtures of a group; people_setup() also makes the scratch folder. */
int people_setup(void **state);
int people_teardown(void **state);

/*
 * Device number n, 1 to 255: always the same one.  An odd one is a passkey
 * with all that a passkey can have, an even one a p256 device with as little
 * as it can have.
 */
void people_device(unsigned n, struct csign_device *device);
/* Devices first to first + n - 1; for csign_device_list_clear(). */
void people_list(unsigned first, size_t n, struct csign_device_list *list);

#endif
