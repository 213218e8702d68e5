// Files become what the layers below want.
#include "node/materials.hpp"

#include <chrono>
#include <map>

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

Result<std::shared_ptr<const tls::Contexts>> read_contexts(const config::Config& config, const config::Files& files,
                                                           std::shared_ptr<const tls::Staples> staples) {
  const Result<tls::Credential> own = read_credential(config.credential, files);
  if (!own) return fail(own.error());
  std::vector<tls::Contexts::For> others;
  for (const config::TlsFor& other : config.tls_for) {
    const Result<tls::Credential> credential = read_credential(other.credential, files);
    if (!credential) return fail(credential.error());
    others.push_back({other.domains, *credential});
  }
  const auto minimum = config.tls_minimum == "1.3" ? tls::MinimumVersion::tls13 : tls::MinimumVersion::tls12;
  return tls::Contexts::make(*own, others, minimum, std::move(staples));
}

std::vector<std::shared_ptr<const proof::Chain>> read_own_chains(const config::Config& config,
                                                                 const config::Files& files) {
  std::map<std::string, std::shared_ptr<const proof::Chain>> by_leaf;
  const auto add = [&](const config::Credential& credential) {
    const auto facts = files.read(credential.certificate_file);
    const auto chain = facts ? proof::Chain::parse_pem(facts->text) : fail(Reason::file_unreadable);
    if (chain) by_leaf.emplace((*chain)->fingerprint(), *chain);
  };
  add(config.credential);
  for (const config::TlsFor& other : config.tls_for) add(other.credential);
  std::vector<std::shared_ptr<const proof::Chain>> chains;
  chains.reserve(by_leaf.size());
  for (auto& [leaf, chain] : by_leaf) chains.push_back(std::move(chain));
  return chains;
}

Result<std::vector<std::shared_ptr<proof::RevocationList>>> read_all_revocation_lists(const config::Config& config,
                                                                                      const config::Files& files) {
  std::vector<std::shared_ptr<proof::RevocationList>> all;
  for (const std::string& path : config.crl) {
    const auto lists = read_revocation_lists(path, files);
    if (!lists) return fail(lists.error());
    all.insert(all.end(), lists->begin(), lists->end());
  }
  return all;
}

Result<std::vector<std::shared_ptr<proof::RevocationList>>> read_revocation_lists(const std::string& path,
                                                                                  const config::Files& files) {
  const Result<std::string> text = read_text(path, files, "the revocation list");
  if (!text) return fail(text.error());
  auto lists = proof::RevocationList::parse(*text);
  if (!lists) return fail(lists.error().reason, "\"" + escaped(path) + "\": " + lists.error().detail);
  return lists;
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
