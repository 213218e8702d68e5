#!/usr/bin/env python3
"""Every requirement and abuse case with the tests that name it, the untested ones last.

Ids are defined in docs/requirements.md and docs/threats.md; a test proves one by naming it, in full, in its name or in
a comment at it. Why an id has no test yet stands in docs/requirements-untested.md. With --check nothing is listed:
an id that a test or a source names and no document defines is a fault.
"""
import argparse
import collections
import os
import re
import sys

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
DOCUMENTS = ("docs/requirements.md", "docs/threats.md")
UNTESTED = "docs/requirements-untested.md"
ID = re.compile(r"\b([A-Z]+)-([0-9]+)\b")
# In bold (several may stand on a line), or the first cell of a row of the tables of section 2 and 3.
DEFINED = re.compile(r"\*\*([A-Z]+-[0-9]+)\b|^\| ([OI]-[0-9]+) \|", re.M)
RANGE = re.compile(r"\b([A-Z]+)-([0-9]+)(?:\s*(?:\.\.|…|–)\s*(?:[A-Z]+-)?([0-9]+))?")
# Decisions and transcripts explain; they are named by tests, but nothing is owed for them.
EXPLAIN = {"D", "T"}
CPP_TEST = re.compile(r"^(?:TEST|TEST_F|TEST_P|TYPED_TEST|RC_GTEST_PROP|RC_GTEST_FIXTURE_PROP)\(\s*(\w+)\s*,\s*(\w+)")
PY_TEST = re.compile(r"^\s*(?:async )?def (test_\w+)")


def key(identifier):
    family, number = identifier.split("-")
    return family, int(number)


def read(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as file:
        return file.read()


def definitions():
    """All ids, in the order of the documents."""
    found = {}
    for path in DOCUMENTS:
        for match in DEFINED.finditer(read(path)):
            found.setdefault(match.group(1) or match.group(2), path)
    return found


def places(path, text):
    """Yields (id, "file:test") for every id in a file; one that stands before a test belongs to that test."""
    pattern = PY_TEST if path.endswith(".py") else CPP_TEST
    waiting, current = [], None
    for line in text.splitlines():
        start = pattern.match(line)
        if start:
            current = "::".join(g for g in start.groups() if g) if path.endswith(".py") else ".".join(start.groups())
            for identifier in waiting:
                yield identifier, f"{path}:{current}"
            waiting = []
        elif current and line[:1] not in ("", " ", "\t") and not line.startswith("}"):
            current = None  # a line at the margin: the test's body is over
        for match in ID.finditer(line):
            identifier = match.group(0)
            if current:
                yield identifier, f"{path}:{current}"
            else:
                waiting.append(identifier)
        if line.startswith("}"):
            current = None
    for identifier in waiting:
        yield identifier, path


def files():
    """(test files, other sources)."""
    tests, sources = [], []
    for top in ("src", "tests"):
        for folder, names, members in os.walk(os.path.join(ROOT, top)):
            names[:] = [n for n in names if n not in ("tidy", "corpus", "__pycache__")]
            for name in members:
                path = os.path.relpath(os.path.join(folder, name), ROOT)
                if top == "tests" or re.search(r"_(test|fuzz)\.cpp$", name):
                    if path.endswith((".cpp", ".hpp", ".py", ".txt")):
                        tests.append(path)
                elif path.endswith((".cpp", ".hpp")):
                    sources.append(path)
    return sorted(tests), sorted(sources)


def reasons(defined):
    """id -> why it has no test yet, from the table "| ids | reason |"."""
    found = {}
    if not os.path.exists(os.path.join(ROOT, UNTESTED)):
        return found
    for line in read(UNTESTED).splitlines():
        cells = [c.strip() for c in line.strip("|").split("|")]
        if not line.startswith("|") or len(cells) < 2:
            continue
        for family, first, last in RANGE.findall(cells[0]):
            for number in range(int(first), int(last or first) + 1):
                for identifier in (f"{family}-{number:0{len(first)}d}", f"{family}-{number}"):
                    if identifier in defined:
                        found[identifier] = cells[1]
    return found


def main():
    parser = argparse.ArgumentParser(prog="./dev requirements", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="only look for ids that do not exist")
    parser.add_argument("family", nargs="*", help="only these families (MUX, AB, …)")
    options = parser.parse_args()

    defined = definitions()
    families = {key(i)[0] for i in defined}
    tests, sources = files()
    named = collections.defaultdict(list)
    faults = []
    for path in tests + sources:
        for identifier, place in places(path, read(path)):
            if identifier in defined:
                if path in tests and place not in named[identifier]:
                    named[identifier].append(place)
            elif key(identifier)[0] in families:
                faults.append(f"{place}: {identifier} is defined in none of {', '.join(DOCUMENTS)}")
    for fault in sorted(set(faults)):
        print(fault)
    if options.check:
        return 1 if faults else 0

    why = reasons(defined)
    wanted = [i for i in defined if not options.family or key(i)[0] in options.family]
    tested = [i for i in wanted if named[i]]
    untested = [i for i in wanted if not named[i] and key(i)[0] not in EXPLAIN]
    for identifier in sorted(tested, key=key):
        print(f"{identifier:10} {named[identifier][0]}")
        for place in named[identifier][1:]:
            print(f"{'':10} {place}")
    print("\nno test names these:")
    for identifier in sorted(untested, key=key):
        print(f"{identifier:10} {why.get(identifier, 'NO REASON GIVEN')}")
    for identifier in sorted(tested, key=key):
        if identifier in why:
            print(f"note: {identifier} is tested now; take it out of {UNTESTED}")
    print("\nfamily     ids  tested  untested with a reason  untested without")
    for family in sorted({key(i)[0] for i in wanted} - EXPLAIN):
        ids = [i for i in wanted if key(i)[0] == family]
        done = sum(1 for i in ids if named[i])
        told = sum(1 for i in ids if not named[i] and i in why)
        print(f"{family:8} {len(ids):5} {done:7} {told:23} {len(ids) - done - told:17}")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
