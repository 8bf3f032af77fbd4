/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Names of accounts as names of files, times, and names of boots: there and
 * back again.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "account.h"
#include "clock.h"
#include "fuzz.h"

static void
check_name(const char *name)
{
	char file[CSIGN_FILE_NAME_MAX + 1], back[CSIGN_USER_MAX + 1];

	fuzz_fill(file, sizeof file);
	if (csign_account_file_name(name, file) != CSIGN_OK) {
		MUST(fuzz_untouched(file, sizeof file));
		return;
	}
	MUST(file[0] != '\0' && file[0] != '.');
	MUST(strspn(file, "abcdefghijklmnopqrstuvwxyzABCDEF0123456789_.-%") ==
	     strlen(file));
	MUST(csign_account_from_file_name(file, back) == CSIGN_OK);
	MUST(strcmp(back, name) == 0);
}

static void
check_file(const char *file)
{
	char name[CSIGN_USER_MAX + 1], again[CSIGN_FILE_NAME_MAX + 1];

	fuzz_fill(name, sizeof name);
	if (csign_account_from_file_name(file, name) == CSIGN_OK) {
		MUST(csign_account_file_name(name, again) == CSIGN_OK);
		MUST(strcmp(again, file) == 0);
	} else {
		MUST(fuzz_untouched(name, sizeof name));
	}
}

static void
check_time(const char *text)
{
	char again[CSIGN_TIME_SIZE];
	uint64_t seconds = 0;

	if (csign_time_parse(text, &seconds) != CSIGN_OK)
		return;
	MUST(csign_time_format(seconds, again) == CSIGN_OK);
	MUST(strcmp(again, text) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_string(data, size);

	check_name(text);
	check_file(text);
	check_time(text);
	if (csign_boot_id_valid(text))
		MUST(strlen(text) == CSIGN_BOOT_ID_SIZE - 1);
	free(text);
	return 0;
}
