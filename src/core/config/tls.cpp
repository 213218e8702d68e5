// [tls], [[tls.for]] and [dns].
#include <fmt/format.h>

#include <map>

#include "base/bytes.hpp"
#include "config/sections.hpp"

namespace ligase::config {
namespace {

constexpr std::string_view kRevocations[] = {"off", "soft", "hard"};
constexpr std::string_view kMinimums[] = {"1.2", "1.3"};
constexpr unsigned kAllowedKeyModes = 0640;  // P15: the owner, and at most the group may read

std::optional<FileFacts> read_key(const Located& where, const Context& context) {
  std::optional<FileFacts> facts = context.read(where, "the private key");
  if (facts && (facts->mode & ~kAllowedKeyModes) != 0) {
    const bool is_open = (facts->mode & 0007) != 0;
    context.findings.fault(where.line,
                           fmt::format("the private key \"{}\" has mode {:04o}{}", escaped(where.text), facts->mode,
                                       is_open ? ", open to all" : ""),
                           fmt::format("chmod 640 {}", escaped(where.text)));
  }
  return facts;
}

std::vector<TlsFor> read_others(std::vector<Section> sections, const Context& context) {
  std::vector<TlsFor> others;
  std::map<Domain, unsigned> seen;
  for (Section& section : sections) {
    TlsFor other;
    const auto names = section.texts("domains");
    if (!section.has("domains") || (names && names->empty()))
      context.findings.fault(section.line(), "[[tls.for]] names no domains", "add domains = [\"…\"]");
    for (const Located& name : names.value_or(std::vector<Located>{})) {
      const std::optional<Domain> domain = context.domain(name);
      if (!domain) continue;
      const auto [first, is_new] = seen.emplace(*domain, name.line);
      if (!is_new) {
        context.findings.fault(
            name.line,
            fmt::format("{} has a certificate of its own already, in line {}", domain->text(), first->second),
            "name it in one [[tls.for]] only");
      }
      other.domains.push_back(*domain);
    }
    other.credential = read_credential(section, context);
    section.finish();
    others.push_back(std::move(other));
  }
  return others;
}

std::optional<std::string> forwarder(const Located& where, const Context& context) {
  const std::size_t at = where.text.find('@');
  const Result<Address> address = Address::parse(where.text.substr(0, at));
  unsigned port = 53;
  if (at != std::string::npos) {
    const std::string digits = where.text.substr(at + 1);
    const bool is_number =
        !digits.empty() && digits.size() <= 5 && digits.find_first_not_of("0123456789") == std::string::npos;
    port = is_number ? static_cast<unsigned>(std::stoul(digits)) : 0;
  }
  if (address && port >= 1 && port <= 65535) return fmt::format("{}@{}", address->text(), port);
  context.findings.fault(where.line, fmt::format("[dns] forward cannot be \"{}\"", escaped(where.text, 80)),
                         "write \"192.0.2.1@53\", or [\"root\"] to resolve from the root itself");
  return std::nullopt;
}

}  // namespace

Credential read_credential(Section& section, const Context& context) {
  const auto certificate = section.required_text("certificate");
  const auto key = section.required_text("private_key");
  Credential credential;
  std::optional<FileFacts> certificate_facts, key_facts;
  if (certificate) {
    credential.certificate_file = context.resolve(certificate->text);
    credential.line = certificate->line;
    certificate_facts = context.read(*certificate, "the certificate");
  }
  if (key) {
    credential.private_key_file = context.resolve(key->text);
    key_facts = read_key(*key, context);
  }
  if (!certificate_facts || !key_facts) return credential;
  if (const auto fault = check_credential(certificate_facts->text, key_facts->text)) {
    const Located& where = fault->is_the_key ? *key : *certificate;
    context.findings.fault(where.line, fmt::format("\"{}\" {}", escaped(where.text), fault->what), fault->advice);
  }
  return credential;
}

TlsSection read_tls(Section& tls, const Context& context) {
  TlsSection read;
  read.credential = read_credential(tls, context);
  if (const auto anchors = tls.text("trust_anchors"); anchors && anchors->text != "system") {
    read.trust_anchors = context.resolve(anchors->text);
    const auto facts = context.read(*anchors, "the trust anchors");
    if (facts && facts->text.find("-----BEGIN") == std::string::npos) {
      context.findings.fault(anchors->line, fmt::format("\"{}\" holds no PEM certificate", escaped(anchors->text)),
                             "name a PEM file with the CAs to trust, or \"system\"");
    }
  }
  if (const auto index = tls.one_of("revocation", kRevocations)) read.revocation = static_cast<Revocation>(*index);
  for (const Located& file : tls.texts("crl").value_or(std::vector<Located>{})) {
    if (context.read(file, "the revocation list")) read.crl.push_back(context.resolve(file.text));
  }
  if (const auto index = tls.one_of("minimum", kMinimums)) read.minimum = kMinimums[*index];
  read.others = read_others(tls.tables("for", "[[tls.for]]"), context);
  tls.finish();
  return read;
}

DnsSection read_dns(Section& dns, const Context& context) {
  DnsSection read;
  const std::optional<Located> anchor = dns.text("trust_anchor");
  if (anchor) read.trust_anchor = anchor->text.empty() ? "" : context.resolve(anchor->text);
  if (!anchor) {
    if (const auto facts = context.files.read(read.trust_anchor); !facts && !dns.has("trust_anchor")) {
      context.findings.fault(
          dns.line(), fmt::format("cannot read the DNSSEC trust anchor \"{}\": {}", read.trust_anchor, facts.error()),
          "install dns-root-data, name another in [dns] trust_anchor, or \"\" to go without DNSSEC");
    }
  } else if (anchor->text.empty()) {
    context.findings.warn(anchor->line, "[dns] trust_anchor is empty: every DNS answer counts as insecure",
                          "name a file with DS or DNSKEY lines, so that dane and dnssec can prove");
  } else {
    context.read(*anchor, "the DNSSEC trust anchor");
  }
  const std::vector<Located> forward = dns.texts("forward").value_or(std::vector<Located>{});
  if (forward.size() == 1 && forward.front().text == "root") {
    read.forward = {"root"};
  } else {
    for (const Located& where : forward)
      if (auto server = forwarder(where, context)) read.forward.push_back(std::move(*server));
  }
  for (const Located& where : dns.texts("allow_addresses").value_or(std::vector<Located>{})) {
    const Result<AddressRange> range = AddressRange::parse(where.text);
    if (range) {
      read.allow_addresses.push_back(*range);
    } else {
      context.findings.fault(where.line, fmt::format("[dns] allow_addresses cannot be \"{}\"", escaped(where.text, 80)),
                             "write a range or an address: \"10.0.0.0/8\", \"fd00::/8\", \"127.0.0.1\"");
    }
  }
  dns.finish();
  return read;
}

}  // namespace ligase::config
