/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"

#include "people.h"
#include "scratch.h"

const struct csign_account alice = {
    .uid = 1001, .gid = 100, .name = "alice", .file = "alice"};
const struct csign_account bob = {
    .uid = 1002, .gid = 100, .name = "Bob", .file = "%42ob"};
struct csign_crypto *people_crypto;

int
people_setup(void **state)
{
	if (csign_crypto_new(&people_crypto) != CSIGN_OK)
		return -1;
	return scratch_setup(state);
}

int
people_teardown(void **state)
{
	csign_crypto_free(&people_crypto);
	return scratch_teardown(state);
}

static void
make_point(unsigned n, unsigned char high, unsigned char point[CSIGN_POINT_LEN])
{
	unsigned char scalar[32] = {0};
	struct csign_p256 *key = NULL;

	scalar[1] = high;
	scalar[31] = (unsigned char)n;
	assert_ok(csign_p256_from_scalar(people_crypto, scalar, &key));
	csign_p256_point(key, point);
	csign_p256_free(&key);
}

static void
add_passkey(unsigned n, struct csign_device *device)
{
	device->kind = CSIGN_KIND_WEBAUTHN;
	device->has_seal = true;
	make_point(n, 1, device->seal);
	device->credential_len = 16 + n;
	memset(device->credential, (int)n, device->credential_len);
	strcpy(device->rp, "approve.example.org");
	strcpy(device->origin, "https://approve.example.org");
	device->backup_eligible = true;
	device->backed_up = true;
	memset(device->aaguid, 0xa5, sizeof(device->aaguid));
	strcpy(device->by, "Some One@corp");
	strcpy(device->name, "Alice's \"Pixel\" \\ \xc3\xbc");
}

void
people_device(unsigned n, struct csign_device *device)
{
	memset(device, 0, sizeof(*device));
	device->kind = CSIGN_KIND_P256;
	make_point(n, 0, device->point);
	assert_ok(csign_device_id(people_crypto, device->point, device->id));
	device->added = 1763719331 + n;
	strcpy(device->by, "root");
	if (n % 2 != 0)
		add_passkey(n, device);
}

void
people_list(unsigned first, size_t n, struct csign_device_list *list)
{
	list->items = calloc(n, sizeof(*list->items));
	assert_non_null(list->items);
	list->n = n;
	for (size_t i = 0; i < n; i++)
		people_device(first + (unsigned)i, &list->items[i]);
}
