// The hub's pairs: proven, renewed, refused, closed.
#include <fmt/format.h>

#include <algorithm>

#include "claims.hpp"
#include "dial.hpp"
#include "hub.hpp"
#include "learned.hpp"

namespace ligase {
namespace {

constexpr std::size_t kMostRefusedClaims = 10000;

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
                          reason == Reason::setup_timeout || is_peer_s_end(reason);
  if (is_network || reason == Reason::dns_indeterminate || reason == Reason::cancelled) return std::chrono::seconds(10);
  return std::chrono::seconds(std::min(30u << std::min(times, 7u), 3600u));
}

}  // namespace

OutPair* Hub::find_out_pair(PairView key) noexcept {
  const auto found = out_pairs.find(key);
  return found == out_pairs.end() ? nullptr : found->second.get();
}

OutPair& Hub::out_pair(const PairKey& key) {
  auto& slot = out_pairs[key];
  if (!slot) {
    slot = std::make_unique<OutPair>(
        OutPair{key, pair::Proving{wall()}, {}, nullptr, nullptr, false, 0, std::nullopt, {}});
    schedule_sweep();
  }
  return *slot;
}

void Hub::set_up(OutPair& pair) {
  if (pair.is_being_set_up || ground.scope.is_closed()) return;
  pair.is_being_set_up = true;
  pair.state = pair::Proving{wall()};
  pair.renewal.cancel();
  spawn(set_up_pair(this, pair.key));
}

namespace {

// What an operator reads of a pair that is proven: for the first time, with evidence that changed, or just again.
report::Event proven_event(const pair::PairState& before, const proof::Proof& proof, const Session& session) {
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

void Hub::out_pair_is_proven(OutPair& pair, Session& session, proof::Proof proof) {
  pair.is_being_set_up = false;
  pair.accepted_on = session.ref;
  pair.last_error.reset();
  proof = bounded(std::move(proof));
  log(proven_event(pair.state, proof, session)
          .with("local", pair.key.sender.text())
          .with("remote", pair.key.target.text()));
  if (const auto* before = std::get_if<pair::Proven>(&pair.state); before != nullptr && before->stream != session.ref)
    if (Session* left = this->session(before->stream)) left->riding.erase(&pair);
  pair.renewal = renewals.schedule({}, pair.key, now(), proof.expires - wall());
  pair.state = pair::Proven{std::move(proof), session.ref, ground.rules.epoch(), wall()};
  session.riding.insert(&pair);
  wait_at(pair, session.peer);
  session.machine.pair_proven(now());
  drain(pair, session);
}

void Hub::out_pair_is_not_proven(OutPair& pair, const Error& why) {
  pair.is_being_set_up = false;
  const auto* proven = std::get_if<pair::Proven>(&pair.state);
  Session* rides = proven != nullptr ? session(proven->stream) : nullptr;
  const bool still_holds = rides != nullptr &&
                           pair::live_proof(pair.state, rides->ref, ground.rules.epoch(), wall()) != nullptr &&
                           may_pass(why);
  if (!still_holds) {
    if (rides != nullptr) rides->riding.erase(&pair);
    return refuse(pair, why);
  }
  pair.renewal = renewals.schedule_retry({}, pair.key, now(), proven->proof.expires - wall());
  log(report::Event(report::Level::warning, "renewal_failed")
          .with("direction", "out")
          .with("local", pair.key.sender.text())
          .with("remote", pair.key.target.text())
          .with("reason", name_of(why.reason))
          .with("detail", why.detail)
          .with("expires", rfc3339(proven->proof.expires)));
  drain(pair, *rides);
}

void Hub::refuse(OutPair& pair, const Error& why) {
  pair.renewal.cancel();
  const auto* before = std::get_if<pair::Refused>(&pair.state);
  const unsigned times = before != nullptr ? before->times + 1 : pair.last_error ? 1 : 0;
  pair.state = pair::Refused{why, wall(), wall() + rest_after(why.reason, times), times};
  pair.last_error = why;
  log(report::Event(report::Level::warning, "pair_refused")
          .with("direction", "out")
          .with("local", pair.key.sender.text())
          .with("remote", pair.key.target.text())
          .with("reason", name_of(why.reason))
          .with("detail", why.detail)
          .with("advice", describe(why.reason).what_to_do));
  bounce_all(pair, why);
}

InPair& Hub::grant(Session& session, const PairKey& key, proof::Proof proof, std::string dialback_key) {
  const auto found = session.in_pairs.try_emplace(key).first;
  InPair& pair = found->second;
  refused_claims.erase(key);
  if (!dialback_key.empty()) pair.dialback_key = std::move(dialback_key);
  proof = bounded(std::move(proof));
  log(proven_event(pair.state, proof, session).with("local", key.target.text()).with("remote", key.sender.text()));
  pair.renewal = renewals.schedule(session.ref, found->first, now(), proof.expires - wall());
  if (proof.type == proof::ProofType::dialback) session.senders[key.sender].is_proven_by_dialback = true;
  pair.state = pair::Proven{std::move(proof), session.ref, ground.rules.epoch(), wall()};
  if (!session.machine.is_proven()) admit_waiting();
  session.machine.pair_proven(now());
  return pair;
}

void Hub::prove_anew(Session& session, const PairKey& key, InPair& pair) {
  pair.renewal.cancel();
  if (pair.is_being_proven || ground.scope.is_closed()) return;
  pair.is_being_proven = true;
  spawn(prove_in_pair(this, session.ref, key));
}

void Hub::in_pair_is_not_proven(Session& session, const PairKey& key, InPair& pair, const Error& why) {
  const auto* proven = std::get_if<pair::Proven>(&pair.state);
  if (pair::live_proof(pair.state, session.ref, ground.rules.epoch(), wall()) != nullptr && may_pass(why)) {
    pair.renewal =
        renewals.schedule_retry(session.ref, session.in_pairs.find(key)->first, now(), proven->proof.expires - wall());
    log(report::Event(report::Level::warning, "renewal_failed")
            .with("direction", "in")
            .with("local", key.target.text())
            .with("remote", key.sender.text())
            .with("stream", session.number())
            .with("reason", name_of(why.reason))
            .with("detail", why.detail)
            .with("expires", rfc3339(proven->proof.expires)));
    return;
  }
  pair.state = pair::Refused{
      why, wall(), wall() + std::chrono::ceil<std::chrono::seconds>(ground.rules.limits().negative_proof_cache), 0};
  note_refused_in(session, key, why);
}

void Hub::take_policy(config::Policy policy) {
  ground.rules.take(std::move(policy));
  refused_claims.clear();
  for (auto& [key, pair] : out_pairs) {
    if (auto* refused = std::get_if<pair::Refused>(&pair->state)) refused->retry_at = wall();
    if (std::holds_alternative<pair::Proven>(pair->state))
      pair->renewal = renewals.schedule({}, pair->key, now(), Duration::zero());
  }
  for (auto& [ref, session] : sessions)
    for (auto& [key, pair] : session->in_pairs) {
      if (auto* refused = std::get_if<pair::Refused>(&pair.state)) refused->retry_at = wall();
      if (std::holds_alternative<pair::Proven>(pair.state))
        pair.renewal = renewals.schedule(ref, key, now(), Duration::zero());
    }
}

void Hub::judge_again(std::string_view leaf_fingerprint) {
  for (auto& [ref, session] : sessions) {
    const auto& chain = session->facts.peer_chain;
    if (chain == nullptr || chain->fingerprint() != leaf_fingerprint) continue;
    for (auto& [sender, record] : session->senders) record.epoch = {};  // of no policy: judged again before it counts
    for (OutPair* pair : session->riding) pair->renewal = renewals.schedule({}, pair->key, now(), Duration::zero());
    for (auto& [key, pair] : session->in_pairs)
      if (std::holds_alternative<pair::Proven>(pair.state))
        pair.renewal = renewals.schedule(ref, key, now(), Duration::zero());
  }
}

void Hub::note_refused_in(Session& session, const PairKey& key, const Error& why) {
  if (refused_claims.size() >= kMostRefusedClaims)
    std::erase_if(refused_claims, [&](const auto& entry) { return entry.second.until <= now(); });
  if (refused_claims.size() < kMostRefusedClaims)
    refused_claims.insert_or_assign(key, RefusedClaim{why, session.connection->remote().address, wall(),
                                                      now() + ground.rules.limits().negative_proof_cache});
  log(report::Event(report::Level::warning, "pair_refused")
          .with("direction", "in")
          .with("local", key.target.text())
          .with("remote", key.sender.text())
          .with("stream", session.number())
          .with("address", session.connection->remote().text())
          .with("reason", name_of(why.reason))
          .with("detail", why.detail));
}

void Hub::renew_due() {
  if (is_stopping) return;
  for (const Renewals::Renewal& due : renewals.take_due(now())) {
    if (due.stream == pair::StreamRef{}) {
      OutPair* pair = find_out_pair(due.key);
      if (pair == nullptr) continue;
      pair->renewal.cancel();
      if (pair->is_being_set_up) continue;
      pair->is_being_set_up = true;  // its proof holds meanwhile
      spawn(set_up_pair(this, due.key));
    } else if (Session* rides = session(due.stream)) {
      const auto found = rides->in_pairs.find(due.key);
      if (found != rides->in_pairs.end()) prove_anew(*rides, found->first, found->second);
    }
  }
}

// PKIX-05: a proof's end is the pair's; the stream's only when none is left (RFC 6120 §13.7.2.3: reset, so that the peer may
// come again with what proves it by then).
void Hub::end_streams_without_pairs() {
  std::vector<pair::StreamRef> bare;
  for (const auto& [ref, session] : sessions) {
    if (session->is_ending || session->in_pairs.empty() || !session->claims.empty()) continue;
    const bool has_use = std::ranges::any_of(session->in_pairs, [&](const auto& entry) {
      return entry.second.is_being_proven || !std::holds_alternative<pair::Refused>(entry.second.state);
    });
    if (!has_use) bare.push_back(ref);
  }
  for (const pair::StreamRef ref : bare)
    if (Session* found = session(ref))
      found->end({StreamError::reset, "no domain pair of this stream is proven any more"},
                 {Reason::proof_expired, "no pair of it is proven any more"});
}

Result<void> Hub::close_pair(const PairKey& out) {
  bool is_known = false;
  const Error why{Reason::stream_closed, "closed by an operator"};
  if (OutPair* pair = find_out_pair(out)) {
    is_known = true;
    if (const auto* proven = std::get_if<pair::Proven>(&pair->state))
      if (Session* rides = session(proven->stream)) rides->riding.erase(pair);
    pair->state = pair::Expired{wall()};
    pair->renewal.cancel();
    if (pair->queue) {
      set_up(*pair);
    } else if (!pair->is_being_set_up) {
      out_pairs.erase(out_pairs.find(static_cast<PairView>(out)));
    }
  }
  const PairKey in{out.target, out.sender};
  for (const auto& [ref, session] : sessions) {
    const auto found = session->in_pairs.find(in);
    if (session->is_ending || found == session->in_pairs.end()) continue;
    is_known = true;
    for (const pair::Stanza& stanza : take_held(found->second)) bounce_to_remote(stanza, why);
    found->second.state = pair::Expired{wall()};  // with the key of its claim: the peer knows nothing of this
    found->second.renewal.cancel();
  }
  is_known |= refused_claims.erase(in) > 0;
  if (is_known) {
    log(report::Event(report::Level::info, "closed_by_operator")
            .with("local", out.sender.text())
            .with("remote", out.target.text()));
    return {};
  }
  return fail(Reason::host_unknown, fmt::format("no pair of {} and {} is known; `ligase ctl pairs` lists them",
                                                out.sender.text(), out.target.text()));
}

}  // namespace ligase
