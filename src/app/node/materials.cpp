// Files become what the layers below want.
#include "node/materials.hpp"

#include <chrono>

#include "base/bytes.hpp"

namespace ligase::node {
namespace {

Result<std::string> read_text(const std::string& path, const config::Files& files, const std::string& what) {
  const auto facts = files.read(path);
  if (facts) return facts->text;
  return fail(Reason::file_unreadable, "cannot read " + what + " \"" + escaped(path) + "\": " + facts.error());
}

Result<tls::Credential> read_credential(const config::Credential& credential, const config::Files& files) {
  const Result<std::string> certificate = read_text(credential.certificate_file, files, "the certificate");
  if (!certificate) return fail(certificate.error());
  const Result<std::string> key = read_text(credential.private_key_file, files, "the private key");
  if (!key) return fail(key.error());
  return tls::Credential{*certificate, *key, credential.certificate_file};
}

}  // namespace

WallTime wall_now() { return std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now()); }

Result<std::shared_ptr<const proof::TrustAnchors>> read_anchors(const config::Config& config,
                                                                const config::Files& files) {
  const std::string path = config.trust_anchors == "system" ? kSystemAnchors : config.trust_anchors;
  const Result<std::string> pem = read_text(path, files, "the trust anchors");
  if (!pem) return fail(pem.error());
  return proof::TrustAnchors::parse_pem(*pem);
}

Result<std::shared_ptr<const tls::Contexts>> read_contexts(const config::Config& config, const config::Files& files) {
  const Result<tls::Credential> own = read_credential(config.credential, files);
  if (!own) return fail(own.error());
  std::vector<tls::Contexts::For> others;
  for (const config::TlsFor& other : config.tls_for) {
    const Result<tls::Credential> credential = read_credential(other.credential, files);
    if (!credential) return fail(credential.error());
    others.push_back({other.domains, *credential});
  }
  const auto minimum = config.tls_minimum == "1.3" ? tls::MinimumVersion::tls13 : tls::MinimumVersion::tls12;
  return tls::Contexts::make(*own, others, minimum, wall_now());
}

std::optional<WallTime> own_certificate_expiry(const config::Config& config, const config::Files& files) {
  const auto pem = files.read(config.credential.certificate_file);
  const auto chain = pem ? proof::Chain::parse_pem(pem->text) : fail(Reason::file_unreadable);
  return chain ? std::optional((*chain)->not_after()) : std::nullopt;
}

Result<std::string> read_dns_anchor(const config::Config& config, const config::Files& files) {
  if (config.dns_trust_anchor.empty()) return std::string();
  return read_text(config.dns_trust_anchor, files, "the DNSSEC trust anchor");
}

}  // namespace ligase::node
