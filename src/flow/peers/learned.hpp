// What was learned of a peer as text and back: which of them take extra targets, and what broke a stream to them (MUX-06, EXT-01).
// Memos of kind "peer" under "host:port", each fact with the time until which it counts.
#pragma once
#include <string>

#include "peers/peers.hpp"

namespace ligase::peers {

// The memo's text, one word a fact: "takes-targets=1764021124 no-extra-senders=1764021124". Only what still counts.
std::string learned_text(const Peer& peer, WallTime now);
// The reverse, from a file that anybody may have written: unknown words and what is no time are passed over, and no fact
// lasts longer than the longest that is ever learned.
void read_learned(Peer& peer, std::string_view text, WallTime now);

// Something was learned that still counts, beyond what is seen at each new stream anyway.
bool holds_fact(const Peer& peer, WallTime now);
void shift(Peer& peer, std::chrono::seconds by);  // the ends of all facts
WallTime last_of(const Peer& peer);               // the end of the last fact

// "host:port"; nullopt: it is neither.
std::optional<std::pair<std::string, std::uint16_t>> place_of(std::string_view key);

}  // namespace ligase::peers
