// The allocator of this test program: it counts what a gateway in the simulated world allocates, and fails one of it.
#pragma once
#include <cstdint>

namespace ligase::memory {

// From now on the n-th allocation that is made while a gateway is at work throws std::bad_alloc, and it alone; 0: none does.
void fail_at(std::uint64_t n) noexcept;
std::uint64_t counted() noexcept;  // of a gateway's, since then
bool has_failed() noexcept;        // the n-th came
std::int64_t living() noexcept;    // blocks that were not given back, whosever they are

}  // namespace ligase::memory
