# SPDX-License-Identifier: BSD-2-Clause
"""countersign-security(7) says how each promise is tested: so it is."""
import functools
import re

import pytest
from sources import TOP, relative, sources

PAGE = "man/countersign-security.7"
RULE = r"(?:TX|UX|SIG|USR|ST|RL|ENR|RC|PAM|SYS|NET|MEM|SVC|WEB|AUD|ENG)-\d+"
ITEM = r"[A-J]\d{1,2}"
FILE = re.compile(r"[a-z0-9]+/\w+\.(?:c|py)")


def section(name):
    text = (TOP / PAGE).read_text()
    found = re.search(rf"^\.Sh {name}\n(.*?)^\.Sh ", text, flags=re.M | re.S)
    assert found, f"{PAGE} has no section {name}"
    return found.group(1)


def entries(text, head):
    """{what .It says: the lines below it}"""
    parts = re.split(rf"^\.It {head}$", text, flags=re.M)[1:]
    keys, bodies = parts[::2], parts[1::2]
    assert len(set(keys)) == len(keys)
    return {key: re.split(r"^\.El$", body, flags=re.M)[0]
            for key, body in zip(keys, bodies)}


def rules():
    return list(entries(section("RULES"), f"({RULE})"))


def items():
    """{item: [(file, case or None)]}"""
    found = {}
    for item, body in entries(section("TESTS"), rf"(?:\\&)?({ITEM})").items():
        found[item] = tests = []
        for name, cases in re.findall(r"^\.Pa (\S+)\n?(\([^)]*\))?", body,
                                      flags=re.M):
            words = re.findall(r"\w+", cases)
            tests += [(name, word) for word in words] or [(name, None)]
    return found


def mapped():
    """{rule: [an item, or (file, case)]}"""
    found = {}
    for rule, body in entries(section("TESTS"), f"Li ({RULE})").items():
        found[rule], name = [], None
        for word in re.split(r"[\s,]+", body.strip()):
            if FILE.fullmatch(word.rstrip(":")):
                name = word.rstrip(":")
            elif re.fullmatch(ITEM, word):
                found[rule].append(word)
            else:
                assert name, f"{rule}: {word}"
                found[rule].append((name, word))
    return found


def named():
    """Every test that the page names."""
    tests = {test for of in items().values() for test in of}
    tests |= {test for of in mapped().values() for test in of
              if isinstance(test, tuple)}
    return sorted(tests, key=str)


def is_there(name, case):
    """A case is a function: pytest's, or one that its program runs."""
    text = (TOP / "tests" / name).read_text()
    if case is None:
        return True
    if name.endswith(".py"):
        return case.startswith("test_") and \
            re.search(rf"^def {case}\(", text, flags=re.M) is not None
    return re.search(rf"^{case}\(", text, flags=re.M) is not None and \
        len(re.findall(rf"\b{case}\b", text)) > 1


def makefiles():
    """
    {variable: its words} of all rooms; the lists that are run; the scripts
    that a command runs.
    """
    variables, run, scripts = {}, ["TESTS"], set()
    for file in sorted((TOP / "tests").glob("*/local.mk")):
        room = file.parent.name
        text = file.read_text().replace("\\\n", " ") \
            .replace("%D%", f"tests/{room}").replace("%C%", f"tests_{room}")
        scripts |= set(re.findall(r"\$\(PYTHON3\) \$\(srcdir\)/(\S+)",
                                  text))
        run += re.findall(r"\bTESTS='\$\((\w+)\)'", text)
        for name, words in re.findall(r"^(\w+) *\+?= *(.*)$", text, re.M):
            variables.setdefault(name, []).extend(words.split())
    return variables, run, scripts


def expanded(words, variables):
    for word in words:
        inner = re.fullmatch(r"\$\((\w+)\)", word)
        if inner:
            yield from expanded(variables.get(inner.group(1), ()), variables)
        else:
            yield word


@functools.cache
def run_files():
    """Scripts that a list of tests has, and the sources of its programs."""
    variables, run, found = makefiles()
    for test in expanded([f"$({name})" for name in run], variables):
        sources_of = re.sub(r"\W", "_", test) + "_SOURCES"
        found |= set(expanded(variables.get(sources_of, [f"{test}.c"]),
                              variables)) | {test}
    return found


def is_run(name):
    """A list of tests has it, or the program that it is part of."""
    return f"tests/{name}" in run_files()


@pytest.mark.parametrize("room", sorted(
    {name.split("/")[0] for name, _ in named()}))
def test_every_test_that_is_named_is_there(room):
    tests = [test for test in named() if test[0].startswith(room + "/")]
    assert tests
    missing = [name for name, _ in tests
               if not (TOP / "tests" / name).exists()]
    assert missing == []
    assert [test for test in tests if not is_there(*test)] == []
    assert [name for name, _ in tests if not is_run(name)] == []


def test_every_item_names_a_test():
    assert len(items()) > 80
    assert [item for item, tests in items().items() if not tests] == []


def test_every_rule_is_tested():
    known, where = rules(), mapped()
    assert len(known) > 80
    assert sorted(set(known) ^ set(where)) == []
    assert [rule for rule, tests in where.items() if not tests] == []
    wanted = {test for tests in where.values() for test in tests
              if isinstance(test, str)}
    assert sorted(wanted - set(items())) == []


def test_every_rule_that_is_cited_exists():
    known, unknown = set(rules()), []
    for path in sources():
        for number, line in enumerate(path.read_text().split("\n"), 1):
            unknown += [f"{relative(path)}:{number}: {rule}" for rule in
                        re.findall(rf"(?<![\w-]){RULE}\b", line)
                        if rule not in known]
    assert unknown == []
