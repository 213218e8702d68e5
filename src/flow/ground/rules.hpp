// What is allowed now, and what it was allowed under: the policy and its epoch, limits, trust anchors, which certificate is shown
// for whom. A proof is good for the epoch in which it was judged (AB-179).
#pragma once
#include <map>
#include <memory>
#include <string>

#include "config/config.hpp"
#include "pair/refs.hpp"
#include "proof/certificate.hpp"
#include "proof/path_cache.hpp"

namespace ligase::ground {

class Rules {
 public:
  struct Given {
    config::Limits limits{};
    config::Policy policy{};
    std::shared_ptr<const proof::TrustAnchors> anchors{};
    std::string dialback_secret{};  // >= 32 bytes (DB-01)
    bool dnssec_is_on = true;       // false: trust_anchor = ""
    proof::RevocationMode revocation = proof::RevocationMode::off;
    std::map<Domain, std::size_t> own_certificates{};  // a domain with a certificate by [[tls.for]]: which, from 1
  };
  explicit Rules(Given given) : given_(std::move(given)), paths(given_.anchors) {}

  // The one door: may this remote domain be spoken with at all? policy_blocked; or name_not_allowed, as a special-use name is
  // refused unless a policy rule names it (NAME-01, AB-146).
  Result<void> admits(const Domain& remote) const;
  proof::PeerPolicy towards(const Domain& remote) const { return given_.policy.towards(remote); }
  Encryption encryption_towards(const Domain* remote) const;
  bool is_internal_allowed() const noexcept { return given_.policy.internal; }

  // Another policy from now on, and so another epoch.
  void take(config::Policy policy);
  pair::PolicyEpoch epoch() const noexcept { return epoch_; }

  const config::Limits& limits() const noexcept { return given_.limits; }
  const std::shared_ptr<const proof::TrustAnchors>& anchors() const noexcept { return given_.anchors; }
  const std::string& dialback_secret() const noexcept { return given_.dialback_secret; }
  bool dnssec_is_on() const noexcept { return given_.dnssec_is_on; }
  proof::RevocationMode revocation() const noexcept { return given_.revocation; }

  // Which certificate is shown for a domain of ours: 0, the gateway's own, or that of `own_certificates`.
  std::size_t certificate_of(const Domain& domain) const;
  void take_own_certificates(std::map<Domain, std::size_t> own);

  proof::Proof bounded(proof::Proof proof, WallTime now) const;  // by proof_max_age

 private:
  Given given_;
  pair::PolicyEpoch epoch_{1};

 public:
  proof::PathCache paths;  // of the anchors
};

}  // namespace ligase::ground
