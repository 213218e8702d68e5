// What others are told: the sender of a stanza that cannot go on, a peer that is refused. A sentence of our own for each reason,
// about what they asked and nothing else. What a library, a resolver or a peer said stands in the log: it may name another
// tenant's domain, or this network (P14, P16, AB-107, AB-235).
#pragma once
#include <string>
#include <string_view>

#include "base/reason.hpp"

namespace ligase {

std::string_view told_of(Reason reason) noexcept;
std::string told(Reason reason);  // "dane.mismatch: its certificate is not the one that its TLSA records name"

}  // namespace ligase
