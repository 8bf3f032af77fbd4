#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""The table at the end of make check-attack: summary.py FIGURES TEST...

Each test of tests/attack/ leaves a file FIGURES/NAME of lines "key=value":
what was tried, how many cases, and what must stay 0: grants that should not be,
crashes, leaks, and anything else that is wrong.  A test without figures, or with
a count that is not 0, is a failure.
"""
import os
import sys
import textwrap

MUST_BE_ZERO = ("grants", "crashes", "leaks", "wrong")
COUNTS = ("cases",) + MUST_BE_ZERO
NAME, NUMBER, WIDTH = 17, 9, 78


def read(path):
    with open(path, encoding="utf-8") as lines:
        figures = dict(line.rstrip("\n").split("=", 1) for line in lines)
    for key in COUNTS:
        figures[key] = int(figures[key])
    return figures


def row(name, numbers):
    return f"{name:<{NAME}}" + "".join(f"{n:>{NUMBER}}" for n in numbers)


def explained(text):
    """What was tried and what was measured, a line a part."""
    for part in text.split("; "):
        yield from textwrap.wrap(part, WIDTH, initial_indent="  ",
                                 subsequent_indent="    ")


def main(folder, tests):
    bad, total = [], dict.fromkeys(COUNTS, 0)
    print(row("", COUNTS))
    for test in tests:
        name = os.path.splitext(os.path.basename(test))[0]
        try:
            figures = read(os.path.join(folder, name))
        except (OSError, ValueError, KeyError) as error:
            bad.append(f"{name}: no figures: {error!r}")
            continue
        print(row(name, [figures[key] for key in COUNTS]))
        for line in explained(f"{figures['what']}; {figures.get('note', '')}"):
            print(line)
        if figures["cases"] == 0:
            bad.append(f"{name}: nothing was tried")
        for key in COUNTS:
            total[key] += figures[key]
    print(row("all", [total[key] for key in COUNTS]))
    bad += [f"{total[key]} {key}" for key in MUST_BE_ZERO if total[key]]
    for line in bad:
        print(f"FAILED: {line}")
    return 1 if bad or not tests else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
