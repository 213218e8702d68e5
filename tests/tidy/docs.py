#!/usr/bin/env python3
"""Checks the documents: every relative link leads to a file, every `src/...` path named in them exists, and the events are those
of the code, the keys of the contract those of its schema."""
import os
import re
import sys

import contract
import events

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")
PATH = re.compile(r"`((?:src|tests|docs|packaging)/[\w./-]+)`")


def documents():
    for folder, names, files in os.walk(ROOT):
        names[:] = [n for n in names if n not in ("build", ".git", ".cache", "node_modules")]
        for name in files:
            if name.endswith(".md"):
                yield os.path.join(folder, name)


def exists(path):
    """A file, a folder, or a pair of files named without their suffix (`src/core/proof/judge`)."""
    return os.path.exists(path) or os.path.exists(path + ".hpp") or os.path.exists(path + ".cpp")


def main():
    faults = 0
    for document in sorted(documents()):
        with open(document, encoding="utf-8") as file:
            text = file.read()
        for number, line in enumerate(text.splitlines(), 1):
            wrong = [t for t in LINK.findall(line)
                     if "://" not in t and not t.startswith("mailto:")
                     and not os.path.exists(os.path.join(os.path.dirname(document), t))]
            wrong += [p for p in PATH.findall(line) if not exists(os.path.join(ROOT, p))]
            for target in wrong:
                print(f"{os.path.relpath(document, ROOT)}:{number}: {target} does not exist")
                faults += 1
    for fault in [*events.faults(ROOT), *contract.faults(ROOT)]:
        print(fault)
        faults += 1
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
