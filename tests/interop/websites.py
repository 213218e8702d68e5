"""The customers' web sites, served by a real nginx: POSH documents (RFC 7711) in each form, and customers who have none.

Of every provider and peer the customer with this number in zone `web.` publishes …
"""
import json

from addresses import wait_port
from processes import Process

DIRECT, REDIRECT, REFERENCE, OTHER_KEY, NOTHING = 1, 2, 3, 4, 5
HOSTING = "hosting.web"
WELL_KNOWN = "/.well-known/posh/xmpp-server.json"
EXPIRES = 3600

_CONFIGURATION = """
daemon off;
user root;
worker_processes 1;
pid {folder}/nginx.pid;
error_log stderr info;
events {{ }}
http {{
    access_log /dev/stdout;
    client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
    types {{ application/json json; }}
    ssl_certificate {certificate};
    ssl_certificate_key {key};
    ssl_protocols TLSv1.2 TLSv1.3;
    gzip on; gzip_min_length 1; gzip_types application/json;
{sites}
}}
"""
_SITE = """    server {{
        listen {address}:443 ssl;
        server_name {name};
        root {root};
        {special}
    }}
"""


def fingerprints(*credentials):
    return json.dumps({"fingerprints": [credential.posh for credential in credentials], "expires": EXPIRES})


def document_of(number, domain, credential, others):
    """(what stands at its well-known place or None, a line of nginx's configuration)"""
    elsewhere = f"https://{HOSTING}/{domain}.json"
    return {
        DIRECT: (fingerprints(others, credential), ""),
        REDIRECT: (None, f"location = {WELL_KNOWN} {{ return 302 {elsewhere}; }}"),
        REFERENCE: (json.dumps({"url": elsewhere, "expires": EXPIRES}), ""),
        OTHER_KEY: (fingerprints(others), ""),
        NOTHING: (None, ""),
    }[number]


class WebSites:
    """`customers`: [(domains, the Credential that their server shows)]; `others`: a credential of nobody here."""

    def __init__(self, folder, address, credential, customers, others):
        self.folder, self.address = folder / "nginx", address
        self.folder.mkdir()
        sites = self._site(HOSTING, {}, "")
        for domains, shown in customers:
            for number, domain in enumerate(domains[:NOTHING], start=1):
                document, special = document_of(number, domain, shown, others)
                sites += self._site(domain, {WELL_KNOWN: document} if document else {}, special)
                self._write(HOSTING, f"/{domain}.json", fingerprints(shown))
        (self.folder / "nginx.conf").write_text(_CONFIGURATION.format(
            folder=self.folder, certificate=credential.certificate, key=credential.key, sites=sites))
        self.process = None

    def _write(self, name, path, text):
        file = self.folder / name / path.lstrip("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def _site(self, name, documents, special):
        for path, text in documents.items():
            self._write(name, path, text)
        return _SITE.format(address=self.address, name=name, root=self.folder / name, special=special)

    def start(self):
        command = ["nginx", "-p", self.folder, "-e", self.folder / "error.log", "-c", self.folder / "nginx.conf"]
        self.process = Process("nginx", command, self.folder)

    def wait_ready(self):
        wait_port(self.address, 443, self.process)

    def stop(self):
        self.process.stop()

    def visits(self, path):
        """How often `path` was asked for."""
        return sum(f"GET {path} HTTP/1.1" in line for line in self.process.lines())
