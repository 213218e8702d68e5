// What the kernel knows of the other machine: whether anything comes from it, and how far away it is.
#pragma once
#include <cstdint>

#include "base/time.hpp"

namespace ligase::net {

// TCP segments that `socket` has received since it was opened, acknowledgements without data too. A count and no time: the
// kernel's clock ticks so seldom that an acknowledgement stands at the same tick as what it acknowledges.
std::uint64_t segments_received(int socket) noexcept;
// The kernel's smoothed measure of the way there and back; zero: it cannot say.
Duration round_trip_of(int socket) noexcept;

}  // namespace ligase::net
