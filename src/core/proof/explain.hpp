// The evidence of a judgement in words, step by step: what `ligase ctl explain` shows. It decides nothing: the judgement
// itself is the last step, and is given.
#pragma once
#include <string_view>

#include "proof/judge.hpp"
#include "report/explanation.hpp"

namespace ligase::proof {

// `direction`: "out" or "in"; each step's name begins with it. `ms`: how long the answer took.
void tell_delegation(report::Steps& steps, std::string_view direction, const Domain& domain,
                     const Delegation& delegation, double ms);
// A target's addresses and its TLSA set; `tlsa` null: not asked. `failure`: why nothing may be tried there.
void tell_target(report::Steps& steps, std::string_view direction, const SrvTarget& target,
                 const std::vector<Address>& addresses, Security security, const TlsaSet* tlsa, const Error* failure,
                 double ms);
// What the certificate says, and each kind of evidence against it.
void tell_evidence(report::Steps& steps, const ServerEvidence& evidence, WallTime now);
void tell_evidence(report::Steps& steps, const ClientEvidence& evidence, WallTime now);
// The judgement.
void tell_verdict(report::Steps& steps, std::string_view direction, const Result<Proof>& verdict);

}  // namespace ligase::proof
