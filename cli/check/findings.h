/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Everything that "countersign check" can find.  The words are a contract with
 * scripts and with countersign(1), which explains each of them.
 */
#ifndef CLI_CHECK_FINDINGS_H
#define CLI_CHECK_FINDINGS_H

/* clang-format off */
/* X(NAME, "id", group, severity, what to do) */
#define CHECK_CONFIG_FINDINGS(X)                                               \
	X(CONFIG, "config", CONFIG, ERROR,                                     \
	    "correct it; \"countersign check-config\" names every mistake")    \
	X(CONFIG_MISSING, "config-missing", CONFIG, ERROR,                     \
	    "countersign init --service URL")                                  \
	X(CONFIG_WEAK, "config-weak", CONFIG, NOTE,                            \
	    "nothing, if it is meant; see countersign.conf(5)")                \
	X(PUSH_TAP, "push-tap", CONFIG, NOTE,                                  \
	    "nothing, if it is meant; push_confirm = code is safer")                                                          \
	X(PUSH_UNPROVEN, "push-unproven", CONFIG, NOTE,                        \
	    "nothing, if it is meant; push_without_first_factor = no")         \
	X(PRESENT_NONE, "present-none", CONFIG, ERROR,                         \
	    "present = auto; or, if a tap is to do, push = yes and "           \
	    "push_confirm = tap")                                              \
	X(CONFIG_GROUP, "config-group", CONFIG, WARNING,                       \
	    "create the group, or take its name out of the list")              \
	X(ACCESS_KEY, "access-key", CONFIG, ERROR,                             \
	    "chmod 600 and chown root the file, or put the key there that "    \
	    "\"countersignd host add\" printed")                               \
	X(AGENT_SOCKET, "agent-socket", CONFIG, WARNING,                       \
	    "systemctl enable --now countersign.socket")

#define CHECK_FILE_FINDINGS(X)                                                 \
	X(STORE, "store", FILES, ERROR,                                        \
	    "mount its file system, or restore it from a backup")              \
	X(STORE_SPACE, "store-space", FILES, ERROR,                            \
	    "make room, or mount it for writing")                              \
	X(STORE_LOW, "store-low", FILES, WARNING, "make room")                 \
	X(AUDIT_FILE, "audit-file", FILES, ERROR,                              \
	    "make the folder root's, mode 0750, and the file root's, 0640")    \
	X(AUDIT_LOG, "audit-log", FILES, ERROR,                                \
	    "start the system's log, or set audit_file")                      \
	X(EVIDENCE, "evidence", FILES, ERROR,                                  \
	    "make the folder root's, mode 0750, and the file root's, 0600")    \
	X(AUDIT_ROTATION, "audit-rotation", FILES, NOTE,                       \
	    "install the logrotate file that comes with countersign")          \
	X(AUDIT_SIZE, "audit-size", FILES, WARNING,                            \
	    "rotate it: logrotate -f /etc/logrotate.d/countersign")            \
	X(AUDIT_RECORD, "audit-record", FILES, WARNING,                        \
	    "look who else writes this file")                                  \
	X(COURIER, "courier", FILES, ERROR,                                    \
	    "install countersign anew, or correct \"courier\"")                \
	X(COURIER_USER, "courier-user", FILES, ERROR,                          \
	    "systemd-sysusers, or: useradd -r -s /usr/sbin/nologin "           \
	    "countersign")                                                     \
	X(SELINUX, "selinux", FILES, NOTE,                                     \
	    "after a try: ausearch -m avc -c courier")                         \
	X(APPARMOR, "apparmor", FILES, NOTE,                                   \
	    "after a try: journalctl -k -g apparmor=.DENIED")                  \
	X(SANDBOX, "sandbox", FILES, NOTE,                                     \
	    "Linux 6.7 or newer, with landlock in its lsm= if it has one")

#define CHECK_MODULE_FINDINGS(X)                                               \
	X(MODULE_MISSING, "module-missing", PAM, ERROR,                        \
	    "install it there, or take the line out of the stack")             \
	X(MODULE_UNSAFE, "module-unsafe", PAM, ERROR,                          \
	    "chown root and chmod 644 it; look who changed it")                \
	X(MODULE_LOAD, "module-load", PAM, ERROR,                              \
	    "install countersign anew, then: ldconfig")

#define CHECK_PAM_FINDINGS(X)                                                  \
	X(PAM_NONE, "pam-none", PAM, WARNING,                                  \
	    "countersign pam enable sudo --dry-run")                           \
	X(PAM_UNUSABLE, "pam-unusable", PAM, ERROR, "correct the file")        \
	X(PAM_SYNTAX, "pam-syntax", PAM, WARNING, "correct the line")          \
	X(PAM_WRITABLE, "pam-writable", PAM, ERROR,                            \
	    "chown root and chmod 644 it; look who changed it")                \
	X(PAM_NEVER, "pam-never", PAM, ERROR,                                  \
	    "take out what always denies; \"countersign pam show\" helps")     \
	X(PAM_OVERRULED, "pam-overruled", PAM, ERROR,                          \
	    "use the control \"required\" or \"requisite\"")                   \
	X(PAM_MISSING_PASSES, "pam-missing-passes", PAM, ERROR,                \
	    "remove the \"-\" in front of \"auth\"")                           \
	X(PAM_AROUND, "pam-around", PAM, ERROR,                                \
	    "let \"required\" or \"requisite\" take the place of its control") \
	X(PAM_OPEN, "pam-open", PAM, ERROR,                                    \
	    "let a module that proves something decide")                       \
	X(PAM_EXEMPT, "pam-exempt", PAM, NOTE,                                 \
	    "nothing, if it is meant; exempt_groups leaves a trace, too")      \
	X(PAM_IGNORED_OPEN, "pam-ignored-open", PAM, ERROR,                    \
	    "put a module that proves something into the stack")               \
	X(PAM_IGNORED_CLOSED, "pam-ignored-closed", PAM, WARNING,              \
	    "put a module that decides about them into the stack")             \
	X(PAM_FIRST_FACTOR, "pam-first-factor", PAM, ERROR,                    \
	    "remove after_first_factor, or put the first factor before it")    \
	X(PAM_EARLY, "pam-early", PAM, NOTE,                                   \
	    "put the line behind the first factor's")                          \
	X(PAM_ALONE, "pam-alone", PAM, NOTE,                                   \
	    "nothing, if it is meant; else put a first factor before it")      \
	X(PAM_P256, "pam-p256", PAM, WARNING,                                  \
	    "device_kinds = webauthn for this service, or a first factor")     \
	X(PAM_TYPE, "pam-type", PAM, ERROR,                                    \
	    "remove the line: the module is for auth alone")                   \
	X(PAM_TWICE, "pam-twice", PAM, WARNING, "remove one of the lines")     \
	X(PAM_OPTION, "pam-option", PAM, ERROR,                                \
	    "correct the line; pam_countersign(8) lists the options")          \
	X(PAM_CONFIG, "pam-config", PAM, ERROR,                                \
	    "correct the file, or the option on the line")                     \
	X(PAM_OTHER, "pam-other", PAM, WARNING,                                \
	    "leave \"other\" to pam_deny.so")                                  \
	X(PAM_UNATTENDED, "pam-unattended", PAM, WARNING,                      \
	    "take the module out of this service's stack")                     \
	X(PAM_DIALOG, "pam-dialog", PAM, NOTE,                                 \
	    "try it, with another session open")                               \
	X(PAM_SIBLING, "pam-sibling", PAM, ERROR,                              \
	    "countersign pam enable the other service, too")                   \
	X(PAM_SU_ROOT, "pam-su-root", PAM, WARNING,                            \
	    "first line: auth sufficient pam_rootok.so")                       \
	X(PAM_COMPLEX, "pam-complex", PAM, NOTE, "look at it yourself")        \
	X(OTHER_WAY, "other-way", PAM, NOTE,                                   \
	    "nothing, if it is meant")

#define CHECK_SSHD_FINDINGS(X)                                                 \
	X(SSHD_TEST, "sshd-test", SSHD, ERROR,                                 \
	    "correct it before sshd starts again: sshd -t")                    \
	X(SSHD_IDLE, "sshd-idle", SSHD, NOTE,                                  \
	    "run countersign check again when sshd runs")                      \
	X(SSHD_USEPAM, "sshd-usepam", SSHD, ERROR, "UsePAM yes")               \
	X(SSHD_KBDINT, "sshd-kbdint", SSHD, ERROR,                             \
	    "KbdInteractiveAuthentication yes")                                \
	X(SSHD_METHODS, "sshd-methods", SSHD, ERROR,                           \
	    "AuthenticationMethods publickey,keyboard-interactive")            \
	X(SSHD_PASSWORD, "sshd-password", SSHD, WARNING,                       \
	    "PasswordAuthentication no")                                       \
	X(SSHD_ALONE, "sshd-alone", SSHD, WARNING,                             \
	    "AuthenticationMethods publickey,keyboard-interactive")            \
	X(SSHD_USER_ALONE, "sshd-user-alone", SSHD, NOTE,                      \
	    "nothing, if it is meant: a key that needs no phone")              \
	X(SSHD_GRACE, "sshd-grace", SSHD, ERROR,                               \
	    "a longer LoginGraceTime, or a shorter lifetime")                  \
	X(SSHD_GRACE_SHORT, "sshd-grace-short", SSHD, WARNING,                 \
	    "a longer LoginGraceTime, or a shorter lifetime")                  \
	X(SSHD_TRIES, "sshd-tries", SSHD, WARNING, "MaxAuthTries 6")           \
	X(SSHD_STARTUPS, "sshd-startups", SSHD, NOTE,                          \
	    "MaxStartups with a larger first number")                          \
	X(SSHD_ROOT, "sshd-root", SSHD, WARNING,                               \
	    "\"Match User root\" with AuthenticationMethods publickey, or "    \
	    "PermitRootLogin yes")                                             \
	X(SSHD_INCLUDE, "sshd-include", SSHD, WARNING,                         \
	    "Include /etc/ssh/sshd_config.d/*.conf as the first line")         \
	X(SSHD_PRESENT, "sshd-present", SSHD, WARNING,                         \
	    "present = auto, or prompt, in [sshd]")

#define CHECK_SUDO_FINDINGS(X)                                                 \
	X(SUDO_TIMESTAMP, "sudo-timestamp", SUDO, WARNING,                     \
	    "say in [sudo] of countersign.conf what sudoers says")             \
	X(SUDO_NOPASSWD, "sudo-nopasswd", SUDO, WARNING,                       \
	    "remove it, if the phone is to be asked")                          \
	X(SUDO_TARGET, "sudo-target", SUDO, WARNING,                           \
	    "remove it, if the caller's phone is to be asked")                 \
	X(SUDO_SERVICE, "sudo-service", SUDO, ERROR,                           \
	    "countersign pam enable that service")                             \
	X(SUDO_UNREAD, "sudo-unread", SUDO, WARNING, "visudo -c")

#define CHECK_ACCOUNT_FINDINGS(X)                                              \
	X(ACCOUNT_GONE, "account-gone", ACCOUNTS, WARNING,                     \
	    "countersign deenroll, with the name that stands there")           \
	X(ACCOUNT_FILES, "account-files", ACCOUNTS, ERROR,                     \
	    "restore it from a backup, or: countersign deenroll that name")    \
	X(ADMIN_UNENROLLED, "admin-unenrolled", ACCOUNTS, ERROR,               \
	    "countersign enroll that name")                                    \
	X(USER_UNENROLLED, "user-unenrolled", ACCOUNTS, WARNING,               \
	    "countersign enroll each of them")                                 \
	X(SINGLE_DEVICE, "single-device", ACCOUNTS, WARNING,                   \
	    "countersign recovery that name, or enrol a second device")        \
	X(CODES_LOW, "codes-low", ACCOUNTS, WARNING,                           \
	    "countersign recovery that name")                                  \
	X(PUSH_QUIET, "push-quiet", ACCOUNTS, NOTE,                            \
	    "ask its owner; a scanned QR code that is approved ends it")       \
	X(DEVICE_UNUSED, "device-unused", ACCOUNTS, NOTE,                      \
	    "countersign test that name")                                      \
	X(DEVICE_REFUSED, "device-refused", ACCOUNTS, WARNING,                 \
	    "revoke it, or let device_kinds and device_bound accept it")       \
	X(DEVICES_REFUSED, "devices-refused", ACCOUNTS, ERROR,                 \
	    "enrol a device that is accepted")                                 \
	X(DEVICE_ORIGIN, "device-origin", ACCOUNTS, WARNING,                   \
	    "enrol the phone again, or set page_url back")                     \
	X(UID_ZERO, "uid-zero", ACCOUNTS, WARNING,                             \
	    "remove the account: it shares root's devices")

#define CHECK_LIVE_FINDINGS(X)                                                 \
	X(NO_BREAK_GLASS, "no-break-glass", RECOVERY, ERROR,                   \
	    "one of: a password for root and a login stack without the "       \
	    "phone; a key for root in a Match block of its own; \"countersign" \
	    " recovery\" for an administrator")                                \
	X(SERVICE, "service", SERVICE, ERROR,                                  \
	    "see that it runs, and that this host reaches it")                 \
	X(SERVICE_KEY, "service-key", SERVICE, ERROR,                          \
	    "\"countersignd host add\" there makes a new key")                 \
	X(CERTIFICATE, "certificate", SERVICE, WARNING,                        \
	    "renew it, and see why that did not happen by itself")             \
	X(CLOCK, "clock", CLOCK, WARNING,                                      \
	    "synchronise the clock: timedatectl set-ntp true")                 \
	X(CLOCK_FREE, "clock-free", CLOCK, NOTE,                               \
	    "synchronise the clock: timedatectl set-ntp true")                 \
	X(PAGE, "page", PAGE, ERROR,                                           \
	    "update both to one release; if that is so, ask the operator")     \
	X(PAGE_UNREAD, "page-unread", PAGE, WARNING,                           \
	    "countersign verify-page says more")                               \
	X(UNREAD, "unread", GENERAL, WARNING,                                  \
	    "look at it yourself")                                             \
	X(TREE, "tree", GENERAL, NOTE,                                         \
	    "run countersign check on the host itself, too")

#define CHECK_FINDINGS(X)                                                      \
	CHECK_CONFIG_FINDINGS(X)                                               \
	CHECK_FILE_FINDINGS(X)                                                 \
	CHECK_MODULE_FINDINGS(X)                                               \
	CHECK_PAM_FINDINGS(X)                                                  \
	CHECK_SSHD_FINDINGS(X)                                                 \
	CHECK_SUDO_FINDINGS(X)                                                 \
	CHECK_ACCOUNT_FINDINGS(X)                                              \
	CHECK_LIVE_FINDINGS(X)
/* clang-format on */

enum check_id {
#define CHECK_FINDING_ENUM(name, id, group, severity, remedy) FIND_##name,
	CHECK_FINDINGS(CHECK_FINDING_ENUM)
#undef CHECK_FINDING_ENUM
};

#endif
