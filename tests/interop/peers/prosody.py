"""Prosody, from Debian: 0.12 (Debian 12) and 13.0 (Debian 13) take the same file."""
from peers import C2S, S2S, Peer

_CONFIGURATION = """
run_as_root = true
pidfile = "{folder}/prosody.pid"
data_path = "{folder}/data"
certificates = "{folder}"
log = {{ {{ levels = {{ min = "debug" }}, to = "console" }} }}
interfaces = {{ "{address}" }}
s2s_ports = {{ {s2s} }}
c2s_ports = {{ {c2s} }}
use_ipv6 = false
storage = "memory"
limits = {{ {limits} }}
modules_enabled = {{ "s2s"; "c2s"; "tls"; "saslauth"; "disco"; "ping"; "s2s_auth_certs"; {modules} }}
unbound = {{ resolvconf = "{resolv_conf}", hoststxt = false, trustfile = "{anchor}" }}
ssl = {{ certificate = "{certificate}", key = "{key}", cafile = "{trust}", capath = "none" }}
s2s_require_encryption = true
s2s_secure_auth = {strict}
use_dane = {dane}
c2s_require_encryption = false
allow_unencrypted_plain_auth = true
authentication = "insecure"
insecure_open_authentication = "Yes please, I know what I'm doing!"
{hosts}
"""


class Prosody(Peer):
    kind = "prosody"
    external_line = "Accepting SASL EXTERNAL identity from {domain}$"
    dialback_line = "asking {domain} if key"

    @property
    def can_dane(self):
        return self.session.generation.release >= 13  # mod_s2s_auth_dane_in

    def write_configuration(self):
        (self.folder / "data").mkdir(exist_ok=True)
        modules = ['"dialback";'] if self.dialback else []
        if self.dane and self.can_dane:
            modules.append('"s2s_auth_dane_in";')
        if self.usual:
            modules.append('"limits"; "smacks";')
        if self.bidi:
            modules.append('"s2s_bidi";')
        (self.folder / "prosody.cfg.lua").write_text(_CONFIGURATION.format(
            folder=self.folder, address=self.address, s2s=S2S, c2s=C2S, modules=" ".join(modules),
            limits='s2sin = { rate = "30kb/s" }' if self.usual else "", resolv_conf=self.session.zones.resolv_conf, anchor=self.session.zones.anchor,
            certificate=self.credential.certificate, key=self.credential.key, trust=self.session.ca.file,
            strict=str(self.strict).lower(), dane=str(self.dane).lower(),
            hosts="\n".join(f'VirtualHost "{domain}"' for domain in self.domains)))

    def program(self):
        return ["prosody", "-F", "--config", self.folder / "prosody.cfg.lua"], {}
