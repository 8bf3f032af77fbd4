#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Whatever the library and the module call can be made to fail, or cannot fail.

faults.wrap names the calls that tests/attack makes fail.  A call of lib/ or
pam/ that is neither there nor below, with its reason, is a fault that nobody
has tried.
"""
import os
import re
import subprocess

import pytest

TOP, BUILD = os.environ["top_srcdir"], os.environ["top_builddir"]

CANNOT_FAIL = {
    "bytes and strings in memory": """
        memchr memcmp memcpy memmem memmove memset stpcpy strchr strchrnul
        strcmp strcspn strlen strncmp strnlen strpbrk strrchr strspn strstr
        strcasecmp strncasecmp explicit_bzero CRYPTO_memcmp BN_cmp BN_is_zero
        BN_set_flags qsort inet_ntop inet_pton snprintf vsnprintf""",
    "free": """
        free closedir munmap QRcode_free json_object_put json_tokener_free
        CRYPTO_free CRYPTO_clear_free BIO_free BN_clear_free EC_GROUP_free
        EC_POINT_free EVP_CIPHER_CTX_free EVP_CIPHER_free EVP_KDF_CTX_free
        EVP_KDF_free EVP_MD_CTX_free EVP_MD_free EVP_PKEY_CTX_free
        EVP_PKEY_free OPENSSL_INIT_free OSSL_LIB_CTX_free OSSL_PARAM_BLD_free
        OSSL_PARAM_free OSSL_PROVIDER_unload PKCS8_PRIV_KEY_INFO_free
        X509_ALGOR_free X509_SIG_free""",
    "say what the process or the object has": """
        geteuid getegid getuid getgid getpid nl_langinfo strerrordesc_np umask
        EC_GROUP_get0_order BIO_s_mem BIO_s_secmem ERR_set_mark
        ERR_pop_to_mark ERR_clear_last_mark OSSL_PARAM_construct_end
        OPENSSL_info X509_get_default_cert_area
        OSSL_PARAM_construct_octet_string OSSL_PARAM_construct_utf8_string
        json_object_array_get_idx json_object_array_length
        json_object_get_int64 json_object_get_object json_object_get_string
        json_object_get_string_len json_object_get_boolean
        json_object_is_type json_object_get_type json_object_object_get
        json_object_object_get_ex json_object_object_length
        json_tokener_get_parse_end json_tokener_set_flags
        json_tokener_get_error""",
    "sets of signals, made right; what is asked of a signal that is one": """
        sigaddset sigemptyset sigfillset sigismember sigaction sigprocmask""",
    "end the process, or start a timer": "_exit alarm",
    "the compiler's, the linker's, glibc's own": """
        __errno_location __stack_chk_fail __ctype_b_loc _GLOBAL_OFFSET_TABLE_
        __tls_get_addr""",
    "libpam, played by tests/attack/pam_double.c, which fails them": """
        pam_get_data pam_get_item pam_get_user pam_getenv pam_set_data""",
    "best effort: nothing depends on what they say": """
        pam_fail_delay pam_syslog pam_modutil_getpwnam OPENSSL_init_crypto""",
}
SANITIZERS = re.compile(r"__(asan|ubsan|lsan|tsan|sanitizer|gcov|llvm|afl)_?")


def objects(room):
    out = []
    for folder, folders, files in os.walk(f"{BUILD}/{room}"):
        folders[:] = [f for f in folders if f not in ("courier", "phone")]
        out += [f"{folder}/{f}" for f in files
                if f.endswith(".o") and os.path.basename(folder) == ".libs"]
    return out


def symbols(files, flag):
    out = subprocess.run(["nm", flag, *files], check=True,
                         capture_output=True, text=True).stdout
    return {line.split()[-1].split("@")[0] for line in out.splitlines()
            if line and not line.endswith(":")}


def plain(name):
    """__asprintf_chk, __open_2 are asprintf and open, with a check."""
    return re.sub(r"^__(\w+?)(_chk|_2|64_2)$", r"\1", name)


def wrapped():
    with open(f"{TOP}/tests/attack/faults.wrap", encoding="utf-8") as lines:
        return {line.strip().removeprefix("--wrap=") for line in lines}


def in_sources():
    text = ""
    for part in ("faults", "faults_host", "faults_library", "faults_system"):
        with open(f"{TOP}/tests/attack/{part}.c", encoding="utf-8") as source:
            text += source.read()
    macros = re.findall(
        r"^(?:MEMORY|SYS|SSL|SSL_NEW|READ|WRAP)\(([^()]*?),?\s*\(", text,
        re.M)
    return {m.split(",")[-1].strip() for m in macros} | set(
        re.findall(r"^__wrap_(\w+)\(", text, re.M))


@pytest.mark.parametrize("room", ["lib", "pam"])
def test_every_call_can_fail_or_cannot(room):
    files = objects("lib") + objects("pam")
    if not files:
        pytest.skip("there are no shared objects here")
    ours = symbols(files, "--defined-only")
    known = wrapped() | {name for names in CANNOT_FAIL.values()
                         for name in names.split()}
    calls = {name for name in symbols(objects(room), "--undefined-only")
             if name not in ours and not SANITIZERS.match(name)}
    assert calls
    assert {n for n in calls if n not in known and plain(n) not in known} == set()


def test_what_is_wrapped_is_in_the_list():
    assert wrapped() == in_sources()


def test_nothing_is_in_both():
    both = {name for names in CANNOT_FAIL.values() for name in names.split()}
    assert both & (wrapped() - {"free"}) == set()
