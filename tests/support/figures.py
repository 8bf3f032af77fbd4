# SPDX-License-Identifier: BSD-2-Clause
"""What an attack test counted, for the table of make check-attack.

    FIGURES = Figures("load", "the service under load")

    def test_something():
        FIGURES.cases += 1
        ...

    def test_figures():          # the last one of the file
        FIGURES.write()
"""
import os
from pathlib import Path

SCALE = int(os.environ.get("ATTACK_SCALE") or 1)


class Figures:
    def __init__(self, name, what):
        self.name, self.what = name, what
        self.cases = 0
        self.grants = self.crashes = self.leaks = 0
        self.wrong = 0  # anything else that should not be: a wrong code
        self.notes = []

    def note(self, text):
        """What was measured: the table has it, a line each."""
        self.notes.append(text)

    def write(self):
        folder = Path(os.environ.get("top_builddir", "."),
                      "tests/attack/figures")
        folder.mkdir(parents=True, exist_ok=True)
        lines = [f"what={self.what}"] + [
            f"{key}={getattr(self, key)}"
            for key in ("cases", "grants", "crashes", "leaks", "wrong")]
        if self.notes:
            lines.append("note=" + "; ".join(self.notes))
        (folder / self.name).write_text("\n".join(lines) + "\n")
