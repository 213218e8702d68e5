// A process as the kernel accounts for it (proc(5)): the only judge of what a gateway costs.
#pragma once
#include <sys/types.h>

#include <cstdint>

#include "base/result.hpp"

namespace ligase::bench {

struct Usage {
  double cpu_seconds = 0;  // user and system, all threads
  double user_seconds = 0;
  std::uint64_t resident_bytes = 0;  // Rss of smaps_rollup
  std::uint64_t private_bytes = 0;   // Private_Dirty: ours alone
};
Result<Usage> usage_of(pid_t process);

// Processor time of all threads, to the nanosecond (proc_pid_schedstat).
Result<double> cpu_of(pid_t process);

// This thread, and whatever is started by it afterwards, runs on these cores only (`first`, or all of them).
void run_on_core(unsigned core);
void run_on_all_cores();
unsigned cores();

}  // namespace ligase::bench
