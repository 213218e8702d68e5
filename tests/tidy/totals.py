#!/usr/bin/env python3
"""Adds up the JUnit reports of ctest and pytest and ends with one plain line: N passed, N failed[, N skipped].

A report that is missing, or that counts no test, is a failure: a part that did not run has proven nothing.
"""
import sys
import xml.etree.ElementTree as ElementTree


def totals(path):
    """(passed, failed, skipped, names of the failed) of one report."""
    passed = skipped = 0
    failures = []
    for case in ElementTree.parse(path).getroot().iter("testcase"):
        broken = case.find("failure") is not None or case.find("error") is not None
        # ctest skips what was not built; that is no test left out on purpose.
        broken = broken or case.get("status") == "fail" or case.get("name", "").endswith("_NOT_BUILT")
        if broken:
            name, group = case.get("name", "").split("  # GetParam")[0], case.get("classname", "")
            failures.append(name if not group or name.startswith(group.split("  # GetParam")[0]) else f"{group}:{name}")
        elif case.find("skipped") is not None or case.get("status") in ("notrun", "disabled"):
            skipped += 1
        else:
            passed += 1
    return passed, len(failures), skipped, failures


def main(paths):
    passed = failed = skipped = 0
    faults = [] if paths else ["no report: nothing ran"]
    for path in paths:
        try:
            p, f, s, names = totals(path)
        except (OSError, ElementTree.ParseError) as error:
            faults.append(f"{path}: no usable report ({error}); its test runner did not get to its end")
            continue
        if p + f == 0:
            faults.append(f"{path}: not one test ran")
        passed, failed, skipped = passed + p, failed + f, skipped + s
        for name in names:
            print(f"failed: {name}")
    for fault in faults:
        print(f"error: {fault}")
    # A part without a result counts as one failure, so that the line alone tells.
    failed += len(faults)
    print(f"{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else ""))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
