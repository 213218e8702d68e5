// Why a pair is proven, or is not: what was looked at, in order, with what was found (`ligase ctl explain`).
#pragma once
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.hpp"

namespace ligase::report {

enum class StepResult : std::uint8_t { ok, failed, skipped, waiting };
std::string_view name_of(StepResult result) noexcept;

struct Step {
  std::string what;  // "out: TLSA"
  StepResult result = StepResult::ok;
  std::string detail;  // a sentence or a list, for people
  double ms = 0;       // how long it took; 0: nothing was waited for
  bool operator==(const Step&) const = default;
};
using Steps = std::vector<Step>;
inline double milliseconds(Duration time) noexcept { return std::chrono::duration<double, std::milli>(time).count(); }

// Of one direction: it is proven now; it was asked for and is not; or nothing says whether it would be.
enum class Outcome : std::uint8_t { holds, refused, unknown };
std::string_view name_of(Outcome outcome) noexcept;

struct Explanation {
  std::string local, remote;
  std::string verdict;  // one sentence
  Outcome out = Outcome::unknown, in = Outcome::unknown;
  Steps steps = {};
};
std::string to_json(const Explanation& explanation);

}  // namespace ligase::report
