#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Runs pytest on the files given and speaks TAP, one line a test case."""
import os
import signal
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True
# A shell without job control starts background commands with these ignored,
# and nohup(1) with SIGHUP: it would be ignored in every program under test.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGQUIT, signal.SIG_DFL)
signal.signal(signal.SIGHUP, signal.SIG_DFL)
try:
    import pytest
except ImportError:
    if os.environ.get("CI"):
        sys.exit("python3-pytest is missing")
    print("1..0 # SKIP python3-pytest is missing")
    sys.exit(0)


class Tap:
    """Counts cases; a failure's text goes behind its line as a comment."""

    def __init__(self):
        self.n = 0

    @staticmethod
    def pytest_addoption(parser):
        # The terminal plugin's, which the text of a failed assert asks for.
        parser.addoption("--verbose", type=int, default=0)

    def line(self, ok, report, note=""):
        self.n += 1
        name = report.nodeid.split("::", 1)[-1].replace("#", "")
        print(f"{'ok' if ok else 'not ok'} {self.n} - {name}{note}",
              flush=True)

    def pytest_runtest_logreport(self, report):
        if report.skipped:
            # In CI nothing may be missing; with sanitizers some things
            # cannot be, such as set-id programs.
            missing = bool(os.environ.get("CI")) and \
                "sanitizers" not in report.longrepr[2]
            self.line(not missing, report,
                      f" # SKIP {report.longrepr[2]}" if not missing else "")
        elif report.failed:
            self.line(False, report)
            for text in report.longreprtext.splitlines():
                print(f"# {text}", flush=True)
        elif report.when == "call":
            self.line(True, report)

    def pytest_collectreport(self, report):
        if report.failed:
            self.line(False, report)
            print("# " + report.longreprtext.replace("\n", "\n# "))

    def pytest_sessionfinish(self):
        print(f"1..{self.n}", flush=True)


if __name__ == "__main__":
    status = pytest.main(["-p", "no:terminal", "-p", "no:cacheprovider",
                          *sys.argv[1:]], plugins=[Tap()])
    # The lines say what failed; only a broken run is an error of its own.
    sys.exit(0 if status in (0, 1, 5) else int(status))
