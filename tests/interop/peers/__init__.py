"""Real servers of the federation, each in one module: a class with the constructor and the four methods of `Peer`.

A peer serves its domains by one certificate, at one address, and asks the tests' DNS. To add one: docs/testing.md.
"""
import re
import signal
import subprocess
from pathlib import Path

from addresses import connections_to, wait_port
from processes import Process

S2S, C2S = 5269, 5222
_HERE = Path(__file__).parent.parent

# The peer sees the tests' resolv.conf, and no other process does. $0 is that file.
_ENTER = 'mount --bind "$0" /etc/resolv.conf && exec "$@"'
# The same in a root of another Debian generation: $1 the root, $2 the session's folder, which it sees at its own path.
_ENTER_ROOT = """set -e; root=$1 folder=$2; shift 2
mount -t tmpfs tmpfs "$root/tmp"; mkdir -p "$root$folder"; mount --bind "$folder" "$root$folder"
mount -t proc proc "$root/proc"; mount --rbind /dev "$root/dev"; mount --bind "$0" "$root/etc/resolv.conf"
exec chroot "$root" "$@"
"""


def generation_of_this_machine():
    for line in Path("/etc/os-release").read_text().splitlines():
        if line.startswith("VERSION_ID="):
            return line.partition("=")[2].strip('"')
    return ""


class Generation:
    """Where the peers' programs come from: this machine's packages, or a root of another Debian release."""

    def __init__(self, release):
        self.release = int(release)
        self._root = None
        if release != generation_of_this_machine():
            made = subprocess.run([_HERE / "make_root", release], stdout=subprocess.PIPE, text=True, check=True)
            self._root = made.stdout.strip()

    def command(self, session_folder, resolv_conf, words):
        enter = ["unshare", "--mount", "--propagation", "private", "sh", "-c"]
        if self._root is None:
            return [*enter, _ENTER, resolv_conf, *words]
        return [*enter, _ENTER_ROOT, resolv_conf, self._root, session_folder, *words]


class Peer:
    """A server with its domains. `world` gives folder, zones, generation and CA; options tell how strict it is:

    strict    wants a valid certificate of every peer, dialback alone does not do
    dialback  knows dialback at all
    dane      takes TLSA records for what they say (where the program can)
    usual     with what Debian's configuration turns on besides: stream management, rate limits, bidi
    bidi      bidi (XEP-0288), where the program can
    """

    kind = "peer"            # names the log and the folder
    can_dane = False         # takes EXTERNAL from a domain that is delegated by DNSSEC and DANE
    external_line = ""       # what its log says of a domain authenticated so (a regular expression, with {domain})
    dialback_line = ""
    end_signal = signal.SIGTERM

    def __init__(self, session, folder, address, domains, credential, strict=False, dialback=True, dane=False,
                 usual=False, bidi=False):
        self.session, self.address, self.domains, self.credential = session, address, domains, credential
        self.strict, self.dialback, self.dane, self.usual, self.bidi = strict, dialback, dane, usual, bidi
        self.folder = Path(folder) / self.kind
        self.folder.mkdir(parents=True)
        self.process = None

    def start(self):
        self.write_configuration()
        words, env = self.program()
        command = self.session.generation.command(self.session.folder, self.session.zones.resolv_conf, words)
        self.process = Process(self.kind, command, self.folder, env)

    def wait_ready(self):
        for port in (S2S, C2S):
            wait_port(self.address, port, self.process)

    def stop(self):
        self.process.stop(self.end_signal)

    def kill(self):
        """Without a word to anybody; start() brings it back."""
        self.process.stop(signal.SIGKILL)

    def connections(self):
        """Established s2s connections that it has taken."""
        return connections_to(self.address, S2S)

    def how_taken(self, domain):
        """By what it authenticated `domain`, by its log: "external" or "dialback"."""
        lines = {how: pattern.format(domain=re.escape(domain)) for how, pattern in
                 (("external", self.external_line), ("dialback", self.dialback_line))}
        said = self.process.wait_for("|".join(lines.values()))
        return next(how for how, pattern in lines.items() if re.search(pattern, said))

    def write_configuration(self):
        raise NotImplementedError

    def program(self):
        """(command words, environment)"""
        raise NotImplementedError
