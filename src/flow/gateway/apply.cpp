// What the procedures that prove came to, applied: proven, renewed, refused. Nobody else changes what a pair is.
#include <algorithm>

#include "gateway/house.hpp"
#include "prove/claims.hpp"
#include "prove/set_up.hpp"

namespace ligase::gateway {
namespace {

// How long a refused pair rests (MUX-05); what DNS says is remembered by the resolver's cache, what the network does by
// the peer's own back-off (ROUTE-04).
std::chrono::seconds rest_after(Reason reason, unsigned times) {
  switch (describe(reason).condition) {
    case StanzaError::remote_server_not_found:
      return std::chrono::seconds(5);
    default:
      break;
  }
  const bool is_network = reason == Reason::connect_refused || reason == Reason::connect_timeout ||
                          reason == Reason::setup_timeout || streams::is_peer_s_end(reason);
  if (is_network || reason == Reason::dns_indeterminate || reason == Reason::cancelled) return std::chrono::seconds(10);
  return std::chrono::seconds(std::min(30u << std::min(times, 7u), 3600u));
}

// What an operator reads of a pair that is proven: for the first time, with evidence that changed, or just again.
report::Event proven_event(const pair::PairState& before, const proof::Proof& proof, const streams::Stream& session) {
  const auto* was = std::get_if<pair::Proven>(&before);
  const bool is_same = was != nullptr && was->proof.type == proof.type && was->proof.evidence == proof.evidence &&
                       was->stream == session.ref;
  report::Event event(is_same ? report::Level::debug : report::Level::info, is_same          ? "pair_renewed"
                                                                            : was != nullptr ? "evidence_changed"
                                                                                             : "pair_proven");
  event.with("direction", session.machine.role() == Role::initiating ? "out" : "in")
      .with("stream", session.number())
      .with("peer", session.peer_host)
      .with("proof", proof::name_of(proof.type))
      .with("evidence", proof.evidence)
      .with("expires", rfc3339(proof.expires));
  if (was != nullptr && !is_same)
    event.with("was_proof", proof::name_of(was->proof.type)).with("was_evidence", was->proof.evidence);
  return event;
}

// Will it perhaps be otherwise in a while? Then a proof that holds is not given up for it.
bool may_pass(const Error& why) { return describe(why.reason).type == ErrorType::wait; }

}  // namespace

void House::set_up(pairs::OutPair& pair) {
  if (pair.is_being_set_up || ground_.scope.is_closed()) return;
  pair.is_being_set_up = true;
  pair.state = pair::Proving{wall()};
  pair.renewal.cancel();
  ground_.spawn(prove::set_up_pair(&bench_, pair.key));
}

void House::out_pair_is_proven(pairs::OutPair& pair, streams::Stream& session, proof::Proof proof) {
  pair.is_being_set_up = false;
  pair.accepted_on = session.ref;
  pair.last_error.reset();
  pair.refusals = 0;
  const pair::PolicyEpoch judged_under{proof.epoch};
  proof = ground_.rules.bounded(std::move(proof), wall());
  ground_.log(proven_event(pair.state, proof, session)
                  .with("local", pair.key.sender.text())
                  .with("remote", pair.key.target.text()));
  if (const auto* before = std::get_if<pair::Proven>(&pair.state); before != nullptr && before->stream != session.ref)
    if (streams::Stream* left = streams_.find(before->stream)) left->leave(pair);
  pair.renewal = renewals_.schedule({}, pair.key, now(), proof.expires - wall());
  pair.state = pair::Proven{std::move(proof), session.ref, judged_under, wall()};
  session.riding.insert(&pair);
  session.machine.pair_proven(now());
  // A reload came between the judgement and the peer's answer: by today's policy it is not proven yet.
  if (judged_under != ground_.rules.epoch()) return renew(pair);
  router_.rides(pair, session);
}

void House::renew(pairs::OutPair& pair) {
  pair.renewal.cancel();
  if (pair.is_being_set_up || ground_.scope.is_closed()) return;
  pair.is_being_set_up = true;
  ground_.spawn(prove::set_up_pair(&bench_, pair.key));
}

void House::out_pair_is_not_proven(pairs::OutPair& pair, const Error& why) {
  pair.is_being_set_up = false;
  const auto* proven = std::get_if<pair::Proven>(&pair.state);
  streams::Stream* rides = proven != nullptr ? streams_.find(proven->stream) : nullptr;
  const bool still_holds = rides != nullptr && ground_.live_proof(pair.state, rides->ref) != nullptr && may_pass(why);
  if (!still_holds) {
    if (rides != nullptr) rides->leave(pair);
    return refuse(pair, why);
  }
  pair.renewal = renewals_.schedule_retry({}, pair.key, now(), proven->proof.expires - wall());
  ground_.log(report::Event(report::Level::warning, "renewal_failed")
                  .with("direction", "out")
                  .with("local", pair.key.sender.text())
                  .with("remote", pair.key.target.text())
                  .with("reason", name_of(why.reason))
                  .with("detail", why.detail)
                  .with("expires", rfc3339(proven->proof.expires)));
  router_.rides(pair, *rides);
}

void House::refuse(pairs::OutPair& pair, const Error& why) {
  pair.renewal.cancel();
  const unsigned times = pair.refusals++;  // in a row, whatever states it went through between
  pair.state = pair::Refused{why, wall(), now() + rest_after(why.reason, times), times};
  pair.last_error = why;
  ground_.log(report::Event(report::Level::warning, "pair_refused")
                  .with("direction", "out")
                  .with("local", pair.key.sender.text())
                  .with("remote", pair.key.target.text())
                  .with("reason", name_of(why.reason))
                  .with("detail", why.detail)
                  .with("advice", describe(why.reason).what_to_do));
  router_.bounce_all(pair, why);
}

pairs::InPair& House::grant(streams::Stream& session, const pairs::PairKey& key, proof::Proof proof) {
  const auto found = session.in_pairs.try_emplace(key).first;
  pairs::InPair& pair = found->second;
  refusals_.erase(key);
  proof = ground_.rules.bounded(std::move(proof), wall());
  ground_.log(
      proven_event(pair.state, proof, session).with("local", key.target.text()).with("remote", key.sender.text()));
  pair.renewal = renewals_.schedule(session.ref, found->first, now(), proof.expires - wall());
  if (proof.type == proof::ProofType::dialback) session.senders[key.sender].dialback_target = key.target;
  const pair::PolicyEpoch judged_under{proof.epoch};
  pair.state = pair::Proven{std::move(proof), session.ref, judged_under, wall()};
  if (!session.machine.is_proven()) door_.leaves(session);
  session.machine.pair_proven(now());
  return pair;
}

void House::claim_is_proven(streams::Stream& session, const pairs::PairKey& key, proof::Proof proof,
                            pairs::ClaimKey claim_key) {
  pairs::InPair& pair = grant(session, key, std::move(proof));
  if (!claim_key.text.empty()) pair.claim_key = std::move(claim_key);
}

// Then what it held is delivered; where it is not proven, bounced, or in row 4 of MUX-08 dropped and counted.
void House::in_pair_is_decided(streams::Stream& session, const pairs::PairKey& key, Result<proof::Proof> proven,
                               bool is_first) {
  const auto pair = session.in_pairs.find(key);
  std::vector<pair::Stanza> held = router_.take_held(pair->second);
  if (proven) {
    grant(session, key, std::move(*proven));
  } else if (is_first && std::holds_alternative<pair::Proving>(pair->second.state)) {
    for (std::size_t i = 0; i < held.size(); ++i) count_drop(Reason::sender_not_proven, "unproven_reply", &session);
    session.in_pairs.erase(pair);
    return;
  } else {
    in_pair_is_not_proven(session, key, pair->second, proven.error());
  }
  hosting::HostedDomain* to = hosted_.find(key.target);
  const bool may_pass = to != nullptr && ground_.live_proof(pair->second.state, session.ref) != nullptr;
  if (may_pass) pair->second.stanzas += held.size();
  for (pair::Stanza& stanza : held) {
    if (may_pass) {
      router_.deliver_kept(*to, std::move(stanza));
    } else {
      router_.bounce_to_remote(stanza, proven ? Error{Reason::proof_expired, "its proof is over"} : proven.error());
    }
  }
}

void House::prove_anew(streams::Stream& session, const pairs::PairKey& key, pairs::InPair& pair) {
  pair.renewal.cancel();
  if (pair.is_being_proven || ground_.scope.is_closed()) return;
  pair.is_being_proven = true;
  ground_.spawn(prove::prove_in_pair(&bench_, session.ref, key));
}

void House::in_pair_is_not_proven(streams::Stream& session, const pairs::PairKey& key, pairs::InPair& pair,
                                  const Error& why) {
  const auto* proven = std::get_if<pair::Proven>(&pair.state);
  if (ground_.live_proof(pair.state, session.ref) != nullptr && may_pass(why)) {
    pair.renewal =
        renewals_.schedule_retry(session.ref, session.in_pairs.find(key)->first, now(), proven->proof.expires - wall());
    ground_.log(report::Event(report::Level::warning, "renewal_failed")
                    .with("direction", "in")
                    .with("local", key.target.text())
                    .with("remote", key.sender.text())
                    .with("stream", session.number())
                    .with("reason", name_of(why.reason))
                    .with("detail", why.detail)
                    .with("expires", rfc3339(proven->proof.expires)));
    return;
  }
  pair.state = pair::Refused{why, wall(), now() + ground_.rules.limits().negative_proof_cache, 0};
  claim_is_refused(session, key, why);
}

void House::claim_is_refused(streams::Stream& session, const pairs::PairKey& key, const Error& why) {
  refusals_.note(
      key, {why, session.connection->remote().address, wall(), now() + ground_.rules.limits().negative_proof_cache},
      now());
  ground_.log(report::Event(report::Level::warning, "pair_refused")
                  .with("direction", "in")
                  .with("local", key.target.text())
                  .with("remote", key.sender.text())
                  .with("stream", session.number())
                  .with("address", session.connection->remote().text())
                  .with("reason", name_of(why.reason))
                  .with("detail", why.detail));
}

}  // namespace ligase::gateway
