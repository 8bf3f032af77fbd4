/* SPDX-License-Identifier: BSD-2-Clause */
/* What the phone shows of a command line, against what is run. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "../../pam/cmdline.h"

#define RUN CSIGN_ACTION_RUN
#define SHELL CSIGN_ACTION_SHELL
#define EDIT CSIGN_ACTION_EDIT
#define LIST CSIGN_ACTION_LIST
#define VALIDATE CSIGN_ACTION_VALIDATE
#define OTHER CSIGN_ACTION_OTHER
#define WORDS_MAX 12

struct line {
	const char *words[WORDS_MAX];
	enum csign_action action;
	const char *text, *target, *group;
	bool non_interactive;
};

/* clang-format off */
static const struct line sudo_lines[] = {
	{{"sudo", "id"}, RUN, "id", NULL, NULL, false},
	{{"/usr/bin/sudo", "-u", "bob", "id", "-u"}, RUN, "id -u", "bob", NULL, false},
	{{"sudo", "-ubob", "id"}, RUN, "id", "bob", NULL, false},
	{{"sudo", "--user=bob", "id"}, RUN, "id", "bob", NULL, false},
	{{"sudo", "--user", "bob", "id"}, RUN, "id", "bob", NULL, false},
	{{"sudo", "--us=bob", "id"}, RUN, "id", "bob", NULL, false},
	{{"sudo", "-u", "#1000", "id"}, RUN, "id", "#1000", NULL, false},
	{{"sudo", "-u", "a", "-u", "b", "id"}, RUN, "id", "b", NULL, false},
	{{"sudo", "-g", "adm", "id"}, RUN, "id", NULL, "adm", false},
	{{"sudo", "-nHu", "bob", "id"}, RUN, "id", "bob", NULL, true},
	{{"sudo", "--non-interactive", "id"}, RUN, "id", NULL, NULL, true},
	{{"sudo", "--non", "id"}, RUN, "id", NULL, NULL, true},
	{{"sudo", "id", "-n"}, RUN, "id -n", NULL, NULL, false},
	{{"sudo", "--", "-n"}, RUN, "-n", NULL, NULL, false},
	/* An option's value that looks like an option. */
	{{"sudo", "-p", "-n", "id"}, RUN, "id", NULL, NULL, false},
	{{"sudo", "-C", "3", "-T", "9", "-r", "r", "-t", "t", "id"}, RUN, "id", NULL, NULL, false},
	{{"sudo", "-E", "id"}, RUN, "id", NULL, NULL, false},
	{{"sudo", "--preserve-env", "id"}, RUN, "id", NULL, NULL, false},
	{{"sudo", "--preserve-env=A,B", "id"}, RUN, "id", NULL, NULL, false},
	/* sudo's own rule for -h. */
	{{"sudo", "-h", "web2", "id"}, RUN, "id", NULL, NULL, false},
	{{"sudo", "-hweb2", "id"}, RUN, "id", NULL, NULL, false},
	{{"sudo", "--host=web2", "id"}, RUN, "id", NULL, NULL, false},
	{{"sudo", "-h", "A=b", "id"}, RUN, "A=b id", NULL, NULL, false},
	/* Variables are part of what is run, also between options. */
	{{"sudo", "PATH=/tmp", "id"}, RUN, "PATH=/tmp id", NULL, NULL, false},
	{{"sudo", "A=b", "-u", "bob", "id"}, RUN, "A=b -u bob id", "bob", NULL, false},
	{{"sudo", "-u", "bob", "A=b", "-n", "id"}, RUN, "A=b -n id", "bob", NULL, true},
	{{"sudo", "/bin/a=b"}, RUN, "/bin/a=b", NULL, NULL, false},
	/* After "--" a word with "=" is the command, and so are its options. */
	{{"sudo", "--", "A=b", "-u", "bob"}, RUN, "A=b -u bob", NULL, NULL, false},
	/* sudo looks only at the word before: also when that was a value. */
	{{"sudo", "-p", "--", "A=b", "-u", "bob"}, RUN, "A=b -u bob", NULL, NULL, false},
	{{"sudo"}, SHELL, "", NULL, NULL, false},
	{{"sudo", "-i"}, SHELL, "", NULL, NULL, false},
	{{"sudo", "-s", "-u", "bob"}, SHELL, "", "bob", NULL, false},
	{{"sudo", "--login"}, SHELL, "", NULL, NULL, false},
	{{"sudo", "-s", "id", "x y"}, RUN, "id 'x y'", NULL, NULL, false},
	{{"sudo", "-e", "/etc/hosts"}, EDIT, "/etc/hosts", NULL, NULL, false},
	{{"sudoedit", "/etc/hosts"}, EDIT, "/etc/hosts", NULL, NULL, false},
	{{"/x/myedit", "/etc/hosts"}, EDIT, "/etc/hosts", NULL, NULL, false},
	{{"edit", "/etc/hosts"}, RUN, "/etc/hosts", NULL, NULL, false},
	{{"sudo", "-l"}, LIST, "", NULL, NULL, false},
	{{"sudo", "-l", "-U", "bob", "id"}, LIST, "id", NULL, NULL, false},
	{{"sudo", "-v"}, VALIDATE, "", NULL, NULL, false},
	/* Quoted so that nothing can hide between the words. */
	{{"sudo", "sh", "-c", "rm -rf /"}, RUN, "sh -c 'rm -rf /'", NULL, NULL, false},
	{{"sudo", "echo", "", "it's"}, RUN, "echo '' 'it'\\''s'", NULL, NULL, false},
	{{"sudo", "a\nb"}, RUN, "'a\nb'", NULL, NULL, false},
	/* Not understood: all of it is shown. */
	{{"sudo", "-Z", "id"}, OTHER, "sudo -Z id", NULL, NULL, false},
	{{"sudo", "--frobnicate", "id"}, OTHER, "sudo --frobnicate id", NULL, NULL, false},
	{{"sudo", "--log", "id"}, OTHER, "sudo --log id", NULL, NULL, false},
	{{"sudo", "--shell=x", "id"}, OTHER, "sudo --shell=x id", NULL, NULL, false},
	{{"sudo", "-n", "-u"}, OTHER, "sudo -n -u", NULL, NULL, true},
};

static const struct line doas_lines[] = {
	{{"doas", "id"}, RUN, "id", NULL, NULL, false},
	{{"/usr/bin/doas", "-u", "bob", "id", "-u"}, RUN, "id -u", "bob", NULL, false},
	{{"doas", "-nubob", "id"}, RUN, "id", "bob", NULL, true},
	{{"doas", "-u", "-s", "id"}, RUN, "id", "-s", NULL, false},
	{{"doas", "--", "-s"}, RUN, "-s", NULL, NULL, false},
	/* No variables: a word with "=" is the command. */
	{{"doas", "A=b", "id"}, RUN, "A=b id", NULL, NULL, false},
	{{"doas", "sh", "-c", "rm -rf /"}, RUN, "sh -c 'rm -rf /'", NULL, NULL, false},
	{{"doas", "-s"}, SHELL, "", NULL, NULL, false},
	{{"doas", "-su", "bob"}, SHELL, "", "bob", NULL, false},
	/* Nothing that doas would ask anybody for. */
	{{"doas", "-s", "id"}, OTHER, "doas -s id", NULL, NULL, false},
	{{"doas"}, OTHER, "doas", NULL, NULL, false},
	{{"doas", "-g", "adm", "id"}, OTHER, "doas -g adm id", NULL, NULL, false},
	{{"doas", "--user=bob", "id"}, OTHER, "doas --user=bob id", NULL, NULL, false},
	{{"doas", "-n", "-u"}, OTHER, "doas -n -u", NULL, NULL, true},
};

static const struct line su_lines[] = {
	{{"su"}, SHELL, "", NULL, NULL, false},
	{{"su", "-"}, SHELL, "", NULL, NULL, false},
	{{"su", "-", "bob"}, SHELL, "", NULL, NULL, false},
	{{"su", "-l", "bob"}, SHELL, "", NULL, NULL, false},
	{{"su", "--login", "bob"}, SHELL, "", NULL, NULL, false},
	{{"su", "-c", "id -u"}, RUN, "id -u", NULL, NULL, false},
	{{"su", "bob", "-c", "id"}, RUN, "id", NULL, NULL, false},
	{{"su", "-", "bob", "-c", "id"}, RUN, "id", NULL, NULL, false},
	{{"su", "-lc", "id", "bob"}, RUN, "id", NULL, NULL, false},
	{{"su", "--command=id", "bob"}, RUN, "id", NULL, NULL, false},
	{{"su", "--session-command", "id"}, RUN, "id", NULL, NULL, false},
	/* Anything that reaches the shell in another way: the whole line. */
	{{"su", "bob", "script"}, OTHER, "su bob script", NULL, NULL, false},
	{{"su", "bob", "--", "-c", "id"}, OTHER, "su bob -- -c id", NULL, NULL, false},
	{{"su", "-s", "/bin/x", "bob"}, OTHER, "su -s /bin/x bob", NULL, NULL, false},
	{{"su", "bob", "-c", "id", "-c", "ls"}, OTHER, "su bob -c id -c ls", NULL, NULL, false},
	{{"su", "-Z"}, OTHER, "su -Z", NULL, NULL, false},
	{{"su", "-c"}, OTHER, "su -c", NULL, NULL, false},
};
/* clang-format on */

static size_t
pack(const char *const *words, char *bytes)
{
	size_t len = 0;

	for (size_t i = 0; i < WORDS_MAX && words[i] != NULL; i++) {
		memcpy(bytes + len, words[i], strlen(words[i]) + 1);
		len += strlen(words[i]) + 1;
	}
	return len;
}

static void
same(const char *is, const char *want)
{
	if (want == NULL)
		assert_null(is);
	else
		assert_string_equal(is, want);
}

static void
check(const struct line *lines, size_t n,
    enum csign_err (*parse)(const char *, size_t, struct csign_cmdline *))
{
	char bytes[1024];

	for (size_t i = 0; i < n; i++) {
		struct csign_cmdline cmd;
		size_t len = pack(lines[i].words, bytes);

		assert_int_equal(parse(bytes, len, &cmd), CSIGN_OK);
		assert_string_equal(cmd.text, lines[i].text);
		assert_int_equal(cmd.action, lines[i].action);
		same(cmd.target, lines[i].target);
		same(cmd.group, lines[i].group);
		assert_int_equal(cmd.non_interactive, lines[i].non_interactive);
		csign_cmdline_clear(&cmd);
	}
}

static void
sudo_reads(void **state)
{
	(void)state;
	check(sudo_lines, sizeof(sudo_lines) / sizeof(sudo_lines[0]),
	    csign_cmdline_sudo);
}

static void
doas_reads(void **state)
{
	(void)state;
	check(doas_lines, sizeof(doas_lines) / sizeof(doas_lines[0]),
	    csign_cmdline_doas);
}

static void
su_reads(void **state)
{
	(void)state;
	check(
	    su_lines, sizeof(su_lines) / sizeof(su_lines[0]), csign_cmdline_su);
}

/* What the environment decides, which the phone then says. */
static void
callers_choice_is_seen(void **state)
{
	static const struct {
		enum csign_err (*parse)(
		    const char *, size_t, struct csign_cmdline *);
		const char *words[WORDS_MAX];
		bool shell, path;
	} rows[] = {
	    {csign_cmdline_sudo, {"sudo", "id"}, false, false},
	    {csign_cmdline_sudo, {"sudo", "-i"}, false, false},
	    {csign_cmdline_sudo, {"sudo", "-s"}, true, false},
	    {csign_cmdline_sudo, {"sudo", "-Hs", "id"}, true, false},
	    {csign_cmdline_sudo, {"sudo", "--shell", "id"}, true, false},
	    {csign_cmdline_sudo, {"sudo", "id", "-s"}, false, false},
	    {csign_cmdline_doas, {"doas", "-s"}, true, false},
	    {csign_cmdline_doas, {"doas", "id", "/"}, false, true},
	    {csign_cmdline_doas, {"doas", "./id"}, false, false},
	    {csign_cmdline_doas, {"doas", "/bin/id"}, false, false},
	    {csign_cmdline_su, {"su", "-c", "id"}, false, false},
	    {csign_cmdline_su, {"su", "-m"}, true, false},
	    {csign_cmdline_su, {"su", "-pc", "id"}, true, false},
	    {csign_cmdline_su, {"su", "--preserve-environment"}, true, false},
	};
	char bytes[1024];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct csign_cmdline cmd;

		assert_int_equal(
		    rows[i].parse(bytes, pack(rows[i].words, bytes), &cmd),
		    CSIGN_OK);
		assert_int_equal(cmd.callers_shell, rows[i].shell);
		assert_int_equal(cmd.callers_path, rows[i].path);
		csign_cmdline_clear(&cmd);
	}
}

static void
sudo_directories(void **state)
{
	static const char bytes[] = "sudo\0-D\0/a\0--chroot=/b\0-N\0id";
	struct csign_cmdline cmd;

	(void)state;
	assert_int_equal(
	    csign_cmdline_sudo(bytes, sizeof(bytes), &cmd), CSIGN_OK);
	assert_string_equal(cmd.chdir, "/a");
	assert_string_equal(cmd.chroot, "/b");
	assert_true(cmd.no_update);
	csign_cmdline_clear(&cmd);
	assert_null(cmd.chdir);
}

/* A process may have no arguments at all, or no last NUL. */
static void
odd_bytes(void **state)
{
	struct csign_cmdline cmd;

	(void)state;
	assert_int_equal(csign_cmdline_sudo("", 0, &cmd), CSIGN_OK);
	assert_int_equal(cmd.action, OTHER);
	csign_cmdline_clear(&cmd);
	assert_int_equal(csign_cmdline_doas("", 0, &cmd), CSIGN_OK);
	assert_int_equal(cmd.action, OTHER);
	csign_cmdline_clear(&cmd);
	assert_int_equal(csign_cmdline_su("", 0, &cmd), CSIGN_OK);
	assert_int_equal(cmd.action, OTHER);
	csign_cmdline_clear(&cmd);
	assert_int_equal(csign_cmdline_sudo("sudo\0id", 7, &cmd), CSIGN_OK);
	assert_string_equal(cmd.text, "id");
	csign_cmdline_clear(&cmd);
}

static void
own_command_line(void **state)
{
	char *args = NULL;
	size_t len = 0;

	(void)state;
	assert_int_equal(csign_cmdline_read(&args, &len), CSIGN_OK);
	assert_true(len > 1);
	assert_int_equal(args[len - 1], '\0');
	assert_non_null(strstr(args, "cmdline"));
	free(args);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(sudo_reads),
	    cmocka_unit_test(doas_reads),
	    cmocka_unit_test(su_reads),
	    cmocka_unit_test(callers_choice_is_seen),
	    cmocka_unit_test(sudo_directories),
	    cmocka_unit_test(odd_bytes),
	    cmocka_unit_test(own_command_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
