// What was learned of peers and must outlast a restart. Which of them take extra targets, and what broke a stream to them
// (MUX-06, EXT-01): memos of kind "peer" under "host:port", each fact with the time until which it counts. By which keys they were
// proven (AB-069): kind "key" under the name that the certificate was held against.
#pragma once
#include <string>

#include "hub.hpp"

namespace ligase {

// The memo's text, one word a fact: "takes-targets=1764021124 no-extra-senders=1764021124". Only what still counts.
std::string learned_text(const Peer& peer, WallTime now);
// The reverse, from a file that anybody may have written: unknown words and what is no time are passed over, and no fact
// lasts longer than the longest that is ever learned.
void read_learned(Peer& peer, std::string_view text, WallTime now);

// Something was learned that still counts, beyond what is seen at each new stream anyway.
bool holds_fact(const Peer& peer, WallTime now);

void remember(Hub& hub, const Peer& peer);  // call it when one of these facts changes

// `chain`, valid to an anchor, has just proven `remote` as its certificate names `name`: the domain itself (pkix), or the
// host that its signed SRV leads to (dnssec). Another key from another CA than ever before is a `peer_key_changed`.
void note_key(Hub& hub, const proof::Chain& chain, std::string_view name, const Domain& remote);

void recall(Hub& hub);  // both, from Settings::memos, at the start

}  // namespace ligase
