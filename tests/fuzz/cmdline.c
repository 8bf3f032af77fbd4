/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Arguments of sudo, doas and su, which whoever calls them chooses and root
 * reads: whatever they are, there is a text or a reason, and what is told as an
 * option's value is one of the words.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "../../pam/cmdline.h"
#include "fuzz.h"

/* The end of one of the words; NULL is none. */
static bool
is_told(const char *value, const char *args, size_t len)
{
	size_t value_len;

	if (value == NULL)
		return true;
	value_len = strlen(value);
	return memmem(args, len, value, value_len) != NULL;
}

static void
check(enum csign_err r, const char *args, size_t len, struct csign_cmdline *cmd)
{
	if (r != CSIGN_OK) {
		MUST(fuzz_untouched(cmd, sizeof *cmd));
		return;
	}
	MUST(cmd->action <= CSIGN_ACTION_VALIDATE && cmd->text != NULL);
	MUST(is_told(cmd->target, args, len) && is_told(cmd->group, args, len));
	MUST(is_told(cmd->chdir, args, len) && is_told(cmd->chroot, args, len));
	csign_cmdline_clear(cmd);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *args = fuzz_string(data, size);
	struct csign_cmdline cmd;

	fuzz_fill(&cmd, sizeof cmd);
	check(csign_cmdline_sudo(args, size, &cmd), args, size, &cmd);
	fuzz_fill(&cmd, sizeof cmd);
	check(csign_cmdline_doas(args, size, &cmd), args, size, &cmd);
	fuzz_fill(&cmd, sizeof cmd);
	check(csign_cmdline_su(args, size, &cmd), args, size, &cmd);
	free(args);
	return 0;
}
