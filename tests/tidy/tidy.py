#!/usr/bin/env python3
"""Checks on the code itself: the arrows between layers, words that do not belong, sizes. Run by ./dev lint.

Prints one line a fault, FILE:LINE: WHAT, and exits 1 if there is any. Sizes are only told, never a fault.
"""
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import arrows  # noqa: E402

SOURCE = (".cpp", ".hpp")
TEXT = SOURCE + (".py", ".md", ".txt", ".cmake", ".json", ".toml", ".sh", ".yml")
LONG_FILE = 600

# Written in two halves, so that this file does not find itself.
PROMISE = re.compile(r"\b(TO" r"DO|FIX" r"ME|XX" r"X|HA" r"CK)\b")
MACHINE = re.compile(r"(?:^|[^A-Za-z0-9_.$}/-])/(?:wo" r"rk|fa" r"rm|ro" r"ot|ho" r"me)/[A-Za-z.]")
# Asking the kernel again, with a short pause and the reason beside it, is no sleeping test.
ASKED_AGAIN = re.compile(r"time\.sleep\(0\.0[0-9]+\)\s+# \S")
SLEEP = re.compile(r"\bsleep_(?:for|until)\s*\(|\bu?sleep\s*\(\s*[0-9]|\btime\.sleep\s*\(")


def tracked(root):
    """Every file of the tree that git would take, as paths relative to `root`; all files where there is no git."""
    done = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=root, capture_output=True, text=True)
    if done.returncode == 0:
        return sorted(p for p in done.stdout.splitlines() if os.path.isfile(os.path.join(root, p)))
    found = []
    for folder, names, files in os.walk(root):
        names[:] = [n for n in names if n not in ("build", ".git", "__pycache__")]
        found += [os.path.relpath(os.path.join(folder, f), root) for f in files]
    return sorted(found)


def faults_in(path, text):
    """Yields (line number, what is wrong)."""
    yield from arrows.faults_in(path, text)
    in_tests = arrows.is_test(path)
    for number, line in enumerate(text.splitlines(), 1):
        if PROMISE.search(line):
            yield number, "a promise of later work: do it, or say it in an issue"
        if MACHINE.search(line):
            yield number, "a path of one machine"
        if in_tests and SLEEP.search(line) and not ASKED_AGAIN.search(line):
            yield number, "a test that sleeps: await the event, or move the clock"
    # Where a source opens with its own header, that one says it.
    own = f'#include "{"/".join(path.split("/")[2:])[:-4]}.hpp"'
    if path.startswith("src/") and path.endswith(SOURCE) and not in_tests and not text.startswith(("//", own)):
        yield 1, "a file opens with 2-4 lines that say why it exists"
    if path.startswith("src/") and path.endswith(".hpp") and "#pragma once" not in text:
        yield 1, "a header without #pragma once"


def main(root):
    faults = 0
    for path in tracked(root):
        if not path.endswith(TEXT) and path not in ("dev", ".ci/run"):
            continue
        with open(os.path.join(root, path), encoding="utf-8") as file:
            text = file.read()
        for number, what in faults_in(path, text):
            print(f"{path}:{number}: {what}")
            faults += 1
        lines = text.count("\n")
        if path.endswith(SOURCE) and lines > LONG_FILE:
            print(f"{path}: note: {lines} lines; is it still one concept?")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))))
