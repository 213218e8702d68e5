"""The log and docs/events.md say the same: every event that the code writes stands in a table there with each of its keys, every
event of the tables is written somewhere, and `advice` is given wherever, and only where, the table lists it (AB-241)."""
import os
import re

ROW = re.compile(r"^\| `(\w+)` \| (?:debug|info|warning|error) \|([^|]*)\|", re.MULTILINE)
WRITTEN = re.compile(r"\bEvent(?P<variable> \w+)?\((?=[^()]*Level::)")
KEY = re.compile(r'\.with\("(\w+)"')


def documented(text):
    """Event: its keys. "as `pair_proven`, and `x`" has those of the other too."""
    keys = {}
    for name, cell in ROW.findall(text):
        names = re.findall(r"`(\w+)`", cell)
        other = re.match(r" as `(\w+)`", cell)
        keys[name] = set(names[1:]) | keys[other.group(1)] if other else set(names)
    return keys


def closing(text, start):
    """The index after the bracket that closes the one before `start`; brackets in strings are in pairs."""
    depth = 1
    while depth:
        depth += {"(": 1, ")": -1}.get(text[start], 0)
        start += 1
    return start


def written(text):
    """Each place that makes an event: its line, the names it may have, the keys that it gets there."""
    for match in WRITTEN.finditer(text):
        end = closing(text, match.end())
        names = re.findall(r'"(\w+)"', text[match.end():end])
        chain = text[match.start():text.find("\n}" if match["variable"] else ";", end)]
        yield text.count("\n", 0, match.start()) + 1, names, set(KEY.findall(chain))


def faults_in(table, sources):
    """`sources`: path and text of each."""
    keys = documented(table)
    seen = set()
    for path, text in sources:
        for line, names, has in written(text):
            listed = set().union(*(keys.get(name, set()) for name in names))
            for key in sorted(has - listed):
                yield f"{path}:{line}: docs/events.md does not list {key} for the event {' or '.join(names)}"
            for name in names:
                seen.add(name)
                if name not in keys:
                    yield f"{path}:{line}: the event {name} is not in docs/events.md"
                elif "advice" in keys[name] - has:
                    yield f"{path}:{line}: the event {name} has no advice, which docs/events.md lists"
    for name in sorted(keys.keys() - seen):
        yield f"docs/events.md: nothing writes the event {name}"


def faults(root):
    sources = []
    for folder, _, files in sorted(os.walk(os.path.join(root, "src"))):
        for name in sorted(files):
            if name.endswith((".cpp", ".hpp")) and not name.endswith("_test.cpp"):
                with open(os.path.join(folder, name), encoding="utf-8") as file:
                    sources.append((os.path.relpath(os.path.join(folder, name), root), file.read()))
    with open(os.path.join(root, "docs", "events.md"), encoding="utf-8") as file:
        return list(faults_in(file.read(), sources))
