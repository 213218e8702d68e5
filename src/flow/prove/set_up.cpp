// Each pair is asked for by itself; all that wait at once, and never more than the peer decides at a time (MUX-04).
#include "prove/set_up.hpp"

#include <fmt/format.h>

#include "base/on_leaving.hpp"
#include "proof/dialback_key.hpp"
#include "prove/inverse.hpp"
#include "prove/reach.hpp"

namespace ligase::prove {
namespace {

constexpr Duration kAnswerPatience = 30s;  // DB-04
constexpr unsigned kMostAttempts = 4;      // when streams end under it
constexpr Duration kFull = 60s;            // a stream whose peer takes no further pair on it is not asked again so long

void give_turn(streams::Stream& session) noexcept {
  if (session.wait_to_ask.empty()) return;
  const std::shared_ptr<ground::Gate<bool>> next = std::move(session.wait_to_ask.front());
  session.wait_to_ask.pop_front();
  next->open(true);
}

// What is asked on a stream, however it ends: then the next that waits has its turn. Who is late, an operator's question say, leaves
// it to those that wait still (AB-277).
void is_asked_no_more(Bench* bench, const pairs::PairKey& pair, pair::StreamRef ref,
                      const std::shared_ptr<ground::Gate<streams::DbAnswer>>& answer) noexcept {
  streams::Stream* session = bench->streams.find(ref);
  if (session == nullptr || (!answer->is_open() && answer->waiting() > 0)) return;
  const auto question = session->asked.find(pair);
  if (question == session->asked.end() || question->second.answer != answer) return;  // another one by now
  session->asked.erase(question);
  give_turn(*session);
}

// What the peer says to our <db:result/>, asked once whoever waits for it.
Task<Result<stream::DbVerdict>> ask_once(Bench* bench, pairs::PairKey pair, pair::StreamRef ref, Instant deadline) {
  streams::Stream* session = bench->streams.find(ref);
  if (session == nullptr) co_return fail(Reason::network_closed, "the stream ended");
  // MUX-04: all that wait are asked at once, but never more than the peer decides at a time (if its limit is ours).
  while (session->asked.size() >= bench->limits().proving_per_stream && !session->asked.contains(pair)) {
    auto turn = std::make_shared<ground::Gate<bool>>(bench->ground.world.executor);
    session->wait_to_ask.push_back(turn);
    bool has_turn = false;
    const OnLeaving out_of_the_line([&] {
      streams::Stream* waited = has_turn ? nullptr : bench->streams.find(ref);
      if (waited == nullptr) return;
      if (turn->is_open()) give_turn(*waited);  // it came at the very moment that we gave up: the next one's
      std::erase(waited->wait_to_ask, turn);
    });
    const auto is_mine = co_await turn->wait(bench->ground.world.clock, deadline);
    session = bench->streams.find(ref);
    if (session == nullptr) co_return fail(Reason::network_closed, "the stream ended");
    if (!is_mine.value_or(false))
      co_return fail(Reason::setup_timeout, "too many pairs were asked for before this one");
    has_turn = true;
  }
  const auto known = session->asked.find(pair);
  const bool is_first = known == session->asked.end();
  std::shared_ptr<ground::Gate<streams::DbAnswer>> answer;
  if (is_first) {
    answer = std::make_shared<ground::Gate<streams::DbAnswer>>(bench->ground.world.executor);
    session->asked.emplace(pair, streams::Question{answer, bench->streams.asked.count(ref)});
  } else {
    answer = known->second.answer;
  }
  const OnLeaving over([&] { is_asked_no_more(bench, pair, ref, answer); });
  if (is_first) {  // DB-07
    if (!session->targets.contains(pair.target)) session->last_extra_target = bench->now();
    if (bench->peers.spellings.labels_of(pair.target) == Labels::ascii) session->in_ascii.insert(pair.target);
    if (*session->machine.local() != pair.sender) session->last_extra_sender = bench->now();
    session->targets.insert(pair.target);
    const auto key = proof::DialbackKey::derive(bench->ground.rules.dialback_secret(), pair.target, pair.sender,
                                                session->machine.id());
    session->write(stream::ask_result(pair.sender, pair.target, key.wire_text(),
                                      {Labels::unicode, session->labels_of(pair.target)}));
  }
  const Instant until = std::min(deadline, bench->now() + kAnswerPatience);
  const auto came = co_await answer->wait(bench->ground.world.clock, until);
  if (!came && came.error() == ground::Missed::late)
    co_return fail(Reason::dialback_timeout, "the peer did not answer the db:result");
  if (!came) co_return fail(Reason::network_closed, "the stream ended");
  if (!*came) co_return fail(came->error());
  co_return **came;
}

// AB-215: the peer hosts nobody of that name; written the other way it may know it. True: it is to be asked again.
bool spell_otherwise(Bench& bench, streams::Stream& session, const Domain& target, Labels used) {
  if (!peers::has_two_spellings(target)) return false;
  bench.peers.spellings.is_unknown_as(target, used);
  const bool is_ascii_next = bench.peers.spellings.labels_of(target) == Labels::ascii;
  if (is_ascii_next) {
    session.in_ascii.insert(target);
  } else {
    session.in_ascii.erase(target);
  }
  return true;
}

// The stream accepts us as the sender: EXTERNAL did for the header's pair, any other is asked for (MUX-02).
Task<Result<void>> be_accepted(Bench* bench, pairs::PairKey pair, pair::StreamRef ref, Instant deadline) {
  streams::Stream* session = bench->streams.find(ref);
  if (session == nullptr) co_return fail(Reason::network_closed, "the stream ended");
  if (session->is_ours() && is_own(*session, pair) && session->is_authenticated) co_return Result<void>{};
  if (is_proven_in_reverse(*bench, *session, pair)) co_return Result<void>{};  // BIDI-03: it knows by its own judgement
  if (!session->machine.takes_dialback())
    co_return fail(Reason::dialback_not_offered, "the peer offers no dialback for a further pair");
  Result<stream::DbVerdict> said = co_await ask_once(bench, pair, ref, deadline);
  for (bool is_second = false;; is_second = true) {
    session = bench->streams.find(ref);
    const bool is_unknown =
        said && said->type == stream::DbType::error && said->condition == StanzaError::item_not_found;
    if (!is_unknown || session == nullptr) break;
    if (!spell_otherwise(*bench, *session, pair.target, session->labels_of(pair.target)) || is_second) break;
    said = co_await ask_once(bench, pair, ref, deadline);
  }
  if (!said) co_return fail(std::move(said.error()));
  switch (said->type) {
    case stream::DbType::valid:
      co_return Result<void>{};
    case stream::DbType::invalid: {
      // XEP-0220 §2.4: our key was refused. A stream on which nothing lives is of no further use (DB-05).
      if (session != nullptr && session->riding.empty() && session->asked.empty())
        session->close({Reason::dialback_invalid, "the peer called our key invalid"});
      co_return fail(Reason::dialback_invalid, "the peer called our dialback key invalid");
    }
    case stream::DbType::error:
      if (said->condition == StanzaError::resource_constraint && session != nullptr && !is_own(*session, pair))
        session->full_until = bench->now() + kFull;
      break;
  }
  co_return fail(Reason::dialback_error,
                 fmt::format("the peer answered the dialback with {}", condition_name(said->condition)));
}

}  // namespace

Task<void> set_up_pair(Bench* bench, pairs::PairKey key) {
  const Instant deadline = bench->now() + bench->limits().setup_timeout;
  Error last{Reason::setup_timeout, "it took too long"};
  bool own_certificate = false, was_full = false;
  for (unsigned attempt = 0; attempt < kMostAttempts; ++attempt) {
    pairs::OutPair* pair = bench->out_pairs.find(key);
    if (pair == nullptr) co_return;
    Result<Acquired> acquired =
        co_await acquire(bench, key, Errand{Purpose::pair, pair->accepted_on, own_certificate}, deadline);
    pair = bench->out_pairs.find(key);
    if (pair == nullptr || bench->is_stopping) co_return;
    if (!acquired) {
      last = acquired.error();
      break;
    }
    const pair::StreamRef ref = acquired->stream;
    const Reservation reservation(bench, ref);
    Result<void> accepted;
    if (pair->accepted_on != ref) accepted = co_await be_accepted(bench, key, ref, deadline);
    pair = bench->out_pairs.find(key);
    if (pair == nullptr || bench->is_stopping) co_return;
    streams::Stream* session = bench->streams.find(ref);
    if (accepted && session != nullptr && session->machine.is_closing() && session->machine.is_bidi()) {
      bench->owner.out_pair_is_heard(*pair, *session, acquired->proof);
      pair->accepted_on = {};
      session = nullptr;
    }
    if (accepted && session != nullptr && session->is_live()) {
      bench->owner.out_pair_is_proven(*pair, *session, std::move(acquired->proof));
      co_return;
    }
    const Reason before = last.reason;
    last = accepted ? Error{Reason::network_closed, "the stream ended"} : accepted.error();
    if (bench->now() >= deadline) break;
    const bool is_again = last.reason == Reason::external_refused && before == last.reason;
    if (session == nullptr && is_again) break;
    if (session == nullptr) continue;  // the stream ended under it: another is tried
    if (session->is_full(bench->now()) && !std::exchange(was_full, true)) continue;  // MUX-05: a second stream, once
    // The peer took the sender for nobody on a stream that shows another's certificate ([[tls.for]]): its own may do better.
    if (own_certificate || shows_own_certificate(*bench, *session, key)) break;
    own_certificate = true;
    if (!session->shows_certificate) {  // nor without any, and the peer may have learned to bear ours
      session->peer->no_certificate_until = {};
      bench->peers.remember(*session->peer);
    }
  }
  pairs::OutPair* pair = bench->out_pairs.find(key);
  if (pair != nullptr && !bench->is_stopping) bench->owner.out_pair_is_not_proven(*pair, last);
}

Task<Result<Acquired>> try_pair(Bench* bench, pairs::PairKey key, pair::StreamRef ridden, report::Steps& steps,
                                Instant deadline) {
  const Errand errand{Purpose::pair, ridden, false, &steps};
  Result<Acquired> acquired = co_await acquire(bench, key, errand, deadline);
  if (!acquired) co_return acquired;
  const Reservation reservation(bench, acquired->stream);
  if (acquired->stream == ridden) {
    tell(errand, "sender", report::StepResult::ok, "the peer has taken us for the sender on this stream already");
    co_return acquired;
  }
  const Instant began = bench->now();
  const Result<void> accepted = co_await be_accepted(bench, key, acquired->stream, deadline);
  if (!accepted) {
    tell_failure(errand, "sender", accepted.error(), bench->now() - began);
    co_return fail(accepted.error());
  }
  const streams::Stream* session = bench->streams.find(acquired->stream);
  const bool by_certificate = session != nullptr && session->is_authenticated && is_own(*session, key);
  tell(errand, "sender", report::StepResult::ok,
       by_certificate ? "the peer took our certificate (EXTERNAL)" : "the peer answered our db:result with valid",
       bench->now() - began);
  co_return acquired;
}

}  // namespace ligase::prove
