// The three kinds of time. Core code is told the time; it never asks for it.
#pragma once
#include <chrono>
#include <string>

namespace ligase {

using Duration = std::chrono::nanoseconds;

// Monotonic: timers, deadlines, ages. Only the clock seam makes one from the machine's clock (AB-162).
struct MonotonicClock {
  using duration = Duration;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<MonotonicClock>;
  static constexpr bool is_steady = true;
};
using Instant = MonotonicClock::time_point;

// Civil time, UTC: certificates, RRSIGs, what people read.
using WallTime = std::chrono::sys_seconds;

using namespace std::chrono_literals;

// RFC 3339 in UTC, whole seconds: "2026-11-24T21:52:04Z".
std::string rfc3339(WallTime time);

}  // namespace ligase
