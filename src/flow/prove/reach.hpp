// From a domain to a stream whose far end is proven to be it: DNS, a stream that is there (RFC 7712 §4.4,
// piggybacking), or a new connection; then judge_server(). The same way serves pairs of ours and dial-backs to an
// authority.
#pragma once
#include "prove/bench.hpp"
#include "report/explanation.hpp"

namespace ligase::prove {

struct Acquired {
  pair::StreamRef stream;
  proof::Proof proof;  // of the server, for this remote domain
  std::string host;
  bool is_encrypted;
};
enum class Purpose : std::uint8_t {
  pair,
  dial_back,
  dial_back_to_dane,  // I-04: the authority must be proven by dane, whatever the policy would take first
};

// What a stream is wanted for.
struct Errand {
  Purpose purpose = Purpose::pair;
  // For a dial-back, the stream of the claim, whose budget a new connection is charged to; for a pair, the stream it rides,
  // which is looked at first, so that a renewal moves it only where that stream proves it no more.
  pair::StreamRef other;
  bool own_certificate = false;   // only a stream that shows the sender's own certificate will do
  report::Steps* told = nullptr;  // each step and its evidence, for explain; outlives the errand
};

// A live stream for (local, remote) with the server judged for `remote` under today's policy.
Task<Result<Acquired>> acquire(Bench* bench, pairs::PairKey pair, Errand errand, Instant deadline);

// Sets a pair of ours up: acquire, then be accepted as the sender (EXTERNAL for the header's pair, else db:result). Renews
// it alike: where the stream it rides proves it again, nothing is sent, and its stanzas never stop.
Task<void> set_up_pair(Bench* bench, pairs::PairKey pair);

// The same, told step by step, and the pair's own state left as it is: for explain. `ridden`: the stream it rides, or none.
Task<Result<Acquired>> try_pair(Bench* bench, pairs::PairKey pair, pair::StreamRef ridden, report::Steps& steps,
                                Instant deadline);

}  // namespace ligase::prove
