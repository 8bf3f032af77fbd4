# SPDX-License-Identifier: BSD-2-Clause
"""Calls that are not used, room by room, and state that is not kept."""
import re

import pytest
from sources import TOP, code, relative, sources

# Unbounded, locale-dependent, racy or predictable: nowhere in the product.
EVERYWHERE = """strcpy strcat sprintf vsprintf strncpy strncat strtok gets
    scanf sscanf fscanf vsscanf atoi atol atoll atof system popen mktemp tmpnam tempnam tmpfile rand srand random
    access alloca getpwnam getpwuid getgrnam getgrgid localtime gmtime ctime
    asctime strerror execlp execvp execvpe posix_spawnp strdupa"""
# Inside a process that belongs to somebody else.
GUEST = """getenv secure_getenv setenv putenv unsetenv clearenv signal exit
    abort assert alarm setlocale umask chdir fchdir sleep usleep nanosleep
    vfork fork err errx warn warnx printf vprintf fprintf vfprintf puts fputs
    putchar fputc perror pthread_create pthread_atfork atexit dlopen"""
# Where one of them is meant, and why.
MEANT = {
    "lib/spawn.c": "alarm umask chdir",  # in the child that becomes courier
    "lib/audit_syslog.c": "socket",  # AF_UNIX alone: the host's own log
    "lib/file.c": "nanosleep",  # between tries for a lock, 2 s in all
    "pam/cmdline.c": "open",  # /proc/self/cmdline
}
LIBRARY = """fopen fdopen freopen fwrite syslog vsyslog openlog pam_syslog
    pam_get_item pam_get_user pam_get_data pam_prompt socket connect bind
    listen accept getaddrinfo gethostbyname"""
MODULE = """fopen fdopen freopen open openat socket connect socketpair
    execve waitpid syslog openlog system"""
# In one file each; the module sees nothing of the library's inside.
ONLY_IN = {
    "explicit_bzero": ("lib/secret.c", "pam/conv.c", "pam/present.c",
                       "cli/tty.c"),
    "OPENSSL_cleanse": ("lib/secret.c",),
    "CRYPTO_memcmp": ("lib/secret.c",),
    "getrandom": ("lib/secret.c",),
}


def room(path):
    name = relative(path)
    for prefix in ("lib/courier/", "lib/", "pam/", "cli/", "service/"):
        if name.startswith(prefix):
            return prefix
    return None


def calls(path, names):
    """file:line of each call of one of these functions."""
    wanted = re.compile(r"(?<![\w.>])(%s)\s*\(" % "|".join(names.split()))
    text = code(path.read_text(), strings=False)
    return [f"{relative(path)}:{number}: {match.group(1)}"
            for number, line in enumerate(text.splitlines(), 1)
            for match in wanted.finditer(line)]


def product():
    return [path for path in sources(".c", ".h") if room(path)]


def found(names, *rooms):
    return [hit for path in product() if not rooms or room(path) in rooms
            for hit in calls(path, names)
            if hit.split(": ")[1] not in MEANT.get(relative(path), "").split()]


def test_calls_that_are_used_nowhere():
    assert found(EVERYWHERE) == []


def test_calls_that_change_or_ask_the_process_we_are_a_guest_in():
    assert found(GUEST, "lib/", "pam/") == []


def test_environment_is_read_nowhere_on_the_host():
    assert found("getenv secure_getenv setenv putenv", "lib/", "lib/courier/",
                 "pam/") == []


def test_library_neither_prints_nor_speaks_pam_or_network():
    assert found(LIBRARY, "lib/") == []
    wrong = [relative(path) for path in product() if room(path) in
             ("lib/", "lib/courier/") and re.search(
                 r"#include\s*<(security/|syslog|netdb|pthread)",
                 path.read_text())]
    assert wrong == []


def test_the_one_socket_of_the_library_leads_nowhere_else():
    text = (TOP / "lib/audit_syslog.c").read_text()
    assert re.findall(r"\bsocket\(([^,]*),", text) == ["AF_UNIX"]


def test_module_leaves_files_network_and_processes_to_the_library():
    assert found(MODULE, "pam/") == []


def test_only_the_courier_and_the_service_know_curl():
    wrong = [relative(path) for path in product()
             if "curl/curl.h" in path.read_text() and
             not relative(path).startswith(
                 ("lib/courier/", "service/", "cli/phone/"))]
    assert wrong == []


@pytest.mark.parametrize("name", sorted(ONLY_IN))
def test_called_in_one_place_only(name):
    wrong = [hit for hit in found(name)
             if hit.split(":")[0] not in ONLY_IN[name]]
    assert wrong == []


def test_numbers_are_parsed_to_their_end():
    bare = re.compile(r"\bstrtou?l{1,2}\s*\([^;]*,\s*NULL\s*,")
    wrong = [relative(path) for path in product()
             if bare.search(code(path.read_text()))]
    assert wrong == []


def test_no_copies_of_secrets_are_left_behind():
    """Where secrets are, nothing is wiped by memset or moved by realloc."""
    names = re.compile(r"^(lib/(secret|buf|seal|link|crypto|p256\w*|exchange|"
                       r"approval)\.c|pam/conv\.c)$")
    wrong = [hit for hit in found("memset bzero realloc reallocarray")
             if names.match(hit.split(":")[0])]
    assert wrong == []
