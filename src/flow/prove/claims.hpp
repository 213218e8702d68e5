// The receiving side's procedures: may this session speak for a sender domain (judge_client), and dialback claims
// (XEP-0220 §2.2) with the question to the sender's authority.
#pragma once
#include "dns/claim_questions.hpp"
#include "prove/bench.hpp"

namespace ligase::prove {

// What DNS may be asked at the word of who opened this stream: ten questions, while it has sent as much (AB-195, AB-196).
std::shared_ptr<dns::ClaimQuestions> questions_of(Bench* bench, pair::StreamRef stream);

// `questions`: what DNS may be asked for it; null: what it takes. Judges the session's certificate for `sender`, once; later callers get the same record, unless it was judged before
// `not_before`, or under another policy, or ran out. Null: the session is over, or it holds as many senders as it may.
Task<streams::SenderRecord*> judge_sender(Bench* bench, pair::StreamRef stream, Domain sender,
                                          std::shared_ptr<dns::ClaimQuestions> questions,
                                          WallTime not_before = WallTime::min());

// AskClientVerdict: judge, then offer features; within 5 s (STR-10).
Task<void> decide_features(Bench* bench, pair::StreamRef stream, Domain sender);

// A <db:result> with a key: decided and answered.
void take_claim(Bench& bench, streams::Stream& session, stream::DbResult claim);

// A <db:verify> about a key that we may have made (DB-02): answered at once, from the key alone.
void answer_as_authority(Bench& bench, streams::Stream& session, const stream::DbVerify& verify);

// An incoming pair that is in the session's table: proven anew, before its proof ends or after (MUX-09), or, where it is
// still Proving, for the first time by the session's certificate (MUX-08, row 4). Then what it held is delivered; where
// it is not proven, bounced, or in row 4 dropped and counted.
Task<void> prove_in_pair(Bench* bench, pair::StreamRef stream, pairs::PairKey pair);

}  // namespace ligase::prove
