/* SPDX-License-Identifier: BSD-2-Clause */
/* countersign(1): what an administrator does on a host. */
#include "config.h"

#include <unistd.h>

#include "agent/agent.h"
#include "agent/caller.h"
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
    [OPT_FORCE] = {"force", NULL, "in spite of a reason not to"},
    [OPT_JSON] = {"json", NULL, "output for programs"},
    [OPT_LIST] = {"list", "FILE", "another list than the installed one"},
    [OPT_PRINT_LINK] = {"print-link", NULL, "print the link, draw no QR code"},
    [OPT_TITLE] = {"title", "TEXT", "the question"},
    [OPT_DETAIL] = {"detail", "LABEL=VALUE", "a line of it; may be repeated"},
    [OPT_CHOICE] = {"choice", "NAME", "an answer that grants; may be repeated"},
    [OPT_SINCE] = {"since", "TIME", "not what is older"},
    [OPT_LINES] = {"lines", "N", "the newest N only"},
    [OPT_DRY_RUN] = {"dry-run", NULL, "say what would be done"},
    [OPT_WITH_RECOVERY] = {"with-recovery", NULL,
	"also recovery codes that this host does not know"},
    [OPT_ROOT] = {"root", "DIR", "a host whose / is DIR"},
    [OPT_NO_PUSH] = {"no-push", NULL, "ring no phone; the link alone"},
    [OPT_VERIFY] = {"verify", NULL, "check the signature of every answer"},
    [OPT_FILE] = {"file", "FILE", "another audit file; may be repeated"},
    [OPT_EVIDENCE] = {"evidence", "FILE",
	"another evidence file; may be repeated"},
};

#define CONFIG OPTION_BIT(OPT_CONFIG)
#define JSON OPTION_BIT(OPT_JSON)
#define QR (OPTION_BIT(OPT_QR) | OPTION_BIT(OPT_INVERSE))

static const struct command commands[] = {
    {"init", "", "prepare this host to use a service",
	CONFIG | OPTION_BIT(OPT_SERVICE) | OPTION_BIT(OPT_ACCESS_KEY_FILE) |
	    OPTION_BIT(OPT_SETTINGS) | OPTION_BIT(OPT_ROOT),
	OPTION_BIT(OPT_SERVICE), 0, 0, cmd_init},
    {"enroll", "[USER]", "enrol a device for a user",
	CONFIG | JSON | QR | OPTION_BIT(OPT_NAME) | OPTION_BIT(OPT_YES) |
	    OPTION_BIT(OPT_PRINT_LINK),
	0, 0, 1, cmd_enroll},
    {"devices", "[USER]", "list the devices of one user or of all",
	CONFIG | JSON, 0, 0, 1, cmd_devices},
    {"rename", "USER DEVICE NAME", "give a device another name", CONFIG | JSON,
	0, 3, 3, cmd_rename},
    {"revoke", "[USER] DEVICE", "remove one device, by its id or name",
	CONFIG | JSON | QR | OPTION_BIT(OPT_PRINT_LINK) | OPTION_BIT(OPT_FORCE),
	0, 1, 2, cmd_revoke},
    {"deenroll", "[USER]", "remove every device of a user",
	CONFIG | JSON | QR | OPTION_BIT(OPT_PRINT_LINK) | OPTION_BIT(OPT_YES),
	0, 0, 1, cmd_deenroll},
    {"recovery", "USER", "make new recovery codes for a user",
	CONFIG | JSON | OPTION_BIT(OPT_YES), 0, 1, 1, cmd_recovery},
    {"ask", "USER", "ask a question; the exit status says the answer",
	CONFIG | JSON | QR | OPTION_BIT(OPT_TITLE) | OPTION_BIT(OPT_DETAIL) |
	    OPTION_BIT(OPT_CHOICE) | OPTION_BIT(OPT_PRINT_LINK) |
	    OPTION_BIT(OPT_NO_PUSH),
	OPTION_BIT(OPT_TITLE), 1, 1, cmd_ask},
    {"test", "[USER]", "ask for an approval that grants nothing",
	CONFIG | JSON | QR | OPTION_BIT(OPT_PRINT_LINK), 0, 0, 1, cmd_test},
    {"log", "[USER]", "who approved what: the audit trail",
	CONFIG | JSON | OPTION_BIT(OPT_SINCE) | OPTION_BIT(OPT_LINES) |
	    OPTION_BIT(OPT_VERIFY) | OPTION_BIT(OPT_FILE) |
	    OPTION_BIT(OPT_EVIDENCE),
	0, 0, 1, cmd_log},
    {"check", "", "look for what could lock somebody out",
	CONFIG | JSON | OPTION_BIT(OPT_ROOT) | OPTION_BIT(OPT_LIST), 0, 0, 0,
	cmd_check},
    {"check-config", "[FILE]", "check configuration, devices and state files",
	CONFIG | JSON, 0, 0, 1, cmd_check_config},
    {"pam", "enable|disable|show SERVICE", "put the module into a PAM stack",
	CONFIG | JSON | OPTION_BIT(OPT_DRY_RUN) | OPTION_BIT(OPT_FORCE) |
	    OPTION_BIT(OPT_ROOT),
	0, 2, 2, cmd_pam},
    {"backup", "FILE", "save devices and state of every user",
	CONFIG | OPTION_BIT(OPT_FORCE), 0, 1, 1, cmd_backup},
    {"restore", "FILE", "bring them back",
	CONFIG | JSON | OPTION_BIT(OPT_DRY_RUN) | OPTION_BIT(OPT_WITH_RECOVERY),
	0, 1, 1, cmd_restore},
    {"verify-page", "[URL]", "is the phone's page the one that was released?",
	CONFIG | JSON | OPTION_BIT(OPT_LIST), 0, 0, 1, cmd_verify_page},
    {"agent", "", "serve one user's call (started by countersign.socket)",
	CONFIG, 0, 0, 0, cmd_agent},
};

/* A user's call of what the agent does for users goes to the agent. */
static enum out_status
run(const struct command *cmd, struct args *args, char **argv)
{
	enum out_status status;

	if (geteuid() != 0 && caller_has_command(cmd->name) &&
	    !args_flag(args, OPT_CONFIG))
		return agent_call(argv);
	status = caller_check(cmd, args);
	return status == STATUS_YES ? cmd->run(args) : status;
}

const struct program countersign_program = {
    .name = "countersign",
    .summary = "A login or a sudo becomes a question on its owner's phone.",
    .options = options,
    .n_options = OPT_COUNT,
    .commands = commands,
    .n_commands = sizeof commands / sizeof commands[0],
    .lists = OPTION_BIT(OPT_DETAIL) | OPTION_BIT(OPT_CHOICE) |
	     OPTION_BIT(OPT_FILE) | OPTION_BIT(OPT_EVIDENCE),
    .run = run,
};

int
main(int argc, char **argv)
{
	return program_run(&countersign_program, argc, argv);
}
