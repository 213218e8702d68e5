// A count of the steps that hostile input can multiply, for tests that hold a cost at n against the one at 2n: time says
// nothing on a shared machine. Without LIGASE_COUNT_WORK (every build that is installed) it is nothing at all.
#pragma once
#include <cstdint>

namespace ligase {

#ifdef LIGASE_COUNT_WORK
inline std::uint64_t work_done = 0;  // of the one loop; a test sets it to 0
inline void count_work(std::uint64_t steps = 1) noexcept { work_done += steps; }
#else
inline void count_work(std::uint64_t = 1) noexcept {}
#endif

}  // namespace ligase
