"""The test CA, and certificates of it: who names whom decides what can be proven.

A name is a text, which becomes a dNSName, or what srv_name() and xmpp_addr() make.

Certificates carry both extended key usages: ejabberd 23 wants clientAuth of a client.
"""
import base64
import datetime
import hashlib
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

_DAY = datetime.timedelta(days=1)


class Credential:
    """A certificate and its key, as files: `certificate`, `key`, and `both` in one (ejabberd wants that)."""

    def __init__(self, folder, name, certificate, key):
        folder = Path(folder)
        pem = certificate.public_bytes(serialization.Encoding.PEM)
        secret = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                   serialization.NoEncryption())
        self.certificate, self.key, self.both = (folder / f"{name}.{end}" for end in ("pem", "key", "both"))
        for path, content in ((self.certificate, pem), (self.key, secret), (self.both, pem + secret)):
            path.touch(mode=0o600)
            path.write_bytes(content)
        self.certificate.chmod(0o644)
        spki = certificate.public_key().public_bytes(serialization.Encoding.DER,
                                                     serialization.PublicFormat.SubjectPublicKeyInfo)
        der = certificate.public_bytes(serialization.Encoding.DER)
        self.posh = {"sha-256": base64.b64encode(hashlib.sha256(der).digest()).decode(),
                     "sha-512": base64.b64encode(hashlib.sha512(der).digest()).decode()}
        self.tlsa = f"3 1 1 {hashlib.sha256(spki).hexdigest()}"


def srv_name(domain):
    """SRVName (RFC 4985): this domain's XMPP servers, and nothing else of it."""
    return _other_name("1.3.6.1.5.5.7.8.7", 0x16, f"_xmpp-server.{domain}")


def xmpp_addr(domain):
    """XmppAddr (RFC 6120 §13.7.1.4)."""
    return _other_name("1.3.6.1.5.5.7.8.5", 0x0C, domain)


def _other_name(oid, tag, text):
    assert len(text) < 128  # DER's short form
    return x509.OtherName(x509.ObjectIdentifier(oid), bytes([tag, len(text)]) + text.encode())


def _build(subject, issuer, public_key, names, is_ca=False, starts=-1, ends=30):
    now = datetime.datetime.utcnow()
    builder = (x509.CertificateBuilder()
               .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)]))
               .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
               .public_key(public_key).serial_number(x509.random_serial_number())
               .not_valid_before(now + starts * _DAY).not_valid_after(now + ends * _DAY)
               .add_extension(x509.BasicConstraints(ca=is_ca, path_length=None), critical=True))
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName(
            [x509.DNSName(name) if isinstance(name, str) else name for name in names]), False)
    if not is_ca:
        usages = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
        builder = builder.add_extension(x509.ExtendedKeyUsage(usages), False)
    return builder


class Authority:
    """A CA that all trust who are given its `file`."""

    def __init__(self, folder, name="ca"):
        self._folder, self._name = Path(folder), f"interop {name}"
        self._key = ec.generate_private_key(ec.SECP256R1())
        certificate = _build(self._name, self._name, self._key.public_key(), [], is_ca=True).sign(
            self._key, hashes.SHA256())
        self.file = self._folder / f"{name}.pem"
        self.file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))

    def issue(self, name, names, **dates):
        """A certificate for `names`, valid for a month unless `starts`, `ends` (days from now) say otherwise."""
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = _build(name, self._name, key.public_key(), names, **dates).sign(self._key, hashes.SHA256())
        return Credential(self._folder, name, certificate, key)


def self_signed(folder, name, names):
    """Trusted by nobody: good only with a TLSA record, or for dialback."""
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = _build(name, name, key.public_key(), names).sign(key, hashes.SHA256())
    return Credential(folder, name, certificate, key)
