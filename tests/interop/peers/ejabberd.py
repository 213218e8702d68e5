"""ejabberd, from Debian: 23.01 (Debian 12) and 24.12 (Debian 13) take the same file.

Started without ejabberdctl: no user switch, no epmd, no distribution.
"""
import signal

from peers import C2S, S2S, Peer

_CONFIGURATION = """
loglevel: debug
hosts: [{hosts}]
certfiles: ["{both}"]
ca_file: "{trust}"
acme: {{auto: false}}
outgoing_s2s_families: [ipv4]
s2s_use_starttls: required
shaper:
  fast: 200000
auth_method: [anonymous]
anonymous_protocol: login_anon
listen:
  - {{port: {s2s}, ip: "{address}", module: ejabberd_s2s_in, backlog: 1000{shaper}}}
  - {{port: {c2s}, ip: "{address}", module: ejabberd_c2s, starttls: false}}
modules:
  mod_disco: {{}}
  mod_ping: {{}}
{modules}
"""


class Ejabberd(Peer):
    kind = "ejabberd"
    end_signal = signal.SIGKILL  # it takes seconds to end in order, and has nothing to keep
    external_line = "Accepted inbound s2s EXTERNAL authentication {domain} -> "
    dialback_line = "Accepted inbound s2s dialback authentication {domain} -> "

    def write_configuration(self):
        (self.folder / "spool").mkdir(exist_ok=True)
        modules = ["  mod_s2s_dialback: {}"] if self.dialback else []
        if self.usual:
            modules.append("  mod_stream_mgmt: {}")
        if (self.usual or self.bidi) and self.session.generation.release >= 13:  # from 24.10 on
            modules.append("  mod_s2s_bidi: {}")
        (self.folder / "ejabberd.yml").write_text(_CONFIGURATION.format(
            hosts=", ".join(f'"{domain}"' for domain in self.domains), both=self.credential.both,
            trust=self.session.ca.file, address=self.address, s2s=S2S, c2s=C2S, modules="\n".join(modules),
            shaper=", shaper: fast" if self.usual else ""))

    def program(self):
        words = ["erl", "-mnesia", "dir", f'"{self.folder}/spool"', "-s", "ejabberd", "-noshell", "-noinput"]
        return words, {"ERL_LIBS": "/usr/lib/x86_64-linux-gnu", "EJABBERD_CONFIG_PATH": f"{self.folder}/ejabberd.yml",
                       "EJABBERD_LOG_PATH": f"{self.folder}/server.log", "EJABBERD_PID_PATH": f"{self.folder}/pid",
                       "HOME": str(self.folder), "ERL_CRASH_DUMP": f"{self.folder}/crash"}
