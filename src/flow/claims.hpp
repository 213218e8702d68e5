// The receiving side's procedures: may this session speak for a sender domain (judge_client), and dialback claims
// (XEP-0220 §2.2) with the question to the sender's authority.
#pragma once
#include "hub.hpp"

namespace ligase {

// Judges the session's certificate for `sender`, once; later callers get the same record. Null: the session is over, or
// it holds as many senders as it may.
Task<SenderRecord*> judge_sender(std::shared_ptr<Hub> hub, pair::StreamRef stream, Domain sender);

// AskClientVerdict: judge, then offer features; within 5 s (STR-10).
Task<void> decide_features(std::shared_ptr<Hub> hub, pair::StreamRef stream, Domain sender);

// A <db:result> with a key: decided and answered.
void take_claim(Hub& hub, Session& session, stream::DbResult claim);

// A <db:verify> about a key that we may have made (DB-02): answered at once, from the key alone.
void answer_as_authority(Hub& hub, Session& session, const stream::DbVerify& verify);

// MUX-08, row 4: a stanza whose sender this session's certificate may prove; delivered if so, else dropped and counted.
Task<void> judge_and_deliver(std::shared_ptr<Hub> hub, pair::StreamRef stream, PairKey pair, pair::Stanza stanza);

}  // namespace ligase
