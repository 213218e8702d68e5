// The parts of parse(): one function a section of the file. Each reports its faults to the Findings and gives what it
// could read; a Config is made only when nobody reported any.
#pragma once
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "config/config.hpp"
#include "config/reader.hpp"

namespace ligase::config {

// What every section needs beside its own table.
struct Context {
  const Files& files;
  Findings& findings;
  std::string folder;  // of the configuration; "" for the current one
  unsigned mode = 0;   // of the configuration itself

  std::string resolve(const std::string& path) const;  // relative paths lie beside the file
  // Reads the file named at `where`; a fault where that fails. `what`: "the certificate".
  std::optional<FileFacts> read(const Located& where, std::string_view what) const;
  // A domain name written at `where`; a fault where it is none.
  std::optional<Domain> domain(const Located& where) const;
  std::optional<Domain> domain_in(const std::string& file, const Located& where) const;
};

struct TlsSection {
  Credential credential;
  std::string trust_anchors = "system", minimum = "1.2";
  Revocation revocation = Revocation::soft;
  std::vector<std::string> crl;
  std::vector<TlsFor> others;
};
TlsSection read_tls(Section& tls, const Context& context);

// Names the certificate and key of `section`, checks the key's modes, that the files hold what they should, and that
// they belong together (AB-164). Dates and names are judged where there is a clock.
Credential read_credential(Section& section, const Context& context);
// What is wrong with this pair of PEM texts, as "what; advice": nullopt if nothing.
struct CredentialFault {
  bool is_the_key;  // else the certificate
  std::string what, advice;
};
std::optional<CredentialFault> check_credential(std::string_view certificate_pem, std::string_view key_pem);

struct DnsSection {
  std::string trust_anchor = "/usr/share/dns/root.key";
  std::vector<std::string> forward;
  std::vector<AddressRange> allow_addresses;
};
DnsSection read_dns(Section& dns, const Context& context);

std::vector<Listen> read_listeners(std::vector<Section> listeners, const Context& context);
std::vector<HostedLink> read_domains(std::vector<Section> domains, const Context& context);
Policy read_policy(Section& policy, const Context& context, bool dnssec_is_on);
Limits read_limits(Section& limits, Findings& findings);

}  // namespace ligase::config
