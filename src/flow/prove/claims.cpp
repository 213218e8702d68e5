// Who may speak on a stream that a peer opened. A claim is decided from nothing but this session's certificate and this
// sender's own look-ups, or by the sender's authority (I-10); the one stream never asked is the claim's own (DB-03).
#include "prove/claims.hpp"

#include <fmt/format.h>

#include "base/on_leaving.hpp"
#include "proof/dialback_key.hpp"
#include "prove/judge.hpp"
#include "prove/reach.hpp"

namespace ligase::prove {
namespace {

using stream::DbType;
using stream::DbVerdict;

constexpr Duration kFeaturesPatience = 5s;  // STR-10
constexpr Duration kVerifyPatience = 20s;   // AB-084
// Streams of one site whose claims may be decided at once, each with proving_per_stream of them. Each costs some 10 KB, and its
// claimant seventy bytes (AB-272).
constexpr std::uint64_t kStreamsOfASite = 4;

// What a peer is told of a refused claim (XEP-0220 §2.5).
DbVerdict verdict_of(const Error& why) {
  switch (why.reason) {
    case Reason::dialback_invalid:
      return {DbType::invalid};
    case Reason::dns_not_found:
    case Reason::dns_no_service:
    case Reason::address_none:
    case Reason::address_forbidden:
    case Reason::connect_refused:
    case Reason::connect_timeout:
    case Reason::name_not_allowed:
    case Reason::self_connect:
      return {DbType::error, StanzaError::remote_server_not_found};
    case Reason::policy_blocked:
    case Reason::policy_proof:
      return {DbType::error, StanzaError::forbidden};
    case Reason::policy_encryption:
      return {DbType::error, StanzaError::policy_violation};
    case Reason::sender_hosted:
      return {DbType::error, StanzaError::not_authorized};
    case Reason::host_unknown:
      return {DbType::error, StanzaError::item_not_found};
    case Reason::dialback_too_many:
    case Reason::limit_reached:
      return {DbType::error, StanzaError::resource_constraint};
    default:
      return {DbType::error, StanzaError::remote_server_timeout};
  }
}

// Why a claim is refused, and what of it the peer is told: for an authority's error, the authority's own word (I-11).
struct Refused : Error {
  DbVerdict told;
  Refused(Error why)
      : Error(std::move(why)), told(verdict_of(*this)) {}  // NOLINT(google-explicit-constructor): as in fail()
  Refused(Error why, StanzaError condition) : Error(std::move(why)), told{DbType::error, condition} {}
};
using Decision = tl::expected<proof::Proof, Refused>;

// AB-019: a stranger that makes us answer and does not read is let go.
bool may_be_answered(const Bench& bench, streams::Stream& session) {
  if (session.is_ending) return false;
  if (session.machine.is_proven() || session.connection->queued() <= bench.limits().reply_buffer) return true;
  session.end({StreamError::policy_violation, "answers are not read"}, {Reason::limit_reached, "reply_buffer"});
  return false;
}

void answer(Bench& bench, streams::Stream& session, const pairs::PairKey& pair, stream::Spelling spelling,
            const DbVerdict& verdict) {
  if (!may_be_answered(bench, session)) return;
  session.answer(stream::answer_result(pair.sender, pair.target, verdict, spelling));
}

// A refusal is final for a while only: a domain holder mends a record, and the peer asks again on the same stream.
bool is_fresh(const Bench& bench, const streams::SenderRecord& record, WallTime not_before) {
  if (!record.verdict || record.epoch != bench.ground.rules.epoch() || record.judged_at < not_before) return false;
  if (*record.verdict) return (*record.verdict)->expires > bench.wall();
  const auto age = bench.wall() - record.judged_at;  // below zero: the clock was set back (AB-262)
  const bool is_recent = age >= age.zero() && age < bench.limits().negative_proof_cache;
  return !record.verdict->error().is_temporary && is_recent;
}

void refuse(Bench& bench, streams::Stream& session, const pairs::PairKey& pair, stream::Spelling spelling,
            const Refused& why) {
  bench.owner.claim_is_refused(session, pair, why);
  answer(bench, session, pair, spelling, why.told);
  // DB-05: an invalid key ends the stream only if no pair lives on it, and none is still being judged.
  if (why.told.type == DbType::invalid && session.in_pairs.empty() && session.claims.empty() && session.riding.empty())
    session.close(why);
}

// I-10: the authority is found and proven by the outgoing table, and says whether it made this key.
Task<Decision> dial_back(Bench* bench, pair::StreamRef claimed_on, pairs::PairKey pair, std::string id,
                         pairs::ClaimKey key, std::shared_ptr<dns::ClaimQuestions> questions,
                         bool authority_must_be_dane) {
  const Instant deadline = bench->now() + kVerifyPatience;
  const pairs::PairKey way{pair.target, pair.sender};  // ours asks theirs
  const Purpose purpose = authority_must_be_dane ? Purpose::dial_back_to_dane : Purpose::dial_back;
  Errand errand{purpose, claimed_on};
  errand.questions = std::move(questions);
  const streams::Stream* claimed = bench->streams.find(claimed_on);
  if (claimed == nullptr) co_return fail(Reason::cancelled, "the stream of the claim is over");
  errand.by = prefix_of(claimed->connection->remote().address);
  Result<Acquired> authority = co_await acquire(bench, way, std::move(errand), deadline);
  if (!authority) co_return fail(authority.error());
  streams::Stream* session = bench->streams.find(authority->stream);
  if (session == nullptr) co_return fail(Reason::network_closed, "the authority's stream ended");
  const std::tuple question{pair.sender, pair.target, id};
  const auto gate = std::make_shared<ground::Gate<streams::DbAnswer>>(bench->ground.world.executor);
  if (!session->verifying.emplace(question, gate).second)
    co_return fail(Reason::dialback_error, "another claim with this id is being verified");
  const OnLeaving over([&] {
    if (streams::Stream* asked = bench->streams.find(authority->stream)) asked->verifying.erase(question);
  });
  session->write(stream::ask_verify(pair.sender, pair.target, id, key.text, key.spelling));
  const auto came = co_await gate->wait(bench->ground.world.clock, deadline);
  if (!came && came.error() == ground::Missed::late)
    co_return fail(Reason::dialback_timeout, "the authority did not answer");
  if (!came) co_return fail(Reason::network_closed, "the authority's stream ended");
  if (!*came) co_return fail(came->error());
  switch ((*came)->type) {
    case DbType::valid: {
      const proof::DialbackEvidence evidence{authority->proof, authority->is_encrypted, authority->host};
      auto proven =
          proof::judge_dialback(evidence, authority_must_be_dane, bench->policy_towards(pair.sender), bench->wall());
      if (proven) proven->epoch = authority->proof.epoch;  // it rests on that judgement
      co_return proven;
    }
    case DbType::invalid:
      co_return fail(Reason::dialback_invalid,
                     fmt::format("{}, authority of {}, did not make this key", authority->host, pair.sender.text()));
    case DbType::error:
      break;
  }
  const StanzaError condition = (*came)->condition;
  Error why{Reason::dialback_error, fmt::format("{}, authority of {}, answered {}", authority->host, pair.sender.text(),
                                                condition_name(condition))};
  co_return tl::unexpected(Refused(std::move(why), condition));
}

// `key` empty: there is none to verify. `not_before`: how old the judgement of the certificate may be. `questions`: null: what
// it takes.
Task<Decision> decide(Bench* bench, pair::StreamRef ref, pairs::PairKey pair, std::string id, pairs::ClaimKey key,
                      std::shared_ptr<dns::ClaimQuestions> questions, WallTime not_before) {
  const auto lacks_tls = [&] {
    const streams::Stream* session = bench->streams.find(ref);
    return session != nullptr && !session->machine.is_encrypted() &&
           bench->policy_towards(pair.sender).encryption == Encryption::required;
  };
  const auto refused = [] {
    return fail(Reason::policy_encryption, "its policy demands TLS, and this stream has none");
  };
  // I-14: of each claim, whatever the header's `from` was, and again at each renewal and reload.
  if (lacks_tls()) co_return refused();
  streams::SenderRecord* record = co_await judge_sender(bench, ref, pair.sender, questions, not_before);
  if (record == nullptr) co_return fail(Reason::limit_reached, "the stream holds as many senders as it may");
  if (!record->verdict) co_return fail(Reason::cancelled, "the judgement was given up");
  if (*record->verdict) co_return **record->verdict;  // I-15, I-17: the key is not looked at, nobody is dialed
  const proof::ClientRefusal refusal = record->verdict->error();
  if (!refusal.may_dial_back || key.text.empty()) co_return fail(refusal.error);
  if (!bench->policy_towards(pair.sender).allows(proof::ProofType::dialback)) co_return fail(refusal.error);
  Decision proven = co_await dial_back(bench, ref, pair, std::move(id), std::move(key), std::move(questions),
                                       refusal.authority_must_be_dane);
  if (!proven) co_return proven;
  // AB-245: a reload while it was decided makes a proof of today's policy, of which this was not asked yet.
  if (lacks_tls()) co_return refused();
  // What the certificate could not do stays in the evidence (O-17).
  proven->evidence += fmt::format("; not by certificate: {}: {}", name_of(refusal.error.reason), refusal.error.detail);
  co_return proven;
}

// A sender that was refused is forgotten with its refusal, lest a stream of many years be full of those it once named.
void forget_refused(const Bench& bench, streams::Stream& session) {
  std::erase_if(session.senders, [&](const auto& entry) {
    const streams::SenderRecord& record = entry.second;
    return record.verdict && !*record.verdict && record.done == nullptr && !record.dialback_target &&
           !is_fresh(bench, record, WallTime::min());
  });
}

bool may_be_decided(const Bench& bench, const streams::Stream& session) {
  const config::Limits& limits = bench.limits();
  return session.claims.size() < limits.proving_per_stream && session.in_pairs.size() < limits.pairs_per_stream &&
         bench.claims.of(session.site()) < kStreamsOfASite * limits.proving_per_stream &&
         bench.streams.may_remember(session);
}

// `counted` among its site's claims for as long as this goes on, its stream being there or not.
Task<void> decide_claim(Bench* bench, pair::StreamRef ref, stream::Half half, pairs::PairKey pair, std::string id,
                        pairs::ClaimKey key, [[maybe_unused]] ground::Tally<Address>::Token counted) {
  std::shared_ptr<dns::ClaimQuestions> questions = questions_of(bench, ref);
  Decision proven = co_await decide(bench, ref, pair, std::move(id), key, std::move(questions), WallTime::min());
  streams::Stream* session = bench->streams.find(ref);
  if (session == nullptr || session->machine.half() != half) co_return;  // AB-185
  session->claims.erase(pair);
  if (!proven) {
    refuse(*bench, *session, pair, key.spelling, proven.error());
    co_return;
  }
  const stream::Spelling spelling = key.spelling;
  bench->owner.claim_is_proven(*session, pair, std::move(*proven), std::move(key));
  answer(*bench, *session, pair, spelling, {DbType::valid});
}

}  // namespace

// A stream that is gone pays for nothing more.
std::shared_ptr<dns::ClaimQuestions> questions_of(Bench* bench, pair::StreamRef ref) {
  const auto pay = [bench, ref](std::size_t bytes) {
    streams::Stream* session = bench->streams.find(ref);
    return session != nullptr && session->pays_for_questions(bytes);
  };
  dns::ClaimShare share{&bench->claim_places, {}};
  if (const streams::Stream* session = bench->streams.find(ref))
    share.prefix = prefix_of(session->connection->remote().address);
  return std::make_shared<dns::ClaimQuestions>(bench->ground.world.resolver, pay, share);
}

Task<streams::SenderRecord*> judge_sender(Bench* bench, pair::StreamRef ref, Domain sender,
                                          std::shared_ptr<dns::ClaimQuestions> questions, WallTime not_before) {
  streams::Stream* session = bench->streams.find(ref);
  if (session == nullptr) co_return nullptr;
  const stream::Half half = session->machine.half();
  auto known = session->senders.find(sender);
  if (known == session->senders.end()) {
    const std::uint64_t most = bench->limits().senders_per_stream;
    if (session->senders.size() >= most) forget_refused(*bench, *session);
    if (session->senders.size() >= most || !bench->streams.may_remember(*session)) co_return nullptr;
    known = session->senders.try_emplace(sender).first;
    known->second.counted = bench->streams.remembered.count(session->site());
  }
  if (is_fresh(*bench, known->second, not_before)) co_return &known->second;
  if (known->second.done) {  // asked already: one answer serves all
    const std::shared_ptr<ground::Gate<bool>> done = known->second.done;
    co_await done->wait();
    session = bench->streams.find(ref);
    if (session == nullptr || session->machine.half() != half) co_return nullptr;
    co_return &session->senders[sender];
  }
  const auto done = std::make_shared<ground::Gate<bool>>(bench->ground.world.executor);
  known->second.done = done;
  const OnLeaving over([&] {  // by what is thrown too: who waits would wait for ever (AB-246)
    if (streams::Stream* judged = bench->streams.find(ref))
      if (const auto at = judged->senders.find(sender); at != judged->senders.end() && at->second.done == done)
        at->second.done.reset();
    done->open(true);
  });
  const pair::PolicyEpoch epoch = bench->ground.rules.epoch();
  auto verdict = co_await prove_client(bench, ref, sender, std::move(questions));
  session = bench->streams.find(ref);
  if (session == nullptr || session->machine.half() != half) co_return nullptr;  // AB-185
  streams::SenderRecord& record = session->senders[sender];                      // until now an earlier verdict held
  record.verdict = std::move(verdict);
  record.judged_at = bench->wall();
  record.epoch = epoch;
  co_return &record;
}

Task<void> decide_features(Bench* bench, pair::StreamRef ref, Domain sender) {
  auto decided = std::make_shared<bool>(false);
  const auto offer = [bench, ref, decided](bool external) {
    if (std::exchange(*decided, true)) return;
    if (streams::Stream* session = bench->streams.find(ref))
      session->perform(session->machine.offer_features(external, bench->now()));
  };
  if (const Result<void> admitted = bench->ground.rules.admits(sender); !admitted) {
    if (streams::Stream* session = bench->streams.find(ref))
      session->end({StreamError::policy_violation, fmt::format("{} is not accepted here", sender.text())},
                   {admitted.error().reason, std::string(sender.text())});
    co_return;
  }
  streams::SenderRecord* record = nullptr;
  // No certificate: EXTERNAL is out of the question, and what DNS says can wait for a claim.
  if (const streams::Stream* session = bench->streams.find(ref);
      session != nullptr && session->facts.peer_chain != nullptr) {
    const seams::TimerId timer =
        bench->ground.world.clock.call_at(bench->now() + kFeaturesPatience, [offer] { offer(false); });
    std::shared_ptr<dns::ClaimQuestions> questions = questions_of(bench, ref);
    const OnLeaving over([&] { bench->ground.world.clock.cancel(timer); });
    try {
      Task<streams::SenderRecord*> judged = judge_sender(bench, ref, sender, std::move(questions));
      record = co_await std::move(judged);
    } catch (const std::exception& broken) {  // no EXTERNAL; a claim may do better (AB-246)
      bench->ground.log(report::Event(report::Level::error, "internal_fault").with("detail", broken.what()));
    }
  }
  const bool is_proven = record != nullptr && record->verdict && record->verdict->has_value();
  if (streams::Stream* session = bench->streams.find(ref); session != nullptr && !*decided)
    bench->ground.log(report::Event(report::Level::info, "stream_opened")
                          .with("stream", session->number())
                          .with("direction", "in")
                          .with("address", session->connection->remote().text())
                          .with("local", session->machine.local()->text())
                          .with("remote", sender.text())
                          .with("tls", session->facts.version)
                          .with("external", is_proven ? "offered" : "not offered"));
  offer(is_proven);
}

void take_claim(Bench& bench, streams::Stream& session, stream::DbResult claim) {
  const pairs::PairKey pair{claim.sender, claim.target};
  const auto refused = [&](Reason reason, std::string detail) {
    refuse(bench, session, pair, claim.spelling, Error{reason, std::move(detail)});
  };
  // Before any DNS question (AB-024).
  if (bench.hosting.is_hosted(pair.sender) || pair.sender == pair.target)
    return refused(Reason::sender_hosted, fmt::format("{} is hosted here", pair.sender.text()));
  if (!bench.hosting.is_hosted(pair.target))
    return refused(Reason::host_unknown, fmt::format("{} is not hosted here", pair.target.text()));
  if (const Result<void> admitted = bench.ground.rules.admits(pair.sender); !admitted)
    return refused(admitted.error().reason, admitted.error().detail);
  if (const auto proven = session.in_pairs.find(pair);
      proven != session.in_pairs.end() && bench.ground.live_proof(proven->second.life, session.ref) != nullptr)
    return answer(bench, session, pair, claim.spelling, {DbType::valid});
  if (session.claims.contains(pair)) return;  // AB-082: one answer serves both
  if (const auto* before = bench.refusals.find(pair); before != nullptr && before->until > bench.now() &&
                                                      before->from == session.connection->remote().address &&
                                                      before->why.reason == Reason::dialback_invalid)
    return answer(bench, session, pair, claim.spelling, verdict_of(before->why));
  if (!may_be_decided(bench, session))
    return refused(Reason::limit_reached, "too many pairs on this stream, or of its address");
  // What is thrown costs the claim, and leaves no place of it taken (AB-161, AB-246).
  ground::Scope::Lost lost = [&bench, pair, ref = session.ref, half = session.machine.half(),
                              spelling = claim.spelling](const Error& why) {
    streams::Stream* claimed = bench.streams.find(ref);
    if (claimed == nullptr || claimed->machine.half() != half || claimed->claims.erase(pair) == 0) return;
    refuse(bench, *claimed, pair, spelling, why);
  };
  Task<void> task = decide_claim(&bench, session.ref, session.machine.half(), pair, session.machine.id(),
                                 {std::move(claim.key), claim.spelling}, bench.claims.count(session.site()));
  session.claims.insert(pair);
  bench.ground.spawn(std::move(task), std::move(lost));
}

void answer_as_authority(Bench& bench, streams::Stream& session, const stream::DbVerify& verify) {
  if (!may_be_answered(bench, session)) return;
  DbVerdict verdict{DbType::invalid};
  if (!bench.hosting.is_hosted(verify.sender)) {
    verdict = {DbType::error, StanzaError::item_not_found};
  } else if (const auto asked = proof::DialbackKey::parse(verify.key)) {
    if (*asked ==
        proof::DialbackKey::derive(bench.ground.rules.dialback_secret(), verify.target, verify.sender, verify.id))
      verdict.type = DbType::valid;
  }
  if (verdict.type != DbType::valid)
    bench.owner.count_drop(Reason::dialback_invalid, "a db:verify for a key that is not ours", &session);
  session.answer(stream::answer_verify(verify.sender, verify.target, verify.id, verdict, verify.spelling));
}

Task<void> prove_in_pair(Bench* bench, pair::StreamRef ref, pairs::PairKey key) {
  streams::Stream* session = bench->streams.find(ref);
  if (session == nullptr) co_return;
  auto pair = session->in_pairs.find(key);
  if (pair == session->in_pairs.end()) co_return;
  const bool is_first = pair->second.life.as<pair::Life::Unproven>() != nullptr;
  const auto* proven_before = pair->second.life.as<pair::Life::Proven>();
  // A judgement that this pair's last proof did not rest on serves it too: one is made for all pairs of a sender.
  const WallTime not_before =
      proven_before != nullptr ? proven_before->since + std::chrono::seconds(1) : WallTime::min();
  std::string id = session->machine.id();
  pairs::ClaimKey claim_key = pair->second.claim_key;
  // What was proven before is asked again by our own rule, not at the peer's word.
  std::shared_ptr<dns::ClaimQuestions> questions;
  if (is_first) questions = questions_of(bench, ref);
  Result<proof::Proof> proven =
      co_await decide(bench, ref, key, std::move(id), std::move(claim_key), std::move(questions), not_before);
  session = bench->streams.find(ref);
  if (session == nullptr) co_return;  // then what was held is bounced already
  pair = session->in_pairs.find(key);
  if (pair == session->in_pairs.end()) co_return;
  bench->owner.in_pair_is_decided(*session, key, std::move(proven), is_first);
}

}  // namespace ligase::prove
