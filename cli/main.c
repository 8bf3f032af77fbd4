/* SPDX-License-Identifier: BSD-2-Clause */
/* countersign(1): what an administrator does on a host. */
#include "config.h"

#include "cmd.h"

static const struct command_option options[OPT_COUNT] = {
    [OPT_CONFIG] = {"config", "FILE", "another countersign.conf"},
    [OPT_SERVICE] = {"service", "URL", "the approval service"},
    [OPT_ACCESS_KEY_FILE] = {"access-key-file", "FILE",
	"read the access key there; - is standard input"},
    [OPT_SETTINGS] = {"settings", "FILE", "further lines of countersign.conf"},
    [OPT_NAME] = {"name", "NAME", "name of the device"},
    [OPT_YES] = {"yes", NULL, "ask nothing on the terminal"},
    [OPT_QR] = {"qr", "utf8|ascii|off", "how the QR code is drawn"},
    [OPT_INVERSE] = {"inverse", NULL, "for dark text on a light background"},
    [OPT_FORCE] = {"force", NULL, "also the last device of the user"},
    [OPT_JSON] = {"json", NULL, "output for programs"},
    [OPT_LIST] = {"list", "FILE", "another list than the installed one"},
};

static const struct command commands[] = {
    {"init", "", "prepare this host to use a service",
	OPTION_BIT(OPT_CONFIG) | OPTION_BIT(OPT_SERVICE) |
	    OPTION_BIT(OPT_ACCESS_KEY_FILE) | OPTION_BIT(OPT_SETTINGS),
	OPTION_BIT(OPT_SERVICE), 0, 0, cmd_init},
    {"enroll", "USER", "enrol a device for a user",
	OPTION_BIT(OPT_CONFIG) | OPTION_BIT(OPT_NAME) | OPTION_BIT(OPT_YES) |
	    OPTION_BIT(OPT_QR) | OPTION_BIT(OPT_INVERSE),
	0, 1, 1, cmd_enroll},
    {"devices", "[USER]", "list the devices of one user or of all",
	OPTION_BIT(OPT_CONFIG) | OPTION_BIT(OPT_JSON), 0, 0, 1, cmd_devices},
    {"revoke", "USER DEVICE", "remove one device, by its id or name",
	OPTION_BIT(OPT_CONFIG) | OPTION_BIT(OPT_FORCE) | OPTION_BIT(OPT_JSON),
	0, 2, 2, cmd_revoke},
    {"deenroll", "USER", "remove every device of a user",
	OPTION_BIT(OPT_CONFIG) | OPTION_BIT(OPT_YES), 0, 1, 1, cmd_deenroll},
    {"check-config", "[FILE]", "check configuration, devices and state files",
	OPTION_BIT(OPT_CONFIG), 0, 0, 1, cmd_check_config},
    {"verify-page", "[URL]", "is the phone's page the one that was released?",
	OPTION_BIT(OPT_CONFIG) | OPTION_BIT(OPT_JSON) | OPTION_BIT(OPT_LIST), 0,
	0, 1, cmd_verify_page},
};

static const struct program countersign = {
    .name = "countersign",
    .summary = "A login or a sudo becomes a question on its owner's phone.",
    .options = options,
    .n_options = OPT_COUNT,
    .commands = commands,
    .n_commands = sizeof commands / sizeof commands[0],
};

int
main(int argc, char **argv)
{
	return program_run(&countersign, argc, argv);
}
