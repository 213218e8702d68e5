// Time, from outside: the machine's clocks, or a virtual one.
#pragma once
#include <cstdint>
#include <functional>

#include "base/time.hpp"

namespace ligase::seams {

enum class TimerId : std::uint64_t { none = 0 };

class Clock {
 public:
  virtual ~Clock() = default;
  virtual Instant now() const = 0;  // one value per turn of the loop is enough
  virtual WallTime wall() const = 0;
  // Calls `action` once, from the loop, at or after `when`; never from inside this call.
  virtual TimerId call_at(Instant when, std::function<void()> action) = 0;
  virtual void cancel(TimerId timer) = 0;  // no effect on one that ran or was cancelled
};

class Random {
 public:
  virtual ~Random() = default;
  virtual void fill(std::uint8_t* bytes, std::size_t count) = 0;  // CSPRNG in the real world (SEC-03)
};

}  // namespace ligase::seams
