/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A devices file: all of it or nothing; whatever is read could be written, and
 * is then read as the same.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "device.h"
#include "fuzz.h"

static void
check_device(const struct csign_device *device)
{
	char id[CSIGN_DEVICE_ID_SIZE];

	MUST(device->kind == CSIGN_KIND_WEBAUTHN ||
	     device->kind == CSIGN_KIND_P256);
	MUST(csign_point_check(fuzz_crypto(), device->point) == CSIGN_OK);
	MUST(csign_device_id(fuzz_crypto(), device->point, id) == CSIGN_OK);
	MUST(strcmp(id, device->id) == 0);
	MUST(csign_device_name_check(device->name) == CSIGN_OK);
	MUST(device->credential_len <= CSIGN_CREDENTIAL_MAX);
	MUST((device->kind == CSIGN_KIND_WEBAUTHN) ==
	     (device->credential_len > 0));
	MUST(!device->backed_up || device->backup_eligible);
}

static void
check_list(const struct csign_device_list *list)
{
	MUST(list->n >= 1 && list->n <= CSIGN_DEVICES_MAX);
	for (size_t i = 0; i < list->n; i++) {
		check_device(&list->items[i]);
		MUST(csign_device_by_id(list, list->items[i].id) ==
		     &list->items[i]);
		for (size_t k = 0; k < i; k++)
			MUST(!csign_device_same(
			    &list->items[i], &list->items[k]));
	}
}

static enum csign_err
parse(const char *text, size_t len, const struct csign_account *account,
    struct csign_device_list *ret_list)
{
	struct csign_why why = {""};
	enum csign_err r = csign_devices_parse(
	    fuzz_crypto(), "fuzz", text, len, account, ret_list, &why);

	MUST(r == CSIGN_OK || r == CSIGN_E_DEVICES);
	MUST(r == CSIGN_OK || strncmp(why.text, "fuzz", 4) == 0);
	return r;
}

static void
check_written(
    const struct csign_device_list *list, const struct csign_account *account)
{
	struct csign_buf *once = fuzz_buf(CSIGN_FILE_MAX);
	struct csign_buf *twice = fuzz_buf(CSIGN_FILE_MAX);
	struct csign_device_list again = {NULL, 0};

	MUST(csign_devices_format(list, account, once) == CSIGN_OK);
	MUST(parse(csign_buf_str(once), csign_buf_len(once), account, &again) ==
	     CSIGN_OK);
	MUST(again.n == list->n);
	MUST(csign_devices_format(&again, account, twice) == CSIGN_OK);
	MUST(fuzz_buf_is(twice, csign_buf_data(once), csign_buf_len(once)));
	csign_device_list_clear(&again);
	csign_buf_free(&twice);
	csign_buf_free(&once);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = (char *)fuzz_copy(data, size);
	struct csign_device_list list;
	struct csign_account account = {
	    .uid = 1001, .name = "alice", .file = "alice"};

	if (csign_devices_whose(text, size, &account) != CSIGN_OK)
		MUST(account.uid == 1001);
	fuzz_fill(&list, sizeof list);
	if (parse(text, size, &account, &list) == CSIGN_OK) {
		check_list(&list);
		check_written(&list, &account);
		csign_device_list_clear(&list);
	} else {
		MUST(fuzz_untouched(&list, sizeof list));
	}
	free(text);
	return 0;
}
