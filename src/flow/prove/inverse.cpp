#include "prove/inverse.hpp"

#include <algorithm>

#include "prove/claims.hpp"
#include "prove/judge.hpp"

namespace ligase::prove {

namespace {

// By these the host is known, and not the sender alone, whose SRV records may lead to somebody else's.
bool is_of_the_host(proof::ProofType type) {
  return type == proof::ProofType::dane || type == proof::ProofType::dnssec;
}

// The peer has shown the same certificate where we reached it.
bool is_shown_by(Bench& bench, const peers::Peer& peer, const streams::Stream& session) {
  if (session.facts.peer_chain == nullptr) return false;
  const std::string& leaf = session.facts.peer_chain->fingerprint();
  const auto before = peer.shown.lock();
  if (before != nullptr && before->fingerprint() == leaf) return true;
  return std::ranges::any_of(peer.streams, [&](pair::StreamRef ref) {
    const streams::Stream* own = bench.streams.find(ref);
    return own != nullptr && own->is_ours() && own->facts.peer_chain != nullptr &&
           own->facts.peer_chain->fingerprint() == leaf;
  });
}

}  // namespace

bool is_proven_in_reverse(const Bench& bench, const streams::Stream& session, const pairs::PairKey& out) {
  if (!session.machine.is_bidi()) return false;
  const auto in = session.in_pairs.find(out.reversed());
  return in != session.in_pairs.end() && bench.ground.live_proof(in->second.life, session.ref) != nullptr;
}

streams::Stream* find_inverse(Bench& bench, const pairs::PairKey& out, const Errand& errand) {
  if (errand.purpose != Purpose::pair || !bench.policy_towards(out.target).may_bidi) return nullptr;
  streams::Stream* session = bench.streams.find_inverse(out);
  if (session == nullptr) session = bench.streams.find_of_sender(out.target);
  if (session == nullptr || !session->is_live()) return nullptr;
  const bool may_be_claimed = session->may_be_asked_in_reverse() && bench.policy_towards(out.target).may_multiplex &&
                              session->riding.size() + session->asked.size() < bench.limits().pairs_per_stream;
  if (!may_be_claimed && !is_proven_in_reverse(bench, *session, out)) return nullptr;
  return errand.own_certificate && !shows_own_certificate(bench, *session, out) ? nullptr : session;
}

std::optional<proof::Proof> proven_in_reverse(Bench& bench, pair::StreamRef ref, const pairs::PairKey& out) {
  const streams::Stream* session = bench.streams.find(ref);
  if (session == nullptr || session->is_ours() || !session->machine.is_bidi()) return std::nullopt;
  if (!bench.policy_towards(out.target).allows(proof::ProofType::dialback)) return std::nullopt;
  const auto of = [&](const Domain& local) -> const proof::Proof* {
    const auto in = session->in_pairs.find(pairs::PairKey{out.target, local});
    const proof::Proof* proof =
        in == session->in_pairs.end() ? nullptr : bench.ground.live_proof(in->second.life, session->ref);
    return proof != nullptr && proof->type == proof::ProofType::dialback ? proof : nullptr;
  };
  if (const proof::Proof* own = of(out.sender)) return *own;
  const auto sender = session->senders.find(out.target);
  if (sender == session->senders.end() || !sender->second.dialback_target) return std::nullopt;
  const proof::Proof* other = of(*sender->second.dialback_target);
  return other == nullptr ? std::nullopt : std::optional(*other);
}

Task<void> find_peer_of(Bench* bench, pair::StreamRef ref, pairs::PairKey in) {
  // AB-274: the stranger's domain says what is asked, and of whom.
  const std::shared_ptr<dns::ClaimQuestions> questions = questions_of(bench, ref);
  const proof::Delegation delegation = co_await dns::find_delegation(*questions, in.sender, bench->wall());
  std::vector<proof::SrvTarget> targets =
      proof::order_targets(delegation.targets, [&](std::uint32_t most) { return bench->ground.world.draw(most); });
  for (const proof::SrvTarget& target : targets) {
    dns::HostFacts host = co_await dns::look_up_host(*questions, target, delegation.security, bench->wall());
    streams::Stream* session = bench->streams.find(ref);
    if (session == nullptr) co_return;
    if (host.failure) continue;
    const ground::Claimant by = prefix_of(session->connection->remote().address);
    Way way{delegation, target, std::move(host)};
    const Result<proof::Proof> verdict =
        co_await prove_server(bench, ref, std::move(way), in.sender, Standard::policy, by);
    session = bench->streams.find(ref);
    if (session == nullptr) co_return;
    peers::Peer& peer = bench->peers.at(target.host.text(), target.port);
    if (!(verdict && is_of_the_host(verdict->type)) && !is_shown_by(*bench, peer, *session)) continue;
    bench->owner.stream_joins(*session, peer);
    co_return;
  }
}

}  // namespace ligase::prove
