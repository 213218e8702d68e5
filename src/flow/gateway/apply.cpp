// What the procedures that prove came to, applied: proven, renewed, refused. Nobody else changes what a pair is.
#include <algorithm>

#include "gateway/house.hpp"
#include "prove/claims.hpp"
#include "prove/inverse.hpp"
#include "prove/set_up.hpp"

namespace ligase::gateway {
namespace {

// What an operator reads of a pair that is proven: for the first time, with evidence that changed, or just again.
report::Event proven_event(std::string_view direction, const pair::Life& before, const proof::Proof& proof,
                           const streams::Stream& session) {
  const auto* was = before.as<pair::Life::Proven>();
  const bool is_same = was != nullptr && was->proof.type == proof.type && was->proof.evidence == proof.evidence &&
                       was->stream == session.ref;
  report::Event event(is_same ? report::Level::debug : report::Level::info, is_same          ? "pair_renewed"
                                                                            : was != nullptr ? "evidence_changed"
                                                                                             : "pair_proven");
  event.with("direction", direction)
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
pair::Life::Weight weight_of(const Error& why) {
  return describe(why.reason).type == ErrorType::wait ? pair::Life::Weight::temporary : pair::Life::Weight::final;
}

}  // namespace

void House::set_up(pairs::OutPair& pair) {
  if (pair.life.is_being_proven() || ground_.scope.is_closed()) return;
  // Its last stream ended, and has not said its last word yet: then it goes on, behind what comes back from there (P6).
  if (const auto left = pair.life.draining(); left && streams_.find(*left) == nullptr) return;
  pair.life.begin();
  pair.renewal.cancel();
  // What is thrown (no memory) ends the attempt, not the pair: it may be tried again (AB-161).
  try {
    ground::Scope::Lost lost = [this, key = pair.key](const Error& why) {
      pairs::OutPair* known = out_pairs_.find(key);
      if (known != nullptr && known->life.is_being_proven() && !is_stopping_) out_pair_is_not_proven(*known, why);
    };
    ground_.spawn(prove::set_up_pair(&bench_, pair.key), std::move(lost));
  } catch (const std::bad_alloc&) {
    out_pair_is_not_proven(pair, {Reason::memory, "no memory"});
  }
}

void House::out_pair_is_proven(pairs::OutPair& pair, streams::Stream& session, proof::Proof proof) {
  // What the peer goes on to send on the stream where it took us for the sender before is proven anew, or answered (AB-254).
  streams::Stream* accepted = pair.accepted_on == session.ref ? nullptr : streams_.find(pair.accepted_on);
  if (accepted != nullptr && accepted->machine.is_bidi())
    if (const auto [heard, is_new] = accepted->in_pairs.try_emplace(pair.key.reversed()); is_new)
      heard->second.life.close();
  pair.accepted_on = session.ref;
  pair.last_error.reset();
  proof = ground_.rules.bounded(std::move(proof), wall());
  ground_.log(proven_event("out", pair.life, proof, session)
                  .with("local", pair.key.sender.text())
                  .with("remote", pair.key.target.text()));
  const auto* before = pair.life.as<pair::Life::Proven>();
  streams::Stream* left = before != nullptr && before->stream != session.ref ? streams_.find(before->stream) : nullptr;
  // The peer, which is told nothing, may go on to use it in reverse: for as long as it was proven, or is anew.
  if (left != nullptr && left->machine.is_bidi()) out_pair_is_heard(pair, *left, before->proof);
  pairs::Renewals::Ticket renewal = renewals_.schedule({}, pair.key, now(), proof.expires - wall());
  session.riding.insert(&pair);
  // Nothing is thrown from here on: it is proven and rides, or neither (AB-161).
  if (left != nullptr) left->leave(pair);
  pair.renewal = std::move(renewal);
  const bool is_of_today = proof.epoch == ground_.rules.epoch().number;
  const auto was_draining = pair.life.draining();
  pair.life.settle(pair::Life::Proven{std::move(proof), session.ref, wall()});
  changed(pair, was_draining);
  const bool is_first = !session.machine.is_proven();
  session.machine.pair_proven(now());
  // A reload came between the judgement and the peer's answer: by today's policy it is not proven yet.
  if (!is_of_today) return set_up(pair);
  router_.settle_reverse(pair);
  if (!pair.life.draining()) router_.rides(pair, session);
  ground_.scope.attempt([&] {
    if (streams::Stream* theirs = session.is_ours() ? streams_.find_of_sender(pair.key.target) : nullptr)
      joins_with(*theirs, session);
    if (is_first && session.peer != nullptr)
      end_crossed(*session.peer);  // not before: what comes in reverse is heard now
  });
}

void House::changed(pairs::OutPair& pair, std::optional<pair::StreamRef> before) noexcept {
  const std::optional<pair::StreamRef> after = pair.life.draining();
  if (before == after) return;
  if (before)
    if (const auto stream = streams_.all().find(*before); stream != streams_.all().end())
      stream->second->left.erase(&pair);
  if (!after) return;
  const auto stream = streams_.all().find(*after);
  const bool is_there = stream != streams_.all().end();
  if (!is_there || (stream->second->is_live() && stream->second->has_sent(stream->second->written()))) {
    pair.life.has_drained(*after);
    return;
  }
  try {
    stream->second->left.emplace(&pair, stream->second->written());
  } catch (const std::bad_alloc&) {  // nobody would tell it when it may go on
    pair.life.has_drained(*after);
    ground_.scope.attempt([&] { count_drop(Reason::memory, "the order of a pair over two streams", nullptr); });
  }
}

// What the pair gave to a stream that it left has gone from there, or came back: what waits goes on.
void House::has_drained(pairs::OutPair& pair, pair::StreamRef left) {
  pair.life.has_drained(left);
  const auto* proven = pair.life.as<pair::Life::Proven>();
  streams::Stream* rides = proven != nullptr ? streams_.find(proven->stream) : nullptr;
  if (rides != nullptr && ground_.live_proof(pair.life, rides->ref) != nullptr) return router_.rides(pair, *rides);
  if (pair.life.is_being_proven()) return;
  if (pair.backlog) {
    if (is_stopping_) return router_.bounce_all(pair, {Reason::shutdown, "the gateway is stopping"});
    return set_up(pair);
  }
  if (pair.life.as<pair::Life::Closed>() != nullptr && goes_over(left)) return set_up(pair);
  if (is_of_no_use(pair)) out_pairs_.erase(pair.key);
}

// A crossed stream that ended: what was proven on it, at rest too, is proven on the one that stays.
bool House::goes_over(pair::StreamRef left) {
  const auto stream = streams_.all().find(left);
  if (stream == streams_.all().end() || !stream->second->is_ending || !stream->second->machine.is_bidi()) return false;
  const peers::Peer* peer = stream->second->peer;
  return peer != nullptr && std::ranges::any_of(peer->streams, [&](pair::StreamRef ref) {
           const streams::Stream* other = streams_.find(ref);
           return other != nullptr && other->is_live() && other->machine.is_bidi();
         });
}

// Closed, at rest, and not expected in reverse on a stream where the peer took us for the sender.
bool House::is_of_no_use(const pairs::OutPair& pair) {
  if (pair.life.as<pair::Life::Closed>() == nullptr || pair.backlog != nullptr || pair.life.is_being_proven() ||
      pair.life.draining())
    return false;
  const streams::Stream* accepted = streams_.find(pair.accepted_on);
  return accepted == nullptr || !accepted->machine.is_bidi();
}

void House::out_pair_is_not_proven(pairs::OutPair& pair, const Error& why) {
  const auto* proven = pair.life.as<pair::Life::Proven>();
  streams::Stream* rides = proven != nullptr ? streams_.find(proven->stream) : nullptr;
  const Instant retry_at = now() + pair::rest_after(why.reason, pair.life.refusals_in_a_row() + 1);
  pair::Life::Refused refused{why, wall(), retry_at};
  const auto was_draining = pair.life.draining();
  pair.life.settle(std::move(refused), weight_of(why), ground_.rules.epoch());
  changed(pair, was_draining);
  router_.settle_reverse(pair);
  proven = pair.life.as<pair::Life::Proven>();
  if (proven == nullptr || rides == nullptr) {
    if (rides != nullptr) rides->leave(pair);
    return refuse(pair, why);
  }
  ground_.scope.attempt([&] {
    rides->riding.insert(&pair);  // it left when its proof was over; a clock that was set back lets it hold again
    pair.renewal = renewals_.schedule_retry({}, pair.key, now(), proven->proof.expires - wall());
    ground_.log(report::Event(report::Level::warning, "renewal_failed")
                    .with("direction", "out")
                    .with("local", pair.key.sender.text())
                    .with("remote", pair.key.target.text())
                    .with("reason", name_of(why.reason))
                    .with("detail", why.detail)
                    .with("expires", rfc3339(proven->proof.expires)));
  });
  if (!pair.life.draining()) router_.rides(pair, *rides);
}

void House::refuse(pairs::OutPair& pair, const Error& why) {
  pair.renewal.cancel();
  ground_.scope.attempt([&] {
    pair.last_error = why;
    ground_.log(report::Event(report::Level::warning, "pair_refused")
                    .with("direction", "out")
                    .with("local", pair.key.sender.text())
                    .with("remote", pair.key.target.text())
                    .with("reason", name_of(why.reason))
                    .with("detail", why.detail)
                    .with("advice", describe(why.reason).what_to_do));
  });
  router_.bounce_all(pair, why);
}

pairs::InPair& House::grant(streams::Stream& session, const pairs::PairKey& key, proof::Proof proof) {
  const auto [found, is_new] = session.in_pairs.try_emplace(key);
  pairs::InPair& pair = found->second;
  if (is_new) pair.counted = streams_.remembered.count(session.site());
  refusals_.erase(key);
  proof = ground_.rules.bounded(std::move(proof), wall());
  try {
    ground_.log(proven_event("in", pair.life, proof, session)
                    .with("local", key.target.text())
                    .with("remote", key.sender.text()));
    if (proof.type == proof::ProofType::dialback) session.senders[key.sender].dialback_target = key.target;
    pair.renewal = renewals_.schedule(session.ref, found->first, now(), proof.expires - wall());
  } catch (...) {
    if (is_new) session.in_pairs.erase(found);
    throw;
  }
  if (!pair.life.is_being_proven()) pair.life.begin();
  pair.life.settle(pair::Life::Proven{std::move(proof), session.ref, wall()});
  if (!session.machine.is_proven()) door_.leaves(session);
  session.machine.pair_proven(now());
  if (!session.is_ours() && session.machine.is_bidi()) ground_.scope.attempt([&] { serves_both_ways(session, key); });
  return pair;
}

// Where pairs of ours find it: all that lead to its peer, or, where the peer takes no further ones, the inverse alone.
void House::serves_both_ways(streams::Stream& session, const pairs::PairKey& in) {
  if (!session.may_be_asked_in_reverse()) return streams_.add_inverse(in.reversed(), session.ref);
  streams_.add_of_sender(in.sender, session.ref);
  const pairs::OutPair* own = out_pairs_.find(in.reversed());
  const auto* proven = own != nullptr ? own->life.as<pair::Life::Proven>() : nullptr;
  if (const streams::Stream* there = proven != nullptr ? streams_.find(proven->stream) : nullptr)
    joins_with(session, *there);
  if (session.peer != nullptr || session.is_joining) return;
  ground::Scope::Lost lost = [this, ref = session.ref](const Error&) {
    if (streams::Stream* known = streams_.find(ref)) known->is_joining = false;
  };
  Task<void> task = prove::find_peer_of(&bench_, session.ref, in);
  session.is_joining = true;
  ground_.spawn(std::move(task), std::move(lost));
}

// The same far end as of a stream of ours: it shows the same certificate there.
void House::joins_with(streams::Stream& theirs, const streams::Stream& own) {
  const auto &one = own.facts.peer_chain, &two = theirs.facts.peer_chain;
  const bool is_same = one != nullptr && two != nullptr && one->fingerprint() == two->fingerprint();
  if (theirs.peer == nullptr && theirs.may_be_asked_in_reverse() && own.is_ours() && own.peer != nullptr && is_same)
    stream_joins(theirs, *own.peer);
}

void House::stream_joins(streams::Stream& session, peers::Peer& peer) {
  session.peer = &peer;
  session.peer_host = peer.host;
  session.joined_at = now();
  peer.streams.insert(session.ref);
  if (!session.is_ours())
    for (auto& [target, made] : peer.connecting)
      if (!made->passed->is_open()) made->look_elsewhere(ground_.world.executor);
  end_crossed(peer);
}

// MUX-10: both opened a stream at once, where one would do. The one whose id is the greater ends, by whom it was opened: both
// sides know both ids, and come to the same without a word. What rides it goes over when it has said its last.
void House::end_crossed(peers::Peer& peer) {
  std::vector<streams::Stream*> ours, theirs;
  for (const pair::StreamRef ref : peer.streams) {
    streams::Stream* stream = streams_.find(ref);
    if (stream == nullptr || !stream->is_live() || !stream->machine.is_bidi()) continue;
    if (stream->may_be_asked_in_reverse()) theirs.push_back(stream);
    if (stream->is_ours() && stream->machine.is_proven() && stream->machine.features().dialback_errors)
      ours.push_back(stream);
  }
  const auto is_crossed = [&](const streams::Stream& own, const streams::Stream& other) {
    const auto &one = own.facts.peer_chain, &two = other.facts.peer_chain;
    if (one == nullptr || two == nullptr || one->fingerprint() != two->fingerprint()) return false;  // somebody else's
    return own.began_at <= other.joined_at && other.machine.id() < own.machine.id() &&
           ground_.rules.certificate_of(*own.machine.local()) == ground_.rules.certificate_of(*other.machine.local());
  };
  for (streams::Stream* own : ours) {
    const bool is_over =
        std::ranges::any_of(theirs, [&](const streams::Stream* other) { return is_crossed(*own, *other); });
    if (is_over) own->close({Reason::stream_closed, "the peer's own stream serves both directions"});
  }
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
  const bool is_nobodys = !proven && is_first && pair->second.life.as<pair::Life::Unproven>() != nullptr;
  if (proven) {
    grant(session, key, std::move(*proven));
  } else if (!is_nobodys) {
    ground_.scope.attempt([&] { in_pair_is_not_proven(session, key, pair->second, proven.error()); });
  }
  std::vector<pair::Stanza> held = router_.take_held(pair->second);
  if (is_nobodys) {
    for (std::size_t i = 0; i < held.size(); ++i) count_drop(Reason::sender_not_proven, "unproven_reply", &session);
    session.in_pairs.erase(pair);
    return;
  }
  hosting::HostedDomain* to = hosted_.find(key.target);
  const bool may_pass = to != nullptr && ground_.live_proof(pair->second.life, session.ref) != nullptr;
  if (may_pass) pair->second.stanzas += held.size();
  router_.each(held, [&](pair::Stanza& stanza) {
    if (may_pass) return router_.deliver_kept(*to, std::move(stanza));
    router_.bounce_to_remote(stanza, proven ? Error{Reason::proof_expired, "its proof is over"} : proven.error());
  });
  held.clear();
  router_.give_credit();
}

void House::prove_anew(streams::Stream& session, const pairs::PairKey& key, pairs::InPair& pair) {
  if (pair.life.is_being_proven() || ground_.scope.is_closed()) return pair.renewal.cancel();
  const bool is_first = pair.life.as<pair::Life::Unproven>() != nullptr;
  ground::Scope::Lost lost = [this, key, ref = session.ref, is_first](const Error& why) {
    streams::Stream* stream = streams_.find(ref);
    const auto known = stream != nullptr ? stream->in_pairs.find(key) : pairs::InPairs::iterator{};
    if (stream != nullptr && known != stream->in_pairs.end() && known->second.life.is_being_proven())
      in_pair_is_decided(*stream, key, fail(why), is_first);
  };
  Task<void> task = prove::prove_in_pair(&bench_, session.ref, key);
  pair.renewal.cancel();
  pair.life.begin();
  ground_.spawn(std::move(task), std::move(lost));
}

void House::in_pair_is_not_proven(streams::Stream& session, const pairs::PairKey& key, pairs::InPair& pair,
                                  const Error& why) {
  if (!pair.life.is_being_proven()) pair.life.begin();  // a claim came first
  const Instant retry_at = now() + ground_.rules.limits().negative_proof_cache;
  pair::Life::Refused refused{why, wall(), retry_at};
  pair.life.settle(std::move(refused), weight_of(why), ground_.rules.epoch());
  const auto* proven = pair.life.as<pair::Life::Proven>();
  if (proven == nullptr) return claim_is_refused(session, key, why);
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
                  .with("detail", why.detail)
                  .with("advice", describe(why.reason).what_to_do));
}

}  // namespace ligase::gateway
