// From a domain to a stream whose far end is proven to be it: DNS, a stream that is there (RFC 7712 §4.4,
// piggybacking), or a new connection; then judge_server(). The same way serves pairs of ours and dial-backs to an
// authority.
#pragma once
#include "prove/errand.hpp"

namespace ligase::prove {

// A live stream for (local, remote) with the server judged for `remote` under today's policy.
Task<Result<Acquired>> acquire(Bench* bench, pairs::PairKey pair, Errand errand, Instant deadline);

}  // namespace ligase::prove
