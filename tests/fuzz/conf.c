/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * countersign.conf and countersignd.conf: what is taken can be told by key and
 * value, and a file of these is read as the same settings; what is refused is
 * explained.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../service/settings.h"
#include "bounds.h"
#include "conf.h"
#include "fuzz.h"
#include "settings.h"
#include "text.h"

#define VALUE_SIZE 2048

static void
count(void *arg, const char *finding)
{
	size_t *n = arg;

	MUST(csign_utf8_valid(finding, strlen(finding)));
	MUST(strncmp(finding, "fuzz.conf", 9) == 0);
	++*n;
}

static enum csign_err
parse(const struct csign_conf_table *table, const char *text, size_t len,
    const char *section, void **ret_settings)
{
	struct csign_why why = {""};
	void *settings = calloc(1, table->settings_size);
	size_t findings = 0;
	enum csign_err r;

	MUST(settings != NULL);
	r = csign_conf_parse(table, "fuzz.conf", text, len, section, settings,
	    &why, count, &findings);
	MUST(r == CSIGN_OK || r == CSIGN_E_CONFIG);
	MUST((r == CSIGN_OK) == (findings == 0));
	MUST((r == CSIGN_OK) == (why.text[0] == '\0'));
	*ret_settings = settings;
	return r;
}

static void
drop(const struct csign_conf_table *table, void *settings)
{
	csign_conf_clear(table, settings);
	free(settings);
}

/* A file that sets every key that is set. */
static void
write_down(const struct csign_conf_table *table, const void *settings,
    struct csign_buf *out)
{
	char value[VALUE_SIZE];

	for (size_t i = 0; i < table->n_keys; i++) {
		const char *name = table->keys[i].name;

		MUST(csign_conf_value(table, settings, name, value,
			 sizeof value) == CSIGN_OK);
		if (value[0] != '\0')
			MUST(csign_buf_putf(out, "%s = %s\n", name, value) ==
			     CSIGN_OK);
	}
}

static void
check(const struct csign_conf_table *table, const char *text, size_t size,
    const char *section)
{
	struct csign_buf *once = fuzz_buf(2 * CSIGN_FILE_MAX);
	struct csign_buf *twice = fuzz_buf(2 * CSIGN_FILE_MAX);
	void *settings = NULL, *again = NULL;

	if (parse(table, text, size, section, &settings) == CSIGN_OK) {
		write_down(table, settings, once);
		MUST(parse(table, csign_buf_str(once), csign_buf_len(once),
			 section, &again) == CSIGN_OK);
		write_down(table, again, twice);
		MUST(fuzz_buf_is(
		    twice, csign_buf_data(once), csign_buf_len(once)));
		drop(table, again);
	}
	drop(table, settings);
	csign_buf_free(&twice);
	csign_buf_free(&once);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_string(data, size);

	check(&csign_settings_table, text, size, NULL);
	check(&csign_settings_table, text, size, "sudo");
	check(&settings_table, text, size, NULL);
	for (size_t i = 0; i < csign_settings_table.n_keys; i++)
		MUST(csign_conf_line(text, size,
			 csign_settings_table.keys[i].name) <= size);
	free(text);
	return 0;
}
