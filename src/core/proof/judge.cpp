// The rows of both truth tables, in their order. Each look at the evidence notes what it found and, where it failed, why:
// the reasons of stronger attempts travel with a weaker proof.
#include "proof/judge.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace ligase::proof {
namespace {

constexpr std::size_t kShownDigits = 16;

constexpr std::string_view kNames[] = {"dane", "dnssec", "pkix", "posh", "dialback"};
static_assert(std::size(kNames) == kProofTypes);

std::string fingerprint(const Chain& chain) { return chain.fingerprint().substr(0, kShownDigits) + "…"; }
std::string date(WallTime time) { return rfc3339(time).substr(0, 10); }

std::string signed_or_not(Security security) { return security == Security::secure ? "signed" : "unsigned"; }

std::string target_text(const SrvTarget& target) { return fmt::format("{}:{}", target.host.text(), target.port); }

std::string list_of(const std::vector<ProofType>& proofs) {
  std::string out;
  for (const ProofType type : proofs) out += (out.empty() ? "" : ", ") + std::string(name_of(type));
  return out.empty() ? "none" : out;
}

// Per type: what was found, or why it was not.
class Findings {
 public:
  explicit Findings(WallTime now) : now_(now) {}

  // A proof that ran out before it began is none.
  void found(ProofType type, WallTime expires, std::string evidence) {
    if (expires <= now_) return missed(type, {Reason::proof_expired, "what proved it ran out at " + rfc3339(expires)});
    at(type).proof = Proof{type, expires, std::move(evidence)};
  }
  void missed(ProofType type, Error why) { at(type).why = std::move(why); }
  bool has(ProofType type) const noexcept { return at(type).proof.has_value(); }
  const std::optional<Error>& why_not(ProofType type) const noexcept { return at(type).why; }

  // The first type of the list that was found; the reasons of the stronger ones, which were not, behind its evidence.
  std::optional<Proof> choose(const PeerPolicy& policy) const {
    for (const ProofType type : policy.proofs) {
      if (!has(type)) continue;
      Proof chosen = *at(type).proof;
      chosen.evidence += reasons_above(type);
      return chosen;
    }
    return std::nullopt;
  }
  // O-26: something proves it, but nothing of the list.
  std::optional<Error> not_allowed(const PeerPolicy& policy) const {
    std::string what;
    for (const ProofType type : {ProofType::dane, ProofType::dnssec, ProofType::pkix, ProofType::posh})
      if (has(type))
        what += fmt::format("{}{} ({})", what.empty() ? "" : ", ", name_of(type), at(type).proof->evidence);
    if (what.empty()) return std::nullopt;
    return Error{Reason::policy_proof, fmt::format("found {}; the policy asks for {}", what, list_of(policy.proofs))};
  }

 private:
  // "; no dnssec, pkix: certificate 4f2a… has expired"
  std::string reasons_above(ProofType type) const {
    std::string out;
    std::string_view last;
    for (std::size_t i = static_cast<std::size_t>(type); i-- > 0;) {
      if (!all_[i].why) continue;
      const std::string_view why = all_[i].why->detail;
      if (why == last)
        out.insert(std::string_view("; no ").size(), fmt::format("{}, ", kNames[i]));
      else
        out.insert(0, fmt::format("; no {}: {}", kNames[i], why));
      last = why;
    }
    return out;
  }

  struct Finding {
    std::optional<Proof> proof;
    std::optional<Error> why;
  };
  Finding& at(ProofType type) noexcept { return all_[static_cast<std::size_t>(type)]; }
  const Finding& at(ProofType type) const noexcept { return all_[static_cast<std::size_t>(type)]; }

  WallTime now_;
  std::array<Finding, kProofTypes> all_;
};

// O-23, I-13: what revocation makes of a chain that leads to an anchor.
struct Standing {
  std::optional<Error> refusal{};
  std::string note{};                  // goes behind the evidence
  WallTime expires = WallTime::max();  // the answer's, where there must be one
};
Standing look_at_revocation(const Chain& chain, const RevocationAnswer* answer, RevocationMode mode, WallTime now) {
  using Status = RevocationAnswer::Status;
  const bool must = mode == RevocationMode::hard || chain.must_staple();  // RFC 7633: hard always (REV-03)
  if (mode == RevocationMode::off && !must) return {};
  const Status status = answer == nullptr                                          ? Status::unknown
                        : answer->status == Status::good && answer->expires <= now ? Status::unknown
                                                                                   : answer->status;
  switch (status) {
    case Status::revoked:
      return {.refusal =
                  Error{Reason::pkix_revoked, fmt::format("certificate {}: {}", fingerprint(chain), answer->evidence)}};
    case Status::good:
      return {.note = "; " + answer->evidence, .expires = must ? answer->expires : WallTime::max()};
    case Status::unknown:
      break;
  }
  const std::string why = answer == nullptr || answer->evidence.empty() ? "nobody was asked" : answer->evidence;
  if (!must) return {.note = "; not known whether revoked: " + why};
  return {.refusal = Error{Reason::pkix_revocation_unknown,
                           fmt::format("certificate {}: not known whether revoked, and {}: {}", fingerprint(chain),
                                       chain.must_staple() ? "it says itself that this must be known (must-staple)"
                                                           : "[tls] revocation = \"hard\" wants to know",
                                       why)}};
}

template <class Evidence>
Standing standing_of(const Evidence& evidence, WallTime now) {
  return evidence.chain == nullptr
             ? Standing{}
             : look_at_revocation(*evidence.chain, evidence.revocation, evidence.revocation_mode, now);
}

// The path that a TLSA record of usage 0, 1 or 2 leads over may hold a revoked certificate.
Result<DaneMatch> match_unrevoked(const Chain& chain, const TlsaSet& tlsa, const TrustAnchors& anchors, Role shown_by,
                                  bool names_ok, const Standing& standing, WallTime now) {
  Result<DaneMatch> match = match_dane(chain, tlsa, anchors, shown_by, names_ok, now);
  if (!match || match->record.usage == TlsaUsage::dane_ee) return match;
  if (standing.refusal)
    return fail(standing.refusal->reason,
                fmt::format("TLSA {} matches, but {}", match->record.text(), standing.refusal->detail));
  match->expires = std::min(match->expires, standing.expires);
  return match;
}

std::string dane_evidence(const DaneMatch& match, const TlsaSet& tlsa, const Chain& chain, const Standing& standing) {
  std::string out =
      fmt::format("TLSA {} at {} matches certificate {}", match.record.text(), escaped(tlsa.owner), fingerprint(chain));
  if (match.record.usage != TlsaUsage::dane_ee)
    out += fmt::format(", whose chain is valid until {}{}", date(match.expires), standing.note);
  return out;
}

Error blocked(const Domain& domain) {
  return Error{Reason::policy_blocked, fmt::format("{} is blocked by the configuration", domain.text())};
}

// The host of "_5269._tcp.host": where a TLSA stood, which may be T's expanded name (O-28).
std::optional<HostName> host_of_owner(std::string_view owner) {
  for (int labels = 0; labels < 2; ++labels) {
    const std::size_t dot = owner.find('.');
    if (dot == std::string_view::npos || !owner.starts_with('_')) return std::nullopt;
    owner.remove_prefix(dot + 1);
  }
  const Result<HostName> host = HostName::parse(owner);
  return host ? std::optional(*host) : std::nullopt;
}

// D or T by a signed SRV; without an SRV D alone (D-03).
bool names_reference(const Chain& chain, const Domain& domain, const Delegation& delegation, const SrvTarget& target,
                     const TlsaSet& tlsa) {
  if (chain.names_domain(domain)) return true;
  if (delegation.kind != Delegation::Kind::srv || delegation.security != Security::secure) return false;
  if (chain.names_host(target.host)) return true;
  const std::optional<HostName> expanded = host_of_owner(tlsa.owner);
  return expanded && chain.names_host(*expanded);
}

bool leads_to(const Delegation& delegation, const SrvTarget& target) {
  return std::ranges::any_of(delegation.targets,
                             [&](const SrvTarget& one) { return one.host == target.host && one.port == target.port; });
}

// O-01 … O-04: may this target be used at all?
std::optional<Error> unusable(const ServerEvidence& evidence) {
  const Delegation& delegation = evidence.delegation;
  const bool is_served = delegation.kind == Delegation::Kind::srv || delegation.kind == Delegation::Kind::fallback;
  if (!is_served || is_failed(delegation.security))
    return delegation.failure.value_or(
        Error{Reason::dns_indeterminate, fmt::format("nothing says where {} is served", evidence.domain.text())});
  const std::string_view host = evidence.target.host.text();
  if (!leads_to(delegation, evidence.target))
    return Error{Reason::internal,
                 fmt::format("{} is not served at {}", evidence.domain.text(), target_text(evidence.target))};
  if (evidence.addresses == Security::bogus)
    return Error{Reason::dns_bogus, fmt::format("the address answer for {} is bogus", host)};
  if (evidence.addresses == Security::indeterminate && delegation.security == Security::secure)
    return Error{Reason::dns_indeterminate, fmt::format("the addresses of {} could not be had", host)};
  return std::nullopt;
}

// O-05 … O-13 and O-21. A refusal here is final for this target: nothing weaker may follow (D-01).
std::optional<Error> look_for_dane(const ServerEvidence& evidence, const Standing& standing, Findings& findings,
                                   WallTime now) {
  const auto none = [&](Reason reason, std::string why) { findings.missed(ProofType::dane, {reason, std::move(why)}); };
  if (evidence.delegation.security != Security::secure) {
    none(Reason::dane_mismatch, fmt::format("the SRV answer for {} is unsigned", evidence.domain.text()));
    return std::nullopt;
  }
  if (evidence.addresses != Security::secure) {
    none(Reason::dane_mismatch, fmt::format("the addresses of {} are unsigned", evidence.target.host.text()));
    return std::nullopt;
  }
  // Signed all the way, so the question had to be asked: not knowing is no absence.
  if (evidence.tlsa == nullptr)
    return Error{Reason::dns_tlsa_bogus, fmt::format("the TLSA of {} was not asked", target_text(evidence.target))};
  const TlsaSet& tlsa = *evidence.tlsa;
  if (is_failed(tlsa.security))
    return Error{Reason::dns_tlsa_bogus,
                 fmt::format("the TLSA answer at {} is {}{}{}", escaped(tlsa.owner), name_of(tlsa.security),
                             tlsa.why.empty() ? "" : ": ", escaped(tlsa.why))};
  if (tlsa.security != Security::secure || tlsa.usable.empty()) {
    if (tlsa.security == Security::secure && tlsa.has_records && evidence.chain == nullptr)  // O-12
      return Error{Reason::policy_encryption,
                   fmt::format("TLSA records stand at {}, so TLS is demanded", escaped(tlsa.owner))};
    none(Reason::dane_mismatch,
         fmt::format("{} TLSA record at {}", tlsa.has_records ? "no usable" : "no", escaped(tlsa.owner)));
    return std::nullopt;
  }
  if (evidence.chain == nullptr)  // O-24
    return Error{Reason::policy_encryption,
                 fmt::format("TLSA records stand at {}, so TLS is demanded", escaped(tlsa.owner))};
  const bool names_ok = names_reference(*evidence.chain, evidence.domain, evidence.delegation, evidence.target, tlsa);
  const Result<DaneMatch> match =
      match_unrevoked(*evidence.chain, tlsa, evidence.anchors, Role::receiving, names_ok, standing, now);
  if (!match) return match.error();
  const WallTime expires =
      std::min({evidence.delegation.expires, evidence.addresses_expire, tlsa.expires, match->expires});
  findings.found(ProofType::dane, expires, dane_evidence(*match, tlsa, *evidence.chain, standing));
  // It matched, but on answers that are over: they must be asked again, not stepped over.
  return findings.has(ProofType::dane) ? std::nullopt : findings.why_not(ProofType::dane);
}

// PKIX-04: the same answer, from memory where there is one.
Result<WallTime> verify(const Chain& chain, const TrustAnchors& anchors, Role shown_by, PathCache* paths,
                        WallTime now) {
  const bool is_remembered = paths != nullptr && paths->is_of(anchors);
  return is_remembered ? paths->verify(chain, shown_by, now) : verify_path(chain, anchors, shown_by, now);
}

// O-14, O-15, O-19, O-20, O-22 and I-05, I-06, I-07, I-09: what a valid chain names. `reached`: the targets of D's SRV that
// count, each known to have no usable TLSA that does not match.
void look_at_path(const Chain& chain, const Result<WallTime>& path, const Standing& standing, const Domain& domain,
                  const Delegation& delegation, const std::vector<SrvTarget>& reached, Findings& findings) {
  const auto missed = [&](ProofType type, std::string why) {
    findings.missed(type, {Reason::pkix_name, std::move(why)});
  };
  if (!path || standing.refusal) {  // O-23
    const Error why =
        path ? *standing.refusal
             : Error{path.error().reason, fmt::format("certificate {}: {}", fingerprint(chain), path.error().detail)};
    findings.missed(ProofType::dnssec, why);
    findings.missed(ProofType::pkix, why);
    return;
  }
  const WallTime expires = std::min(*path, standing.expires);
  if (chain.names_domain(domain))
    findings.found(ProofType::pkix, expires,
                   fmt::format("certificate {} names {} and is valid until {}{}", fingerprint(chain), domain.text(),
                               date(*path), standing.note));
  else
    missed(ProofType::pkix, fmt::format("certificate {} does not name {}", fingerprint(chain), domain.text()));
  if (delegation.kind != Delegation::Kind::srv)
    return missed(ProofType::dnssec, fmt::format("{} has no SRV record", domain.text()));
  if (delegation.security != Security::secure)
    return missed(ProofType::dnssec, fmt::format("the SRV record of {} is unsigned", domain.text()));
  const auto named = std::ranges::find_if(reached, [&](const SrvTarget& at) { return chain.names_host(at.host); });
  if (named == reached.end())
    return missed(ProofType::dnssec,
                  fmt::format("certificate {} names no host that the signed SRV record of {} leads to",
                              fingerprint(chain), domain.text()));
  findings.found(ProofType::dnssec, std::min(delegation.expires, expires),
                 fmt::format("signed SRV record leads to {}; its certificate {} is valid until {}{}",
                             named->host.text(), fingerprint(chain), date(*path), standing.note));
}

// O-16, I-08: the domain's own document lists the certificate, which is within its dates (D-02).
void look_at_posh(const Chain& chain, const PoshAnswer* answer, Findings& findings, WallTime now) {
  const auto missed = [&](Reason reason, std::string why) {
    findings.missed(ProofType::posh, {reason, std::move(why)});
  };
  if (now < chain.not_before())
    return missed(Reason::pkix_expired,
                  fmt::format("certificate {} is not valid before {}", fingerprint(chain), date(chain.not_before())));
  if (now > chain.not_after())
    return missed(Reason::pkix_expired,
                  fmt::format("certificate {} has expired on {}", fingerprint(chain), date(chain.not_after())));
  if (answer == nullptr) return;
  if (answer->failure) return findings.missed(ProofType::posh, *answer->failure);
  const std::optional<std::string> hashes = match_posh(answer->descriptors, chain);
  if (!hashes)
    return missed(Reason::posh_mismatch, fmt::format("the POSH document {} does not list certificate {}",
                                                     escaped(answer->source), fingerprint(chain)));
  findings.found(ProofType::posh, std::min(answer->expires, chain.not_after()),
                 fmt::format("the POSH document {} lists certificate {} ({}) and is good until {}",
                             escaped(answer->source), fingerprint(chain), *hashes, rfc3339(answer->expires)));
}

// What judging would be worth with a document that lists the chain's leaf.
PoshAnswer ideal_posh(const Chain& chain) { return {{posh_descriptor(chain)}, std::nullopt, WallTime::max(), {}}; }

// O-17: the delegation alone says that it is D.
std::string delegation_evidence(const ServerEvidence& evidence) {
  const Delegation& delegation = evidence.delegation;
  if (delegation.kind == Delegation::Kind::srv)
    return fmt::format("only the {} SRV record says that {} is {}", signed_or_not(delegation.security),
                       target_text(evidence.target), evidence.domain.text());
  return fmt::format("only the address of {} says who it is", evidence.domain.text());
}

// A refusal for want of any proof: the chain's reason where a chain would have done, and what the others said.
Error not_proven(const Domain& domain, const Findings& findings, const PeerPolicy& policy) {
  Reason reason = Reason::policy_proof;
  std::string detail;
  for (const bool is_listed : {true, false}) {  // what would have done first: a log line is cut
    for (const ProofType type : {ProofType::pkix, ProofType::dnssec, ProofType::posh, ProofType::dane}) {
      const std::optional<Error>& why = findings.why_not(type);
      if (!why || policy.allows(type) != is_listed) continue;
      if (reason == Reason::policy_proof && type != ProofType::dane && is_listed) reason = why->reason;
      if (detail.find(why->detail) == std::string::npos) detail += (detail.empty() ? "" : "; ") + why->detail;
    }
  }
  return Error{reason, fmt::format("{} is not proven (the policy asks for {}): {}", domain.text(),
                                   list_of(policy.proofs), detail)};
}

// --- The incoming side ---

ClientRefusal refused(Error error, const PeerPolicy& policy) {
  return {std::move(error), policy.allows(ProofType::dialback), false, false};
}
// I-12: neither a weaker proof nor a dial-back, which would need the same answers.
ClientRefusal refused_for_now(Error error) { return {std::move(error), false, false, true}; }

bool is_delegated(const Delegation& delegation) noexcept {
  return (delegation.kind == Delegation::Kind::srv || delegation.kind == Delegation::Kind::fallback) &&
         delegation.security == Security::secure;
}

// What the TLSA records of S's targets say of C (I-03, I-04, I-12).
struct AuthorityFindings {
  std::optional<Error> broken;    // an answer that was needed did not come whole
  std::optional<Error> mismatch;  // usable records that C does not fulfil
  bool has_usable = false;
};

AuthorityFindings look_at_targets(const ClientEvidence& evidence, const Standing& standing, Findings& findings,
                                  WallTime now) {
  AuthorityFindings result;
  if (!is_delegated(evidence.delegation)) return result;
  if (evidence.targets.size() < std::min(kMostSenderTargets, evidence.delegation.targets.size()))
    result.broken =
        Error{Reason::dns_tlsa_bogus, fmt::format("not every target of {} was asked", evidence.domain.text())};
  for (std::size_t i = 0; i < evidence.targets.size() && i < kMostSenderTargets; ++i) {
    const TargetEvidence& at = evidence.targets[i];
    if (!leads_to(evidence.delegation, at.target)) continue;
    if (at.addresses == Security::insecure) continue;
    if (is_failed(at.addresses)) {
      result.broken =
          Error{at.addresses == Security::bogus ? Reason::dns_bogus : Reason::dns_indeterminate,
                fmt::format("the address answer for {} is {}", at.target.host.text(), name_of(at.addresses))};
      continue;
    }
    if (!at.tlsa || is_failed(at.tlsa->security)) {
      result.broken = Error{Reason::dns_tlsa_bogus,
                            fmt::format("the TLSA of {} is {}", target_text(at.target),
                                        at.tlsa ? name_of(at.tlsa->security) : std::string_view("not known"))};
      continue;
    }
    if (at.tlsa->security != Security::secure || at.tlsa->usable.empty()) continue;
    result.has_usable = true;
    if (evidence.chain == nullptr || findings.has(ProofType::dane)) continue;
    const bool names_ok = names_reference(*evidence.chain, evidence.domain, evidence.delegation, at.target, *at.tlsa);
    const Result<DaneMatch> match =
        match_unrevoked(*evidence.chain, *at.tlsa, evidence.anchors, Role::initiating, names_ok, standing, now);
    if (!match) {
      result.mismatch = match.error();
      continue;
    }
    findings.found(ProofType::dane,
                   std::min({evidence.delegation.expires, at.addresses_expire, at.tlsa->expires, match->expires}),
                   dane_evidence(*match, *at.tlsa, *evidence.chain, standing));
    if (!findings.has(ProofType::dane)) result.broken = findings.why_not(ProofType::dane);
  }
  return result;
}

// I-01, I-02, I-12: the client-role record. Something: the end.
std::optional<ClientRefusal> look_at_client_record(const ClientEvidence& evidence, const PeerPolicy& policy,
                                                   const Standing& standing, Findings& findings, WallTime now) {
  if (evidence.client_tlsa == nullptr) return std::nullopt;
  const TlsaSet& tlsa = *evidence.client_tlsa;
  if (is_failed(tlsa.security)) {
    if (!evidence.dnssec_is_on) return std::nullopt;
    return refused_for_now(
        {Reason::dns_tlsa_bogus, fmt::format("the TLSA answer at {} is {}{}{}", escaped(tlsa.owner),
                                             name_of(tlsa.security), tlsa.why.empty() ? "" : ": ", escaped(tlsa.why))});
  }
  if (tlsa.security != Security::secure || tlsa.usable.empty() || evidence.chain == nullptr) return std::nullopt;
  const Chain& chain = *evidence.chain;
  const bool names_domain = chain.names_domain(evidence.domain);
  const bool names_target = evidence.delegation.kind == Delegation::Kind::srv && is_delegated(evidence.delegation) &&
                            std::ranges::any_of(evidence.delegation.targets,
                                                [&](const SrvTarget& target) { return chain.names_host(target.host); });
  const Result<DaneMatch> match =
      match_unrevoked(chain, tlsa, evidence.anchors, Role::initiating, names_domain || names_target, standing, now);
  if (!match) return refused(match.error(), policy);
  // A usage that demands a name rests on what the name was found by: on the SRV where only that leads to it.
  const bool rests_on_srv = match->record.usage != TlsaUsage::dane_ee && !names_domain;
  const WallTime named_until = rests_on_srv ? evidence.delegation.expires : WallTime::max();
  findings.found(ProofType::dane, std::min({tlsa.expires, match->expires, named_until}),
                 dane_evidence(*match, tlsa, chain, standing));
  if (!findings.has(ProofType::dane)) return refused_for_now(*findings.why_not(ProofType::dane));
  return std::nullopt;
}

// The targets by which C may be taken for S's: the asked ones that S's SRV really holds.
std::vector<SrvTarget> known_targets(const ClientEvidence& evidence) {
  std::vector<SrvTarget> known;
  for (std::size_t i = 0; i < evidence.targets.size() && i < kMostSenderTargets; ++i) {
    const SrvTarget& target = evidence.targets[i].target;
    if (leads_to(evidence.delegation, target)) known.push_back(target);
  }
  return known;
}

bool may_match_anchor(const TlsaSet* tlsa) {
  return tlsa != nullptr &&
         std::ranges::any_of(tlsa->usable, [](const TlsaRecord& one) { return one.usage == TlsaUsage::dane_ta; });
}

}  // namespace

std::string_view name_of(ProofType type) noexcept { return kNames[static_cast<std::size_t>(type)]; }

std::optional<ProofType> parse_proof_type(std::string_view name) noexcept {
  for (std::size_t i = 0; i < kProofTypes; ++i)
    if (kNames[i] == name) return static_cast<ProofType>(i);
  return std::nullopt;
}

bool PeerPolicy::allows(ProofType type) const noexcept { return std::ranges::find(proofs, type) != proofs.end(); }

Result<Proof> judge_server(const ServerEvidence& evidence, const PeerPolicy& policy, WallTime now) {
  if (policy.is_blocked) return fail(blocked(evidence.domain));
  if (std::optional<Error> error = unusable(evidence)) return fail(*std::move(error));
  Findings findings(now);
  const Standing standing = standing_of(evidence, now);
  if (std::optional<Error> error = look_for_dane(evidence, standing, findings, now)) return fail(*std::move(error));
  if (evidence.chain == nullptr && policy.encryption == Encryption::required)
    return fail(Reason::tls_required, fmt::format("{} offers no TLS", target_text(evidence.target)));
  if (evidence.chain != nullptr) {
    const Result<WallTime> path = verify(*evidence.chain, evidence.anchors, Role::receiving, evidence.paths, now);
    look_at_path(*evidence.chain, path, standing, evidence.domain, evidence.delegation, {evidence.target}, findings);
    look_at_posh(*evidence.chain, evidence.posh, findings, now);
  } else {
    findings.missed(ProofType::dnssec, {Reason::tls_required, "the peer offers no TLS"});
    findings.missed(ProofType::pkix, {Reason::tls_required, "the peer offers no TLS"});
    findings.missed(ProofType::posh, {Reason::tls_required, "the peer offers no TLS"});
  }
  // Always there; its life is bounded by the stream and by the caller's proof_max_age only (section 8).
  findings.found(ProofType::dialback, WallTime::max(), delegation_evidence(evidence));
  if (std::optional<Proof> proof = findings.choose(policy)) return *std::move(proof);
  if (std::optional<Error> error = findings.not_allowed(policy)) return fail(*std::move(error));
  return fail(not_proven(evidence.domain, findings, policy));
}

bool rests_on_path(const ServerEvidence& evidence, WallTime now) {
  if (evidence.chain == nullptr) return false;
  return may_match_anchor(evidence.tlsa) ||
         verify(*evidence.chain, evidence.anchors, Role::receiving, evidence.paths, now).has_value();
}

bool rests_on_path(const ClientEvidence& evidence, WallTime now) {
  if (evidence.chain == nullptr) return false;
  const auto at_target = [](const TargetEvidence& at) { return at.tlsa && may_match_anchor(&*at.tlsa); };
  return may_match_anchor(evidence.client_tlsa) || std::ranges::any_of(evidence.targets, at_target) ||
         verify(*evidence.chain, evidence.anchors, Role::initiating, evidence.paths, now).has_value();
}

tl::expected<Proof, ClientRefusal> judge_client(const ClientEvidence& evidence, const PeerPolicy& policy,
                                                WallTime now) {
  using Refusal = tl::unexpected<ClientRefusal>;
  if (policy.is_blocked) return Refusal(ClientRefusal{blocked(evidence.domain), false, false, false});
  Findings findings(now);
  const Standing standing = standing_of(evidence, now);
  const std::optional<ClientRefusal> by_client_record =
      look_at_client_record(evidence, policy, standing, findings, now);
  if (by_client_record && by_client_record->is_temporary) return Refusal(*by_client_record);
  const bool dane_by_client_record = findings.has(ProofType::dane);
  const AuthorityFindings authorities = look_at_targets(evidence, standing, findings, now);
  if (by_client_record) {
    ClientRefusal refusal = *by_client_record;
    refusal.authority_must_be_dane = authorities.has_usable;
    return Refusal(std::move(refusal));
  }
  // A match is a match, whatever else could not be had; without one, what could not be had may have been a mismatch.
  if (!findings.has(ProofType::dane)) {
    if (is_failed(evidence.delegation.security) && evidence.dnssec_is_on)
      return Refusal(refused_for_now(evidence.delegation.failure.value_or(
          Error{Reason::dns_indeterminate, fmt::format("the SRV answer for {} is missing", evidence.domain.text())})));
    if (authorities.broken && evidence.dnssec_is_on) return Refusal(refused_for_now(*authorities.broken));
    if (authorities.mismatch || (authorities.has_usable && evidence.chain == nullptr)) {
      ClientRefusal refusal =
          refused(authorities.mismatch.value_or(Error{
                      Reason::certificate_none,
                      fmt::format("no certificate was shown, and {} publishes TLSA records", evidence.domain.text())}),
                  policy);
      refusal.authority_must_be_dane = true;
      return Refusal(std::move(refusal));
    }
    findings.missed(ProofType::dane,
                    {Reason::dane_mismatch, fmt::format("no signed TLSA record for {}", evidence.domain.text())});
  }
  if (evidence.chain == nullptr)
    return Refusal(refused({Reason::certificate_none, "no certificate was shown"}, policy));
  // Where the client's own record matched, nobody compared the targets' records: they bind what PKIX may say (I-04).
  const bool is_path_open = !dane_by_client_record || (!authorities.has_usable && !authorities.broken &&
                                                       !is_failed(evidence.delegation.security));
  if (is_path_open) {
    const Result<WallTime> path = verify(*evidence.chain, evidence.anchors, Role::initiating, evidence.paths, now);
    look_at_path(*evidence.chain, path, standing, evidence.domain, evidence.delegation, known_targets(evidence),
                 findings);
    look_at_posh(*evidence.chain, evidence.posh, findings, now);
  }
  // Dialback is not among the findings: no certificate grants it.
  if (std::optional<Proof> proof = findings.choose(policy)) return *std::move(proof);
  if (std::optional<Error> error = findings.not_allowed(policy)) return Refusal(refused(*std::move(error), policy));
  return Refusal(refused(not_proven(evidence.domain, findings, policy), policy));
}

bool would_posh_decide(const ServerEvidence& evidence, const PeerPolicy& policy, WallTime now) {
  if (!policy.allows(ProofType::posh) || evidence.chain == nullptr) return false;
  const PoshAnswer ideal = ideal_posh(*evidence.chain);
  ServerEvidence with = evidence;
  with.posh = &ideal;
  const Result<Proof> proof = judge_server(with, policy, now);
  return proof && proof->type == ProofType::posh;
}

bool would_posh_decide(const ClientEvidence& evidence, const PeerPolicy& policy, WallTime now) {
  if (!policy.allows(ProofType::posh) || evidence.chain == nullptr) return false;
  const PoshAnswer ideal = ideal_posh(*evidence.chain);
  ClientEvidence with = evidence;
  with.posh = &ideal;
  const auto proof = judge_client(with, policy, now);
  return proof && proof->type == ProofType::posh;
}

Result<Proof> judge_dialback(const DialbackEvidence& evidence, bool authority_must_be_dane, const PeerPolicy& policy,
                             WallTime now) {
  if (policy.is_blocked) return fail(Reason::policy_blocked, "the domain is blocked by the configuration");
  const std::string host = escaped(evidence.authority_host);
  if (!evidence.over_tls && policy.encryption == Encryption::required)
    return fail(Reason::policy_encryption, fmt::format("the authority {} was asked without TLS", host));
  if (authority_must_be_dane && evidence.authority.type != ProofType::dane)
    return fail(Reason::dane_mismatch,
                fmt::format("the domain publishes TLSA records, but its authority {} is proven by {} only", host,
                            name_of(evidence.authority.type)));
  if (evidence.authority.expires <= now)
    return fail(Reason::proof_expired, fmt::format("the proof of the authority {} ran out", host));
  if (!policy.allows(ProofType::dialback))
    return fail(Reason::policy_proof,
                fmt::format("found dialback (the authority {} said valid); the policy asks for {}", host,
                            list_of(policy.proofs)));
  return Proof{ProofType::dialback, evidence.authority.expires,
               fmt::format("the authority {}, asked {} TLS, said valid; it is proven by {}: {}", host,
                           evidence.over_tls ? "over" : "without", name_of(evidence.authority.type),
                           evidence.authority.evidence)};
}

}  // namespace ligase::proof
