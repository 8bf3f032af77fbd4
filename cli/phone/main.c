/* SPDX-License-Identifier: BSD-2-Clause */
/* countersign-phone(1): a phone in a terminal. */
#include "config.h"

#include "cmd.h"

static const struct command_option options[OPT_COUNT] = {
    [OPT_NAME] = {"name", "NAME", "name of this phone"},
    [OPT_CHOICE] = {"choice", "CHOICE", "answer this instead of approve"},
    [OPT_CODE] = {"code", "DIGITS|-",
	"the six digits that the terminal shows; - reads them"},
    [OPT_NOT_ME] = {"not-me", NULL, "say that somebody else is at it"},
    [OPT_UNSIGNED] = {"unsigned", NULL, "deny without a key"},
    [OPT_DEVICE] = {"device", "ID", "sign with this device, whatever is known"},
    [OPT_ONCE] = {"once", NULL, "end after the first question"},
    [OPT_NO_TEST] = {"no-test", NULL, "leave the test question to approve"},
    [OPT_YES] = {"yes", NULL, "answer yes without asking"},
    [OPT_FORCE] = {"force", NULL, "replace what is there"},
    [OPT_LOCAL] = {"local", NULL, "forget it here and tell nobody"},
    [OPT_STORE] = {"store", "DIR", "folder of the keys"},
    [OPT_PASSPHRASE_FILE] = {"passphrase-file", "FILE",
	"read the passphrase there"},
    [OPT_CA_FILE] = {"ca-file", "FILE", "trust these certificates only"},
    [OPT_JSON] = {"json", NULL, "output for programs"},
    [OPT_INBOX] = {"inbox", "ID", "the question of the inbox with this id"},
    [OPT_WAIT] = {"wait", "SECONDS", "wait so long for a question"},
};

#define COMMON                                                                 \
	(OPTION_BIT(OPT_STORE) | OPTION_BIT(OPT_PASSPHRASE_FILE) |             \
	    OPTION_BIT(OPT_CA_FILE))

static const struct command commands[] = {
    {"enroll", "[LINK|-]", "become a device of a user",
	COMMON | OPTION_BIT(OPT_NAME) | OPTION_BIT(OPT_NO_TEST) |
	    OPTION_BIT(OPT_YES),
	0, 0, 1, cmd_enroll},
    {"approve", "[LINK|-]", "show a question and answer it",
	COMMON | OPTION_BIT(OPT_CHOICE) | OPTION_BIT(OPT_CODE) |
	    OPTION_BIT(OPT_DEVICE) | OPTION_BIT(OPT_YES) |
	    OPTION_BIT(OPT_INBOX),
	0, 0, 1, cmd_approve},
    {"deny", "[LINK|-]", "show a question and deny it",
	COMMON | OPTION_BIT(OPT_NOT_ME) | OPTION_BIT(OPT_UNSIGNED) |
	    OPTION_BIT(OPT_DEVICE) | OPTION_BIT(OPT_INBOX),
	0, 0, 1, cmd_deny},
    {"inbox", "", "list the questions that wait for this phone",
	COMMON | OPTION_BIT(OPT_WAIT) | OPTION_BIT(OPT_JSON), 0, 0, 0,
	cmd_inbox},
    {"watch", "[-]", "ring and ask whenever a question comes",
	COMMON | OPTION_BIT(OPT_NAME) | OPTION_BIT(OPT_ONCE) |
	    OPTION_BIT(OPT_WAIT) | OPTION_BIT(OPT_JSON) | OPTION_BIT(OPT_YES),
	0, 0, 1, cmd_watch},
    {"push", "URL|-|off", "have this phone woken up at an address",
	OPTION_BIT(OPT_STORE) | OPTION_BIT(OPT_CA_FILE), 0, 1, 1, cmd_push},
    {"devices", "", "list what this phone has enrolled for",
	OPTION_BIT(OPT_STORE) | OPTION_BIT(OPT_JSON), 0, 0, 0, cmd_devices},
    {"remove", "DEVICE", "end this phone's part in an account",
	COMMON | OPTION_BIT(OPT_LOCAL) | OPTION_BIT(OPT_YES), 0, 1, 1,
	cmd_remove},
    {"backup", "FILE|-", "save this phone in an encrypted file",
	OPTION_BIT(OPT_STORE) | OPTION_BIT(OPT_PASSPHRASE_FILE) |
	    OPTION_BIT(OPT_FORCE),
	0, 1, 1, cmd_backup},
    {"restore", "FILE|-", "bring a saved phone back",
	OPTION_BIT(OPT_STORE) | OPTION_BIT(OPT_PASSPHRASE_FILE) |
	    OPTION_BIT(OPT_FORCE),
	0, 1, 1, cmd_restore},
};

static const struct program countersign_phone = {
    .name = "countersign-phone",
    .summary = "A phone in a terminal: answers the questions of countersign.",
    .options = options,
    .n_options = OPT_COUNT,
    .commands = commands,
    .n_commands = sizeof commands / sizeof commands[0],
};

int
main(int argc, char **argv)
{
	return program_run(&countersign_phone, argc, argv);
}
