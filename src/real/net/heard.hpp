// What the kernel knows of the other machine: whether anything comes from it.
#pragma once
#include <cstdint>

namespace ligase::net {

// TCP segments that `socket` has received since it was opened, acknowledgements without data too. A count and no time: the
// kernel's clock ticks so seldom that an acknowledgement stands at the same tick as what it acknowledges.
std::uint64_t segments_received(int socket) noexcept;

}  // namespace ligase::net
