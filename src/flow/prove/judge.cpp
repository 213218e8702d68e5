// The evidence is gathered into one value, so that every question about it (judge, explain) sees the same. A POSH document
// is asked for only where it could change the answer (POSH-05, D-10): it is somebody's web server, and seconds.
#include "prove/judge.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "proof/explain.hpp"

namespace ligase::prove {

using proof::ClientRefusal;
using proof::Proof;

namespace {

// AB-069. What a TLSA or a POSH document matches is named by the domain's holder, so no CA's mistake can change it.
void note_proof(Bench& bench, const proof::Chain* chain, const Proof& proven, const Domain& remote,
                const std::vector<proof::SrvTarget>& targets) {
  switch (proven.type) {
    case proof::ProofType::pkix:
      return bench.peers.note_key(*chain, remote.text(), remote);
    case proof::ProofType::dnssec: {
      const auto named =
          std::ranges::find_if(targets, [&](const proof::SrvTarget& at) { return chain->names_host(at.host); });
      if (named != targets.end()) bench.peers.note_key(*chain, named->host.text(), remote);
      return;
    }
    case proof::ProofType::dane:
    case proof::ProofType::posh:
    case proof::ProofType::dialback:
      return;
  }
}

// Of dialback the far end's part is that DNS leads to it (O-17), which says nothing where it is the peer that came to us: there the
// certificate decides, or what the authority said of that very stream.
proof::PeerPolicy policy_for(const Bench& bench, const Domain& remote, Standard standard, bool was_reached_by_us) {
  proof::PeerPolicy policy = bench.policy_towards(remote);
  if (standard == Standard::dane) policy.proofs = {proof::ProofType::dane};
  if (!was_reached_by_us) std::erase(policy.proofs, proof::ProofType::dialback);
  return policy;
}

// Of what it is made it keeps references: they outlive it.
proof::ServerEvidence evidence_of(Bench& bench, const Domain& remote, const Way& way, const proof::Chain* chain,
                                  const proof::TrustAnchors& anchors) {
  return {remote,
          way.delegation,
          way.target,
          way.host.addresses_security,
          way.host.tlsa ? &*way.host.tlsa : nullptr,
          chain,
          anchors,
          way.host.addresses_expire,
          &bench.ground.rules.paths};
}

}  // namespace

bool would_wait_for_posh(Bench& bench, const proof::Chain& shown, const Way& way, const Domain& remote,
                         Standard standard) {
  if (bench.posh.knows(remote)) return false;
  const std::shared_ptr<const proof::TrustAnchors> anchors = bench.ground.rules.anchors();
  const proof::ServerEvidence evidence = evidence_of(bench, remote, way, &shown, *anchors);
  return proof::would_posh_decide(evidence, policy_for(bench, remote, standard, true), bench.wall());
}

Task<Result<Proof>> prove_server(Bench* bench, pair::StreamRef stream, Way way, Domain remote, Standard standard,
                                 ground::Claimant by, report::Steps* told) {
  const streams::Stream* session = bench->streams.find(stream);
  if (session == nullptr) co_return fail(Reason::network_closed, "the stream ended");
  const bool is_ours = session->is_ours();
  proof::PeerPolicy policy = policy_for(*bench, remote, standard, is_ours);
  if (!session->machine.is_encrypted() && policy.encryption == Encryption::required)
    co_return fail(Reason::tls_required, "the peer offers no TLS");
  const std::shared_ptr<const proof::Chain> chain = session->facts.peer_chain;
  const std::shared_ptr<const proof::TrustAnchors> anchors =
      bench->ground.rules.anchors();  // a reload may bring others
  const std::string staple = session->facts.ocsp_response;
  proof::ServerEvidence evidence = evidence_of(*bench, remote, way, chain.get(), *anchors);
  std::optional<proof::RevocationAnswer> revocation;
  if (proof::rests_on_path(evidence, bench->wall())) {
    revocation = co_await bench->revocation.ask(chain, staple);
    policy = policy_for(*bench, remote, standard, is_ours);
  }
  evidence.revocation = revocation ? &*revocation : nullptr;
  evidence.revocation_mode = bench->ground.rules.revocation();
  policy = policy_for(*bench, remote, standard, is_ours);
  std::optional<proof::PoshAnswer> posh;
  if (proof::would_posh_decide(evidence, policy, bench->wall())) {
    posh = co_await bench->posh.ask(remote, by);
    evidence.posh = &*posh;
    policy = policy_for(*bench, remote, standard, is_ours);
  }
  Result<Proof> verdict = proof::judge_server(evidence, policy, bench->wall());
  if (told != nullptr) {
    proof::tell_evidence(*told, evidence, bench->wall());
    proof::tell_verdict(*told, "out", verdict);
  }
  if (!verdict && standard == Standard::dane && verdict.error().reason == Reason::policy_proof)
    co_return fail(Reason::dane_mismatch,
                   fmt::format("{} publishes TLSA records, and its authority must fulfil one: {}", remote.text(),
                               verdict.error().detail));
  if (verdict) {
    verdict->epoch = bench->ground.rules.epoch().number;
    note_proof(*bench, chain.get(), *verdict, remote, {way.target});
  }
  co_return verdict;
}

Task<tl::expected<Proof, ClientRefusal>> prove_client(Bench* bench, pair::StreamRef stream, Domain sender,
                                                      std::shared_ptr<dns::ClaimQuestions> questions,
                                                      report::Steps* told) {
  const streams::Stream* session = bench->streams.find(stream);
  if (session == nullptr)
    co_return tl::unexpected(ClientRefusal{{Reason::network_closed, "the stream ended"}, false, false, true});
  const ground::Claimant by = prefix_of(session->connection->remote().address);
  // Without a certificate DNS is asked all the same: it may say that the authority must be proven by dane (I-04).
  const std::shared_ptr<const proof::Chain> chain = session->facts.peer_chain;
  seams::Resolver& resolver = questions != nullptr ? *questions : bench->ground.world.resolver;
  const dns::SenderFacts facts =
      co_await dns::look_up_sender(resolver, sender, chain, bench->ground.rules.dnssec_is_on(), bench->wall());
  const std::shared_ptr<const proof::TrustAnchors> anchors = bench->ground.rules.anchors();
  proof::ClientEvidence evidence{sender,
                                 facts.client_tlsa ? &*facts.client_tlsa : nullptr,
                                 facts.delegation,
                                 facts.targets,
                                 chain.get(),
                                 *anchors,
                                 bench->ground.rules.dnssec_is_on(),
                                 &bench->ground.rules.paths};
  // Nothing is stapled to a client's certificate: its issuer is asked (I-13).
  std::optional<proof::RevocationAnswer> revocation;
  if (proof::rests_on_path(evidence, bench->wall())) revocation = co_await bench->revocation.ask(chain, {});
  evidence.revocation = revocation ? &*revocation : nullptr;
  evidence.revocation_mode = bench->ground.rules.revocation();
  std::optional<proof::PoshAnswer> posh;
  if (proof::would_posh_decide(evidence, bench->policy_towards(sender), bench->wall())) {
    posh = co_await bench->posh.ask(sender, by);
    evidence.posh = &*posh;
  }
  auto verdict = proof::judge_client(evidence, bench->policy_towards(sender), bench->wall());
  if (verdict) {
    verdict->epoch = bench->ground.rules.epoch().number;
    note_proof(*bench, chain.get(), *verdict, sender, facts.delegation.targets);
  }
  if (told != nullptr) {
    proof::tell_evidence(*told, evidence, bench->wall());
    proof::tell_verdict(*told, "in", verdict ? Result<Proof>(*verdict) : fail(verdict.error().error));
  }
  co_return verdict;
}

}  // namespace ligase::prove
