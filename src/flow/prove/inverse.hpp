// A stream that a peer opened for both directions (XEP-0288), as the way of our own pairs: whose it is, and which of them it carries.
#pragma once
#include "prove/errand.hpp"

namespace ligase::prove {

// Where the inverse of the pair was proven, the peer takes the pair for proven as well (BIDI-03).
bool is_proven_in_reverse(const Bench& bench, const streams::Stream& session, const pairs::PairKey& out);

// The stream of a peer that takes the inverse of what it claimed, or on which the target itself was proven and may be asked in
// reverse; null: none.
streams::Stream* find_inverse(Bench& bench, const pairs::PairKey& out, const Errand& errand);

// The far end is the pair's target by what its authority said of this very stream, where its certificate does not say so and the
// policy takes dialback; nullopt: that was not asked, or holds no more.
std::optional<proof::Proof> proven_in_reverse(Bench& bench, pair::StreamRef ref, const pairs::PairKey& out);

// Looks up which peer a stream leads to that was proven for `in` first: the target of the sender's SRV records that its certificate
// is known to be of (BIDI-06, D-12). Joins it to that peer, or to none: a domain may name anybody's host.
Task<void> find_peer_of(Bench* bench, pair::StreamRef ref, pairs::PairKey in);

}  // namespace ligase::prove
