/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A backup: its files are in it, whole, each good by its own reader, in their
 * order and found by their owner.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "backup.h"
#include "checksum.h"

static void
check_file(
    const struct csign_backup *backup, size_t i, const struct csign_buf *text)
{
	const struct csign_backup_file *file = &backup->files[i];
	const char *part =
	    strncmp(file->path, "state/", 6) == 0 ? "state" : "devices";

	MUST(file->text.at >= csign_buf_str(text));
	MUST(file->text.at + file->text.len <=
	     csign_buf_str(text) + csign_buf_len(text));
	MUST(file->text.len > 0 && file->text.at[file->text.len - 1] == '\n');
	MUST(i == 0 || strcmp(backup->files[i - 1].path, file->path) < 0);
	MUST(strstr(file->path, "..") == NULL || file->path[0] != '/');
	MUST(strchr(file->path + strlen(part) + 1, '/') == NULL);
	MUST(csign_backup_find(backup, part, &file->whose) == file);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct csign_buf *text = checksum_repair(data, size);
	char *raw = (char *)fuzz_copy(data, size);
	struct csign_backup backup;
	struct csign_why why = {""};

	fuzz_fill(&backup, sizeof backup);
	if (csign_backup_parse(fuzz_crypto(), csign_buf_str(text),
		csign_buf_len(text), &backup, &why) == CSIGN_OK) {
		for (size_t i = 0; i < backup.n; i++)
			check_file(&backup, i, text);
		csign_backup_clear(&backup);
	} else {
		MUST(fuzz_untouched(&backup, sizeof backup));
		MUST(why.text[0] != '\0');
	}
	if (csign_backup_parse(fuzz_crypto(), raw, size, &backup, &why) ==
	    CSIGN_OK)
		csign_backup_clear(&backup);
	free(raw);
	csign_buf_free(&text);
	return 0;
}
