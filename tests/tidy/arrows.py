"""Which layer may include which, and the words a layer may not use (docs/architecture.md, section Layers).

Include roots already stop most wrong includes at the compiler. This net has what the compiler cannot see: the arrows
between the folders of core, and the system headers and library words that stand on everybody's path.
"""
import re

# folder: what it may include beside itself. Inside core the arrows are
#   config -> pair -> proof -> report -> name -> base     link, pair -> stream -> xml -> name
CORE = {
    "base": set(),
    "name": {"base"},
    "report": {"name", "base"},
    "proof": {"report", "name", "base"},
    "xml": {"name", "base"},
    "stream": {"xml", "name", "base"},
    "link": {"stream", "xml", "report", "name", "base"},
    "pair": {"proof", "report", "stream", "xml", "name", "base"},
    "config": {"pair", "proof", "report", "name", "base"},
}
# One header against the arrow: the parser speaks in the conditions of RFC 6120 §4.9, a table that includes base alone.
ALSO = {("xml", "stream/stream_error.hpp")}
ALL_CORE = set(CORE)
# The rooms of flow, likewise. Two that know nothing of each other meet only in `gateway`, which puts them together.
#   gateway -> route, prove -> streams -> pairs -> peers -> ground -> seams
#   route -> hosting -> ground          prove -> web -> dns -> ground
FLOW = {
    "seams": set(),
    "ground": {"seams"},
    "dns": {"ground", "seams"},
    "web": {"dns", "ground", "seams"},
    "peers": {"ground", "seams"},
    "pairs": {"peers", "ground", "seams"},
    "streams": {"pairs", "peers", "ground", "seams"},
    "hosting": {"ground", "seams"},
    "prove": {"streams", "pairs", "peers", "web", "dns", "ground", "seams"},
    "route": {"streams", "pairs", "peers", "hosting", "ground", "seams"},
    "gateway": {"route", "prove", "streams", "hosting", "pairs", "peers", "web", "dns", "ground", "seams"},
}
REAL = {"net", "tls", "dns", "http", "os", "store"}
LAB = {"lab"}
APP = {"node", "cmd", "web"}
# At the root of src/flow stand the coroutine's type, which everybody has, and the face of it all, which the room behind it has.
FLOW_FILES_FOR_ALL = {"task.hpp"}
FLOW_FACE = "gateway.hpp"

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')

# System headers, by prefix, that a layer may not have; and words, in code, that it may not use.
_SYSTEM = ("thread", "mutex", "condition_variable", "shared_mutex", "future", "random", "fstream",
           "iostream", "unistd.h", "sys/", "netinet/", "netdb.h", "poll.h", "fcntl.h", "signal.h", "csignal",
           "openssl/ssl.h", "openssl/rand.h", "unbound.h", "event2/", "systemd/", "sqlite3.h")
FORBIDDEN_HEADERS = {
    "core": _SYSTEM + ("boost/asio", "boost/beast", "ldns/", "CLI/"),
    "flow": tuple(h for h in _SYSTEM) + ("boost/asio/ip/", "boost/asio/local/", "boost/asio/steady_timer",
                                         "boost/asio/system_timer", "boost/beast/core/", "boost/beast/ssl",
                                         "boost/beast/websocket", "boost/beast/http/read", "boost/beast/http/write",
                                         "ldns/", "openssl/", "CLI/"),
}
_CLOCKS = r"\b\w*_clock::now\s*\(|\bclock_gettime\b|\bgettimeofday\b|\b(std::)?time\s*\(\s*(nullptr|NULL|0|&)"
_WORLD = r"\bstd::(j?thread|mutex|random_device|mt19937\w*|ifstream|ofstream|async)\b|\bgetrandom\b|\bRAND_\w+\s*\(" \
         r"|::socket\s*\(|\bgetaddrinfo\b|\bgetenv\b|\bfopen\b|\bfilesystem::(?!path\b)\w+|\bsleep_(for|until)\b"
FORBIDDEN_WORDS = {
    "core": re.compile(_CLOCKS + "|" + _WORLD + r"|\bSSL_\w+\s*\(|\bstd::(cout|cerr)\b|\bboost::asio\b"),
    "flow": re.compile(_CLOCKS + "|" + _WORLD + r"|\bSSL_\w+\s*\(|\bstd::(cout|cerr)\b"
                       r"|\basio::(steady_timer|system_timer|ip::|local::)"),
}


def layer_of(path):
    """("core", "proof") for src/core/proof/x.hpp; ("flow", "") for a file at the root of src/flow; else None."""
    parts = path.split("/")
    if len(parts) < 3 or parts[0] != "src" or parts[1] not in ("core", "flow", "real", "lab", "app"):
        return None
    return parts[1], parts[2] if len(parts) > 3 else ""


def is_test(path):
    return bool(re.search(r"_(test|fuzz|bench)\.\w+$", path)) or path.startswith("tests/")


def include_fault(path, name):
    """Why `path` may not include "name" (written with quotes), or None."""
    where = layer_of(path)
    if where is None:
        return None
    layer, folder = where
    target = name.split("/")[0] if "/" in name else ""
    if is_test(path) and target in ("support", "sim"):
        return None  # helpers under tests/
    if layer == "core":
        if not target:
            return f'write the folder: "{folder}/{name}"'
        allowed = CORE.get(folder, set()) | {folder}
        if target not in allowed and (folder, name) not in ALSO:
            return f"core/{folder} may include {', '.join(sorted(allowed))}, not {target}"
        return None
    allowed = {
        "flow": ALL_CORE | (FLOW.get(folder, set()) | {folder} if folder else set(FLOW) | {""}),
        "real": ALL_CORE | {"seams"} | REAL,
        "lab": ALL_CORE | set(FLOW) | REAL | LAB | {""},
        "app": ALL_CORE | set(FLOW) | REAL | LAB | APP | {""},
    }[layer]
    if layer == "flow" and folder == "gateway" and name == FLOW_FACE:
        return None
    if not target and (layer == "real" or (layer == "flow" and folder)):
        return None if name in FLOW_FILES_FOR_ALL else f"{layer} sees of flow's root only task.hpp"
    if target not in allowed:
        return f"{layer} may not include {target or 'a file of flow'}/"
    return None


def faults_in(path, text):
    """Yields (line number, what is wrong) for one file of src/."""
    where = layer_of(path)
    if where is None:
        return
    layer = where[0]
    headers = FORBIDDEN_HEADERS.get(layer, ())
    words = FORBIDDEN_WORDS.get(layer)
    for number, line in enumerate(text.splitlines(), 1):
        include = INCLUDE.match(line)
        if include:
            quote, name = include.groups()
            if quote == '"':
                fault = include_fault(path, name)
                if fault:
                    yield number, f'include "{name}": {fault}'
            elif not is_test(path) and any(name == h or (h[-1] in "/_" and name.startswith(h)) or
                                           (h.startswith("boost/") and name.startswith(h)) for h in headers):
                yield number, f"include <{name}>: {layer} has no part of the outside world in it"
            continue
        if words and not is_test(path):
            found = words.search(line.split("//")[0])
            if found:
                yield number, f'"{found.group(0).strip()}": {layer} gets times, bytes and random numbers as arguments'
