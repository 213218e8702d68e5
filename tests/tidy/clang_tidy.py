#!/usr/bin/env python3
"""Runs clang-tidy over sources, two at a time, and remembers which files it found clean.

A file is looked at again only when it, a header of ours that it includes, .clang-tidy or the program has changed, so
that ./dev lint costs seconds where nothing changed. What is remembered lies in BUILD/tidy, one empty file a result.
"""
import argparse
import concurrent.futures
import hashlib
import os
import re
import subprocess
import sys

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
INCLUDE = re.compile(r'^\s*#\s*include\s*"([^"]+)"', re.M)
ROOTS = ("src/core", "src/flow", "src/real", "src/lab", "src/app", "tests")
# Flags of g++ that clang does not know, and the precompiled headers of g++ that it cannot read.
EXTRA = ("--extra-arg=-Wno-unknown-warning-option", "--extra-arg=-Wno-ignored-optimization-argument",
         "--extra-arg=-Wno-unused-command-line-argument")


def read(path):
    with open(path, "rb") as file:
        return file.read()


def closure(path, seen):
    """The file and every header of ours that it reaches."""
    if path in seen or not os.path.isfile(path):
        return seen
    seen.add(path)
    for name in INCLUDE.findall(read(path).decode("utf-8", "replace")):
        for root in ROOTS:
            closure(os.path.join(ROOT, root, name), seen)
    return seen


def fingerprint(path, program):
    digest = hashlib.sha256(program.encode())
    digest.update(read(os.path.join(ROOT, ".clang-tidy")))
    for member in sorted(closure(path, set())):
        digest.update(member.encode() + b"\0" + read(member))
    return digest.hexdigest()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--program", required=True)
    parser.add_argument("--build", required=True, help="the folder with compile_commands.json")
    parser.add_argument("folders", nargs="+")
    options = parser.parse_args()

    version = subprocess.run([options.program, "--version"], capture_output=True, text=True, check=True).stdout
    memory = os.path.join(ROOT, options.build, "tidy")
    os.makedirs(memory, exist_ok=True)
    sources = []
    for top in options.folders:
        for folder, _, names in os.walk(os.path.join(ROOT, top)):
            sources += [os.path.join(folder, n) for n in names
                        if n.endswith(".cpp") and not re.search(r"_(test|fuzz|bench)\.cpp$", n)]
    due = [(s, mark) for s in sorted(sources)
           if not os.path.exists(mark := os.path.join(memory, fingerprint(s, version)))]

    def look(job):
        source, mark = job
        done = subprocess.run([options.program, "-p", os.path.join(ROOT, options.build), "--quiet",
                               "--warnings-as-errors=*", *EXTRA, source], capture_output=True, text=True)
        if done.returncode == 0:
            with open(mark, "wb"):
                pass
        return source, done

    failed = 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        for source, done in pool.map(look, due):
            if done.returncode != 0:
                failed += 1
                print(done.stdout.replace(ROOT + "/", "") or done.stderr)
    print(f"clang-tidy: {len(sources)} files, {len(due)} looked at, {failed} with faults")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
