// What the way a stream ended teaches of its peer, so that the next one gets further (EXT-01, MUX-06).
#pragma once
#include "streams/stream.hpp"

namespace ligase::streams {

// Called once, before anything is taken off the stream; `why` is said more exactly where it can be.
void learn_from_end(const ground::Ground& ground, peers::Peers& peers, Stream& stream, Error& why);

}  // namespace ligase::streams
