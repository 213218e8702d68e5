#include "proof/explain.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace ligase::proof {
namespace {

using report::StepResult;
using report::Steps;

constexpr std::size_t kShown = 16;  // of a list that a peer or a zone may make as long as it likes

template <class Items, class Text>
std::string listed(const Items& items, Text text) {
  std::string out;
  std::size_t count = 0;
  for (const auto& item : items) {
    if (count == kShown) return out + fmt::format(", and {} more", items.size() - kShown);
    out += (count++ == 0 ? "" : ", ") + text(item);
  }
  return out;
}

void tell(Steps& steps, std::string_view direction, std::string_view what, StepResult result, std::string detail,
          double ms = 0) {
  steps.push_back({fmt::format("{}: {}", direction, what), result, std::move(detail), ms});
}

std::string with_advice(const Error& why) {
  return fmt::format("{}: {}; {}", name_of(why.reason), why.detail, describe(why.reason).what_to_do);
}

std::string name_text(const PresentedId& id) {
  constexpr std::string_view forms[] = {"dNSName", "SRVName _xmpp-server.", "XmppAddr"};
  const std::string_view form = forms[static_cast<std::size_t>(id.form)];
  return fmt::format("{}{}{}{}", form, form.ends_with('.') ? "" : " ", id.is_wildcard ? "*." : "", id.name);
}

void tell_certificate(Steps& steps, std::string_view direction, const Chain* chain, const TrustAnchors& anchors,
                      Role shown_by, WallTime now) {
  if (chain == nullptr) return tell(steps, direction, "certificate", StepResult::failed, "none was shown");
  const bool is_in_time = chain->not_before() <= now && now < chain->not_after();
  tell(steps, direction, "certificate", is_in_time ? StepResult::ok : StepResult::failed,
       fmt::format("SHA-256 {}; {}; valid {} to {}; {} of {} in the chain", chain->fingerprint(),
                   chain->names().empty() ? "no name" : listed(chain->names(), name_text), rfc3339(chain->not_before()),
                   rfc3339(chain->not_after()), chain->subject(), chain->size()));
  const Result<WallTime> path = verify_path(*chain, anchors, shown_by, now);
  tell(steps, direction, "path", path ? StepResult::ok : StepResult::failed,
       path ? "leads to a trust anchor, until " + rfc3339(*path) : with_advice(path.error()));
}

void tell_match(Steps& steps, std::string_view direction, const TlsaSet* tlsa, const Chain* chain,
                const TrustAnchors& anchors, Role shown_by, bool names_ok, WallTime now) {
  if (tlsa == nullptr || tlsa->usable.empty() || chain == nullptr) return;
  const Result<DaneMatch> match = match_dane(*chain, *tlsa, anchors, shown_by, names_ok, now);
  tell(steps, direction, "TLSA match", match ? StepResult::ok : StepResult::failed,
       match ? fmt::format("{} at {}", match->record.text(), tlsa->owner) : with_advice(match.error()));
}

void tell_revocation(Steps& steps, std::string_view direction, const RevocationAnswer* revocation,
                     RevocationMode mode) {
  if (mode == RevocationMode::off)
    return tell(steps, direction, "revocation", StepResult::skipped, "[tls] revocation is off");
  if (revocation == nullptr)
    return tell(steps, direction, "revocation", StepResult::skipped, "nothing rests on a certificate's path");
  switch (revocation->status) {
    case RevocationAnswer::Status::good:
      return tell(steps, direction, "revocation", StepResult::ok, revocation->evidence);
    case RevocationAnswer::Status::revoked:
      return tell(steps, direction, "revocation", StepResult::failed, revocation->evidence);
    case RevocationAnswer::Status::unknown:
      break;
  }
  tell(steps, direction, "revocation", mode == RevocationMode::hard ? StepResult::failed : StepResult::waiting,
       "not known: " + revocation->evidence);
}

void tell_posh(Steps& steps, std::string_view direction, const PoshAnswer* posh, const Chain* chain) {
  if (posh == nullptr)
    return tell(steps, direction, "POSH", StepResult::skipped, "not asked: it would not change the judgement");
  if (posh->failure) return tell(steps, direction, "POSH", StepResult::failed, with_advice(*posh->failure));
  const auto match = chain != nullptr ? match_posh(posh->descriptors, *chain) : std::nullopt;
  tell(steps, direction, "POSH", match ? StepResult::ok : StepResult::failed,
       fmt::format("{}, {} certificates, until {}: {}", escaped(posh->source), posh->descriptors.size(),
                   rfc3339(posh->expires), match ? "lists this one by " + *match : "this one is not listed"));
}

std::string tlsa_text(const TlsaSet& tlsa) {
  const std::string records = tlsa.usable.empty()
                                  ? (tlsa.has_records ? "records, none of them usable" : "no record")
                                  : listed(tlsa.usable, [](const TlsaRecord& record) { return record.text(); });
  return fmt::format("{} ({}): {}{}{}", escaped(tlsa.owner), name_of(tlsa.security), records,
                     tlsa.why.empty() ? "" : ": ", escaped(tlsa.why));
}

StepResult result_of(Security security) { return is_failed(security) ? StepResult::failed : StepResult::ok; }

void tell_revocation(Steps& steps, std::string_view direction, const RevocationAnswer* answer) {
  if (answer == nullptr) return;
  const auto result = [&] {
    switch (answer->status) {
      case RevocationAnswer::Status::good:
        return StepResult::ok;
      case RevocationAnswer::Status::revoked:
        return StepResult::failed;
      case RevocationAnswer::Status::unknown:
        break;
    }
    return StepResult::skipped;
  }();
  tell(steps, direction, "revocation", result, answer->evidence);
}

}  // namespace

void tell_delegation(Steps& steps, std::string_view direction, const Domain& domain, const Delegation& delegation,
                     double ms) {
  const std::string owner = fmt::format("_xmpp-server._tcp.{} ({})", domain.text(), name_of(delegation.security));
  switch (delegation.kind) {
    case Delegation::Kind::srv:
      return tell(steps, direction, "SRV", StepResult::ok,
                  fmt::format("{}: {}; until {}", owner,
                              listed(delegation.targets,
                                     [](const SrvTarget& target) {
                                       return fmt::format("{} {} {} {}", target.priority, target.weight, target.port,
                                                          target.host.text());
                                     }),
                              rfc3339(delegation.expires)),
                  ms);
    case Delegation::Kind::fallback:
      return tell(steps, direction, "SRV", StepResult::ok, fmt::format("{}: none; the domain itself, port 5269", owner),
                  ms);
    case Delegation::Kind::no_service:
      return tell(steps, direction, "SRV", StepResult::failed,
                  fmt::format("{}: \".\": {}", owner, describe(Reason::dns_no_service).what_to_do), ms);
    case Delegation::Kind::failed:
      break;
  }
  tell(steps, direction, "SRV", StepResult::failed,
       fmt::format("{}: {}", owner, delegation.failure ? with_advice(*delegation.failure) : "no answer"), ms);
}

void tell_target(Steps& steps, std::string_view direction, const SrvTarget& target,
                 const std::vector<Address>& addresses, Security security, const TlsaSet* tlsa, const Error* failure,
                 double ms) {
  const std::string found =
      addresses.empty() ? std::string("none") : listed(addresses, [](const Address& a) { return a.text(); });
  tell(steps, direction, "addresses", addresses.empty() ? StepResult::failed : result_of(security),
       fmt::format("{} ({}): {}", target.host.text(), name_of(security), found), ms);
  if (tlsa != nullptr) {
    tell(steps, direction, "TLSA", result_of(tlsa->security), tlsa_text(*tlsa));
  } else {
    tell(steps, direction, "TLSA", StepResult::skipped, "not asked: the way to the target is not signed throughout");
  }
  if (failure != nullptr) tell(steps, direction, "target", StepResult::failed, with_advice(*failure));
}

void tell_evidence(Steps& steps, const ServerEvidence& evidence, WallTime now) {
  tell_certificate(steps, "out", evidence.chain, evidence.anchors, Role::receiving, now);
  const bool names_ok = evidence.chain != nullptr && (evidence.chain->names_domain(evidence.domain) ||
                                                      evidence.chain->names_host(evidence.target.host));
  tell_revocation(steps, "out", evidence.revocation);
  tell_match(steps, "out", evidence.tlsa, evidence.chain, evidence.anchors, Role::receiving, names_ok, now);
  tell_revocation(steps, "out", evidence.revocation, evidence.revocation_mode);
  tell_posh(steps, "out", evidence.posh, evidence.chain);
}

void tell_evidence(Steps& steps, const ClientEvidence& evidence, WallTime now) {
  tell_delegation(steps, "in", evidence.domain, evidence.delegation, 0);
  if (evidence.client_tlsa != nullptr)
    tell(steps, "in", "client TLSA", result_of(evidence.client_tlsa->security), tlsa_text(*evidence.client_tlsa));
  for (const TargetEvidence& at : evidence.targets)
    tell(steps, "in", "target",
         is_failed(at.addresses) || (at.tlsa && is_failed(at.tlsa->security)) ? StepResult::failed : StepResult::ok,
         fmt::format("{}:{} ({}){}{}", at.target.host.text(), at.target.port, name_of(at.addresses),
                     at.tlsa ? "; TLSA " : "; TLSA not asked", at.tlsa ? tlsa_text(*at.tlsa) : ""));
  tell_certificate(steps, "in", evidence.chain, evidence.anchors, Role::initiating, now);
  if (evidence.chain == nullptr) return;
  tell_revocation(steps, "in", evidence.revocation);
  const bool names_domain = evidence.chain->names_domain(evidence.domain);
  tell_match(steps, "in", evidence.client_tlsa, evidence.chain, evidence.anchors, Role::initiating, names_domain, now);
  for (const TargetEvidence& at : evidence.targets)
    tell_match(steps, "in", at.tlsa ? &*at.tlsa : nullptr, evidence.chain, evidence.anchors, Role::initiating,
               names_domain || evidence.chain->names_host(at.target.host), now);
  tell_revocation(steps, "in", evidence.revocation, evidence.revocation_mode);
  tell_posh(steps, "in", evidence.posh, evidence.chain);
}

void tell_verdict(Steps& steps, std::string_view direction, const Result<Proof>& verdict) {
  tell(steps, direction, "judgement", verdict ? StepResult::ok : StepResult::failed,
       verdict ? fmt::format("{} until {}: {}", name_of(verdict->type), rfc3339(verdict->expires), verdict->evidence)
               : with_advice(verdict.error()));
}

}  // namespace ligase::proof
