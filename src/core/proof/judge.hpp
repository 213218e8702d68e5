// The one place that decides whether a far end is who it must be: spec rows O-01… (outgoing) and I-01… (incoming).
// Pure: evidence, policy and time in; a Proof with its expiry, or a refusal that says in a sentence why. No default
// branch grants; an error is "not proven".
#pragma once
#include <array>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/encryption.hpp"
#include "proof/certificate.hpp"
#include "proof/dns.hpp"
#include "proof/path_cache.hpp"
#include "proof/posh.hpp"
#include "proof/revocation.hpp"

namespace ligase::proof {

enum class ProofType : std::uint8_t { dane, dnssec, pkix, posh, dialback };
constexpr std::size_t kProofTypes = 5;
std::string_view name_of(ProofType type) noexcept;
std::optional<ProofType> parse_proof_type(std::string_view name) noexcept;

struct Proof {
  ProofType type;
  WallTime expires;
  std::string evidence;  // one line a person reads: which record, which name, which fingerprint
  // Of the policies this process has had, the one under which it was judged (AB-179); whoever asked for the judgement sets
  // it, at that moment. Storing it later under another policy makes nothing of it live.
  std::uint64_t epoch = 0;
  bool operator==(const Proof&) const = default;
};

// Towards one remote domain, as in force now ([policy], [[policy.peer]]).
struct PeerPolicy {
  std::vector<ProofType> proofs{ProofType::dane, ProofType::dnssec, ProofType::pkix, ProofType::posh,
                                ProofType::dialback};
  Encryption encryption = Encryption::required;
  bool is_blocked = false;
  bool may_multiplex = true;
  bool may_bidi = true;
  bool allows(ProofType type) const noexcept;
};

// Outgoing: is the far end of this session D, reached at target T? All facts are this pair's own look-ups and this
// session's certificate (MUX-02).
struct ServerEvidence {
  const Domain& domain;
  const Delegation& delegation;  // kind srv or fallback here: failed ones never come to a session
  const SrvTarget& target;       // fallback: the domain itself, 5269
  Security addresses;            // of the target's address answers
  const TlsaSet* tlsa;           // null: not asked (insecure delegation or addresses)
  const Chain* chain;            // null: no TLS
  const TrustAnchors& anchors;
  WallTime addresses_expire{};
  PathCache* paths = nullptr;  // of these anchors; null, or of others: not used. It only saves time
  // Of the chain (O-23); null: nothing is known. It counts where a path does: not for DANE-EE, POSH and dialback.
  const RevocationAnswer* revocation = nullptr;
  RevocationMode revocation_mode = RevocationMode::off;
  const PoshAnswer* posh = nullptr;  // null: not asked
};
// The first type of policy.proofs that holds. A Proof of type dialback means: not proven by anything shown; the delegation
// alone says that it is D, and the policy accepts that (O-17). The reasons of every stronger attempt are in its evidence.
// `expires` is the earliest of what was used (WallTime::max() for dialback); the caller bounds it by proof_max_age.
// With signed delegation and addresses, `tlsa` must have been asked: a null there is refused, for it may hide a mismatch.
Result<Proof> judge_server(const ServerEvidence& evidence, const PeerPolicy& policy, WallTime now);
// Would a proof rest on a path of the chain, so that it matters whether its certificate was taken back?
bool rests_on_path(const ServerEvidence& evidence, WallTime now);

// The sender domain's own targets with what DNS says of each, for the receiving side (row I-03): at most so many, for a
// claim is worth ten questions (AB-195).
constexpr std::size_t kMostSenderTargets = 2;
struct TargetEvidence {
  SrvTarget target;
  Security addresses = Security::indeterminate;
  std::optional<TlsaSet> tlsa;  // nullopt: not asked
  WallTime addresses_expire = WallTime::max();
};
// Incoming: may this session speak for S? By certificate only (I-01…I-09, I-12…I-14); dialback (I-10) is a procedure.
struct ClientEvidence {
  const Domain& domain;          // S
  const TlsaSet* client_tlsa;    // _xmpp-server.S; null: not asked
  const Delegation& delegation;  // of S; may be `failed` (I-12)
  const std::vector<TargetEvidence>& targets;
  const Chain* chain;  // null: none shown
  const TrustAnchors& anchors;
  bool dnssec_is_on = true;                      // false: trust_anchor = "": nothing to downgrade (I-12)
  PathCache* paths = nullptr;                    // as in ServerEvidence
  const RevocationAnswer* revocation = nullptr;  // I-13
  RevocationMode revocation_mode = RevocationMode::off;
  const PoshAnswer* posh = nullptr;  // null: not asked
};
struct ClientRefusal {
  Error error;
  bool may_dial_back;           // dialback may follow, if the policy lists it
  bool authority_must_be_dane;  // I-04: only an authority proven by dane counts then
  bool is_temporary;            // I-12
};
// The first certificate type of policy.proofs that holds; dialback is the caller's next step. `targets` are kMostSenderTargets
// of the delegation, or all: fewer are refused, for they may hide a mismatch. A match outweighs what else could not be had.
tl::expected<Proof, ClientRefusal> judge_client(const ClientEvidence& evidence, const PeerPolicy& policy, WallTime now);
bool rests_on_path(const ClientEvidence& evidence, WallTime now);

// Is a POSH document worth its fetching (POSH-05, D-10)? True where one that lists the certificate shown would make the
// proof `posh`: the policy takes it, nothing that the policy prefers is there, and nothing forbids what is weaker.
bool would_posh_decide(const ServerEvidence& evidence, const PeerPolicy& policy, WallTime now);
bool would_posh_decide(const ClientEvidence& evidence, const PeerPolicy& policy, WallTime now);

// I-10: the authority, proven as `authority` by judge_server, said valid. Where it must be dane (I-04), judge it with dane
// first in the list. Expires with the authority's proof (WallTime::max() if that was dialback); proof_max_age and the
// stream bound it, which is the caller's part. Without TLS under encryption = "required": refused (I-14).
struct DialbackEvidence {
  const Proof& authority;
  bool over_tls;
  std::string authority_host;
};
Result<Proof> judge_dialback(const DialbackEvidence& evidence, bool authority_must_be_dane, const PeerPolicy& policy,
                             WallTime now);

}  // namespace ligase::proof
