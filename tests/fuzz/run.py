# SPDX-License-Identifier: BSD-2-Clause
"""Runs fuzz targets that were built with libFuzzer, and prints TAP.

usage: run.py --seconds N --jobs N --build BUILD --source FOLDER TARGET...

What is found that is new goes to BUILD/corpus/TARGET; an input that ends a
target stays in BUILD/crashes.  Options of libFuzzer are in options.ini.
"""
import argparse
import base64
import configparser
import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

# Beyond what libFuzzer itself may take.
GRACE_S = 60
# Of an input that is shown in full, as base64.
INPUT_MAX = 4096
# Of a log: what was not so, what a sanitizer said, and where.
REASON = re.compile(
    r".*(?:not so: |ERROR: |runtime error: |SUMMARY: ).*|"
    r" *#\d+ .* (?:in )?\w+ \S*(?:lib|pam|service|cli|tests)/\S+:\d+.*")
REASON_LINES = 24


def options(source, name):
    """Flags of libFuzzer, as words."""
    parser = configparser.ConfigParser()
    parser.read(source / "options.ini")
    chosen = dict(parser[name] if name in parser else parser.defaults())
    if "dict" in chosen:
        chosen["dict"] = str(source / chosen["dict"])
    return [f"-{key}={value}" for key, value in sorted(chosen.items())]


def crashed(crashes, name, started):
    """Paths of the inputs that ended this target since then."""
    return sorted(str(path) for path in crashes.glob(f"{name}-*")
                  if path.stat().st_mtime_ns >= started)


def reasons(text, inputs):
    """What one needs who has no more than this output."""
    for line in [*filter(REASON.fullmatch, text.splitlines())][:REASON_LINES]:
        yield line.strip()
    for path in inputs:
        data = Path(path).read_bytes()
        yield f"{path}, {len(data)} bytes"
        if len(data) <= INPUT_MAX:
            yield base64.b64encode(data).decode()


def number(pattern, text):
    """The last number that matches, or 0."""
    found = re.findall(pattern, text)
    return int(found[-1]) if found else 0


def fuzz(name, args):
    """Whether it went well, and a line about it."""
    corpus = args.build / "corpus" / name
    crashes = args.build / "crashes"
    corpus.mkdir(parents=True, exist_ok=True)
    crashes.mkdir(exist_ok=True)
    log = args.build / f"{name}.log"
    command = [str(args.build / "tests/fuzz" / name), *options(
        args.source, name), f"-max_total_time={args.seconds}",
        "-print_final_stats=1", f"-artifact_prefix={crashes}/{name}-",
        str(corpus), str(args.source / "seeds" / name)]
    environment = dict(os.environ, ASAN_OPTIONS="detect_leaks=1",
                       UBSAN_OPTIONS="print_stacktrace=1")
    log.write_text("")
    started = log.stat().st_mtime_ns
    with log.open("wb") as output:
        try:
            status = subprocess.run(
                command, stdout=output, stderr=output, env=environment,
                stdin=subprocess.DEVNULL, check=False,
                timeout=args.seconds + GRACE_S).returncode
        except subprocess.TimeoutExpired:
            status = -1
    text = log.read_text(errors="replace")
    before = number(r"INITED cov: (\d+)", text)
    after = max(before, number(r"cov: (\d+)", text))
    runs = number(r"stat::number_of_executed_units:\s+(\d+)", text)
    line = (f"{name}: {runs} runs, coverage {after} "
            f"(+{after - before} beyond the seeds)")
    if status != 0:
        line += f"\n# status {status}, see {log}"
        for reason in reasons(text, crashed(crashes, name, started)):
            line += f"\n# {reason}"
    return status == 0 and runs > 0, line


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=int, required=True)
    parser.add_argument("--jobs", type=int, required=True)
    parser.add_argument("--build", type=Path, required=True)
    parser.add_argument("--source", type=Path, required=True)
    parser.add_argument("targets", nargs="+")
    args = parser.parse_args()

    print(f"1..{len(args.targets)}", flush=True)
    failed = 0
    with ThreadPoolExecutor(args.jobs) as pool:
        results = pool.map(lambda name: fuzz(name, args), args.targets)
        for count, (good, line) in enumerate(results, 1):
            failed += not good
            print(f"{'' if good else 'not '}ok {count} - {line}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
