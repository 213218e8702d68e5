#include "ground/rules.hpp"

#include <algorithm>

namespace ligase::ground {

Result<void> Rules::admits(const Domain& remote) const {
  if (given_.policy.towards(remote).is_blocked) return fail(Reason::policy_blocked, "[[policy.peer]] blocks it");
  if (remote.is_special_use() &&
      std::ranges::none_of(given_.policy.peers, [&](const config::PeerRule& rule) { return rule.names(remote); }))
    return fail(Reason::name_not_allowed, "a special-use name that no [[policy.peer]] lists");
  return {};
}

Encryption Rules::encryption_towards(const Domain* remote) const {
  return remote != nullptr ? towards(*remote).encryption : given_.policy.defaults.encryption;
}

void Rules::take(config::Policy policy) {
  given_.policy = std::move(policy);
  ++epoch_.number;
}

std::size_t Rules::certificate_of(const Domain& domain) const {
  const auto found = given_.own_certificates.find(domain);
  return found == given_.own_certificates.end() ? 0 : found->second;
}

void Rules::take_own_certificates(std::map<Domain, std::size_t> own) { given_.own_certificates = std::move(own); }

proof::Proof Rules::bounded(proof::Proof proof, WallTime now) const {
  proof.expires =
      std::min(proof.expires, now + std::chrono::duration_cast<std::chrono::seconds>(given_.limits.proof_max_age));
  return proof;
}

}  // namespace ligase::ground
