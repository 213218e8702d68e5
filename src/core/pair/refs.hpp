// What crosses a wait instead of a pointer: numbers that are never used twice.
#pragma once
#include <compare>
#include <cstdint>

namespace ligase::pair {

// Our number for a stream: never reused, so that a stale reference finds nothing.
struct StreamRef {
  std::uint64_t number = 0;  // 0: none
  auto operator<=>(const StreamRef&) const = default;
};
// Counts the policies this process has had. A proof made under another policy must be judged anew (AB-179).
struct PolicyEpoch {
  std::uint64_t number = 0;
  auto operator<=>(const PolicyEpoch&) const = default;
};

}  // namespace ligase::pair
