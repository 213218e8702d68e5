// What DNS says of a domain and of the hosts that serve it, gathered for one judgement. Nothing here decides.
#pragma once
#include <memory>
#include <vector>

#include "proof/judge.hpp"
#include "seams/resolver.hpp"

namespace ligase::dns {

struct HostFacts {
  proof::Security addresses_security = proof::Security::indeterminate;
  std::vector<Address> addresses;  // IPv6 and IPv4 in turn, RFC 8305 §4
  WallTime addresses_expire{};
  std::optional<proof::TlsaSet> tlsa;  // nullopt: not asked, since its answer could prove nothing
  std::optional<Error> failure;        // nothing may be tried there (rows O-04, O-05)
};

// SRV _xmpp-server._tcp.<domain>, read (DNS-02).
Task<proof::Delegation> find_delegation(seams::Resolver& resolver, Domain domain, WallTime now);

// Addresses of a target, A and AAAA together, and side by side with them TLSA (DNS-03, DNS-04); where the target is an
// alias, signed all along, then TLSA at the name it stands for, which comes first (O-28, RFC 7671 §7).
// `delegation`: the security of the way to the target; TLSA is asked only behind a secure one.
Task<HostFacts> look_up_host(seams::Resolver& resolver, proof::SrvTarget target, proof::Security delegation,
                             WallTime now);

// Everything that judge_client() wants to know of a sender domain: `_xmpp-server.S`, SRV, and the TLSA of its first targets:
// eight questions at most. `chain`: what was shown, which says whose records could match; null: nothing.
struct SenderFacts {
  std::optional<proof::TlsaSet> client_tlsa;
  proof::Delegation delegation;
  std::vector<proof::TargetEvidence> targets;
};
Task<SenderFacts> look_up_sender(seams::Resolver& resolver, Domain sender, std::shared_ptr<const proof::Chain> chain,
                                 bool dnssec_is_on, WallTime now);

}  // namespace ligase::dns
