# SPDX-License-Identifier: BSD-2-Clause
"""What holds for every file: licence line, layout, spelling, shell."""
import os
import re

from sources import SHELL, TOP, files, output, relative, sources, tool


def test_licence_line_comes_first():
    wrong = []
    for path in sources():
        head = path.read_text(errors="replace").splitlines()[:3]
        if not any("SPDX-License-Identifier: BSD-2-Clause" in line
                   for line in head):
            wrong.append(relative(path))
    assert wrong == []


def test_no_unfinished_work():
    words = re.compile(r"\b(%s)\b" % "|".join(
        ("TO" "DO", "FIX" "ME", "X" "XX", "HA" "CK")))
    wrong = []
    for path in files():
        text = path.read_text(errors="replace")
        wrong += [f"{relative(path)}:{number}: {line.strip()}"
                  for number, line in enumerate(text.splitlines(), 1)
                  if words.search(line)]
    assert wrong == []


def test_text_files_end_in_one_newline_and_no_blanks():
    wrong = []
    for path in sources():
        text = path.read_text(errors="replace")
        if text and (not text.endswith("\n") or text.endswith("\n\n")):
            wrong.append(f"{relative(path)}: end of file")
        wrong += [f"{relative(path)}:{number}: blanks at the end"
                  for number, line in enumerate(text.splitlines(), 1)
                  if line != line.rstrip()]
    assert wrong == []


def test_c_files_are_formatted():
    names = sources(".c", ".h")
    output(tool("clang-format-14"), "--dry-run", "-Werror", *names)


def test_python_files_compile():
    for path in sources(".py"):
        compile(path.read_text(), str(path), "exec")


def test_shell_files_pass_shellcheck():
    names = sources(".sh") + [TOP / name for name in SHELL
                              if (TOP / name).exists()]
    output(tool("shellcheck"), "-x", *names)
    output(tool("shellcheck"), "-s", "bash", *sources(".bash"))


def test_spelling():
    names = [path for path in files()
             if path.suffix not in (".json", ".pem", ".png")]
    # Not words: what stands behind a backslash, and names in mixed case.
    output(tool("codespell"), "--ignore-regex",
           r"\\[abfnrtv]\w*|\b\w*[a-z][A-Z]\w*", "--ignore-words-list",
           "ser,te,fo,ot,nd,inout,ue,hel,ans,ba,als,creat,doas", *names)


def test_scripts_are_executable():
    wrong = [name for name in SHELL if (TOP / name).exists() and
             not os.access(TOP / name, os.X_OK)]
    assert wrong == []
