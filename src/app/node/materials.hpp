// What a node reads from files before it starts: certificates, trust anchors, the dialback secret.
#pragma once
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "config/config.hpp"
#include "proof/certificate.hpp"
#include "proof/revocation_list.hpp"
#include "tls/contexts.hpp"

namespace ligase::node {

constexpr const char* kSystemAnchors = "/etc/ssl/certs/ca-certificates.crt";  // Debian's ca-certificates

WallTime wall_now();

// [tls] trust_anchors, or the system's. Reason::file_unreadable, pkix_chain.
Result<std::shared_ptr<const proof::TrustAnchors>> read_anchors(const config::Config& config,
                                                                const config::Files& files);
// [tls] and [[tls.for]]. The first that cannot be used is the error. `staples`: what their sessions staple.
Result<std::shared_ptr<const tls::Contexts>> read_contexts(const config::Config& config, const config::Files& files,
                                                           std::shared_ptr<const tls::Staples> staples);
// The certificates of [tls] and [[tls.for]], each once, as Chain.
std::vector<std::shared_ptr<const proof::Chain>> read_own_chains(const config::Config& config,
                                                                 const config::Files& files);
// All of [tls] crl. The first file that cannot be used is the error.
Result<std::vector<std::shared_ptr<proof::RevocationList>>> read_all_revocation_lists(const config::Config& config,
                                                                                      const config::Files& files);
// The lists of one file of [tls] crl. Reason::file_unreadable.
Result<std::vector<std::shared_ptr<proof::RevocationList>>> read_revocation_lists(const std::string& path,
                                                                                  const config::Files& files);
// When the gateway's own certificate ends; nullopt: it cannot be read.
std::optional<WallTime> own_certificate_expiry(const config::Config& config, const config::Files& files);
// The text of [dns] trust_anchor; "" where DNSSEC is off.
Result<std::string> read_dns_anchor(const config::Config& config, const config::Files& files);

}  // namespace ligase::node
