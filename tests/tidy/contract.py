"""Section 5 of docs/contract.md and docs/contract.schema.json say the same keys: what the table lists has a definition, and a
command whose documents have none is among those that are not in this version (AB-244)."""
import json
import os
import re

ROW = re.compile(r"^\| (`\w+(?:[^|]|(?<=\\)\|)*) \| ((?:GET|POST) [^|]*) \| (.*) \|$", re.MULTILINE)
KEY = re.compile(r"(\w+)(?:\[\]|\{([^}]*)\})?")


def shape(schema, definitions):
    """The object that a definition describes: of an array, its items'."""
    while "$ref" in schema:
        schema = definitions[schema["$ref"].rsplit("/", 1)[1]]
    return shape(schema["items"], definitions) if schema.get("type") == "array" else schema


def listed(cell):
    """The keys of a cell: the words of its lists in backticks, `tls{version cipher}` with those inside."""
    for text in re.findall(r"`([^`]*)`", cell.split(";")[0]):
        if text.startswith("{"):
            continue  # a body
        for name, inner in KEY.findall(text):
            yield name
            yield from inner.split()


def names_in(schema):
    """Every property of it, at any depth."""
    if isinstance(schema, dict):
        yield from schema.get("properties", {})
        for value in schema.values():
            yield from names_in(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from names_in(value)


def faults_in(contract, schema):
    definitions = schema["$defs"]
    section = contract[contract.index("## 5."):contract.index("## 6.")]
    missing = contract[contract.index("**Not in this version**"):contract.index("## 1.")]
    rows = ROW.findall(section)
    if not rows:
        yield "docs/contract.md: section 5 has no table of commands"
    for commands, _, keys in rows:
        known, built = set(), False
        for command in re.findall(r"`(\w+)", commands):
            if command in definitions:
                built = True
                known.update(names_in(shape(definitions[command], definitions)))
            elif f"`{command}`" not in missing:
                yield f"docs/contract.schema.json has no definition of {command}"
        for key in listed(keys) if built else ():
            if key not in known:
                yield f"docs/contract.schema.json: {commands} has no {key}, which docs/contract.md lists"


def faults(root):
    with open(os.path.join(root, "docs", "contract.md"), encoding="utf-8") as file:
        contract = file.read()
    with open(os.path.join(root, "docs", "contract.schema.json"), encoding="utf-8") as file:
        return list(faults_in(contract, json.load(file)))
