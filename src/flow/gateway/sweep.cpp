// Time: what is due once a second, and what another policy or a withdrawn certificate means for the pairs that live.
#include <algorithm>

#include "base/on_leaving.hpp"
#include "gateway/house.hpp"

namespace ligase::gateway {
namespace {

constexpr Duration kUnused = 10s;  // DB-03: a stream that no pair rides is kept so long
constexpr std::size_t kManyPeers = 1000;
constexpr std::chrono::seconds kStep{3};  // of the wall clock; less is what it may be adjusted by

}  // namespace

void House::schedule_sweep() noexcept {
  for (int tries = 0; tries < 2 && !sweep_is_scheduled_ && !ground_.scope.is_closed(); ++tries) {
    ground_.scope.attempt([&] {
      ground_.scope.call_at(now() + 1s, [this] {
        sweep_is_scheduled_ = false;
        sweep();
      });
      sweep_is_scheduled_ = true;
    });
  }
}

// Proofs end by the wall clock. One that is set back would let them hold for longer than their evidence says, and what was learned
// of peers as well.
void House::look_at_clock() {
  const auto offset = std::chrono::duration_cast<std::chrono::seconds>(wall().time_since_epoch()) -
                      std::chrono::duration_cast<std::chrono::seconds>(now().time_since_epoch());
  const std::chrono::seconds step = offset - std::exchange(clock_offset_, offset);
  if (std::chrono::abs(step) < kStep) return;
  ground_.log(report::Event(report::Level::warning, "clock_stepped").with("seconds", std::to_string(step.count())));
  if (step.count() >= 0) return;
  peers_.clock_was_set_back(-step);
  prove_all_anew();
}

void House::sweep() {
  const OnLeaving again([&] {  // also where something was thrown
    if (!streams_.all().empty() || out_pairs_.size() > 0 || !door_.is_empty() || router_.keeps_for_links() ||
        !over_.empty() || !over_links_.empty() || !links_.empty())
      schedule_sweep();
  });
  end_what_is_gone();
  router_.let_go_on();
  if (!over_.empty() || !over_links_.empty()) schedule_burial();
  look_at_clock();
  door_.admit_waiting();
  revocation_.recheck();
  renew_due();
  router_.bounce_old();
  router_.give_unused_credit();
  for (const auto& [ref, session] : streams_.all())
    if (session->is_live()) look_at_left(*session);
  // A refusal is remembered while it matters; then the pair, at rest, is forgotten.
  out_pairs_.erase_if([&](const pairs::OutPair& pair) {
    if (is_of_no_use(pair)) return true;
    const auto* refused = pair.life.as<pair::Life::Refused>();
    return refused != nullptr && !pair.backlog && !pair.life.is_being_proven() && !pair.life.draining() &&
           refused->retry_at + std::chrono::minutes(10) < now();
  });
  end_unused_streams();
  end_streams_without_pairs();
  if (peers_.size() > kManyPeers) {
    std::set<const peers::Peer*> in_use;
    for (const auto& [ref, session] : streams_.all()) in_use.insert(session->peer);
    peers_.forget(in_use);
  }
}

// Whose connection has said its last word, while there was no memory to take it in.
void House::end_what_is_gone() {
  std::vector<streams::Stream*> streams;
  for (const auto& [ref, stream] : streams_.all())
    if (stream->is_gone()) streams.push_back(stream.get());
  for (streams::Stream* stream : streams) stream->on_closed({Reason::memory, "no memory"});
  std::vector<hosting::ComponentLink*> links;
  for (const auto& [number, link] : links_)
    if (link->is_gone()) links.push_back(link.get());
  for (hosting::ComponentLink* link : links) link->on_closed({Reason::memory, "no memory"});
}

void House::take_policy(config::Policy policy) {
  ground_.rules.take(std::move(policy));
  refusals_.clear();
  prove_all_anew();
}

void House::prove_all_anew() {
  const auto soon = [&](pairs::Renewals::Ticket& renewal, pair::StreamRef stream, const pairs::PairKey& key) {
    ground_.scope.attempt([&] { renewal = renewals_.schedule(stream, key, now(), Duration::zero()); });
  };
  for (auto& [key, pair] : out_pairs_.all()) {
    pair->life.judge_anew(now());
    if (pair->life.as<pair::Life::Proven>() != nullptr) soon(pair->renewal, {}, pair->key);
  }
  for (auto& [ref, session] : streams_.all())
    for (auto& [key, pair] : session->in_pairs) {
      pair.life.judge_anew(now());
      if (pair.life.as<pair::Life::Proven>() != nullptr) soon(pair.renewal, ref, key);
    }
}

void House::dns_is_back() {
  const auto wake = [&](pair::Life& life) {
    const auto* refused = life.as<pair::Life::Refused>();
    if (refused != nullptr && family_of(refused->why.reason) == Family::dns) life.judge_anew(now());
  };
  for (auto& [key, pair] : out_pairs_.all()) wake(pair->life);
  for (auto& [ref, session] : streams_.all())
    for (auto& [key, pair] : session->in_pairs) wake(pair.life);
}

void House::judge_again(std::string_view leaf_fingerprint) {
  for (auto& [ref, session] : streams_.all()) {
    const auto& chain = session->facts.peer_chain;
    if (chain == nullptr || chain->fingerprint() != leaf_fingerprint) continue;
    for (auto& [sender, record] : session->senders) record.epoch = {};  // of no policy: judged again before it counts
    for (pairs::OutPair* pair : session->riding)
      pair->renewal = renewals_.schedule({}, pair->key, now(), Duration::zero());
    for (auto& [key, pair] : session->in_pairs)
      if (pair.life.as<pair::Life::Proven>() != nullptr)
        pair.renewal = renewals_.schedule(ref, key, now(), Duration::zero());
  }
}

void House::renew_due() {
  if (is_stopping_) return;
  for (const pairs::Renewals::Renewal& due : renewals_.take_due(now())) {
    if (due.stream == pair::StreamRef{}) {
      pairs::OutPair* pair = out_pairs_.find(due.key);
      if (pair != nullptr) set_up(*pair);
    } else if (streams::Stream* rides = streams_.find(due.stream)) {
      const auto found = rides->in_pairs.find(due.key);
      if (found != rides->in_pairs.end()) prove_anew(*rides, found->first, found->second);
    }
  }
}

// PKIX-05: a proof's end is the pair's; the stream's only when none is left (RFC 6120 §13.7.2.3: reset, so that the peer may
// come again with what proves it by then).
void House::end_streams_without_pairs() {
  std::vector<pair::StreamRef> bare;
  for (const auto& [ref, session] : streams_.all()) {
    if (!session->is_live() || session->in_pairs.empty() || !session->claims.empty() || !session->riding.empty())
      continue;
    const bool has_use = std::ranges::any_of(session->in_pairs, [](const pairs::InPairs::value_type& entry) {
      return entry.second.life.is_being_proven() || entry.second.life.as<pair::Life::Refused>() == nullptr;
    });
    if (!has_use) bare.push_back(ref);
  }
  for (const pair::StreamRef ref : bare)
    if (streams::Stream* found = streams_.find(ref))
      found->end({StreamError::reset, "no domain pair of this stream is proven any more"},
                 {Reason::proof_expired, "no pair of it is proven any more"});
}

void House::end_unused_streams() {
  std::vector<pair::StreamRef> unused;
  for (const auto& [ref, session] : streams_.all()) {
    if (session->is_ending || !session->is_ours() || !session->machine.is_open()) continue;
    if (!session->riding.empty() || !session->in_pairs.empty() || !session->claims.empty() || !session->asked.empty() ||
        !session->verifying.empty() || session->reserved > 0) {
      session->unused_since = now();
    } else if (now() - session->unused_since >= kUnused) {
      unused.push_back(ref);
    }
  }
  for (const pair::StreamRef ref : unused)
    if (streams::Stream* idle = streams_.find(ref)) idle->close({Reason::stream_idle, "no pair rides it"});
}

}  // namespace ligase::gateway
