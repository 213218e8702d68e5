// A pair of ours set up: a stream to its domain, and the peer that takes us for the sender there.
#pragma once
#include "prove/errand.hpp"

namespace ligase::prove {

// Sets a pair of ours up: acquire, then be accepted as the sender (EXTERNAL for the header's pair, else db:result). Renews
// it alike: where the stream it rides proves it again, nothing is sent, and its stanzas never stop.
Task<void> set_up_pair(Bench* bench, pairs::PairKey pair);

// The same, told step by step, and the pair's own state left as it is: for explain. `ridden`: the stream it rides, or none.
Task<Result<Acquired>> try_pair(Bench* bench, pairs::PairKey pair, pair::StreamRef ridden, report::Steps& steps,
                                Instant deadline);

}  // namespace ligase::prove
