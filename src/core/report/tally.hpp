// How often each reason came about since the start: a number for each, whatever strangers do.
#pragma once
#include <array>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "base/reason.hpp"

namespace ligase::report {

// Names of reasons with their numbers, those that never came about left out.
using Counts = std::vector<std::pair<std::string_view, std::uint64_t>>;

class Tally {
 public:
  void count(Reason reason) noexcept { ++counts_[static_cast<std::size_t>(reason)]; }
  Counts counts() const {
    Counts counts;
    for (const ReasonText& row : all_reasons())
      if (const std::uint64_t count = counts_[static_cast<std::size_t>(row.reason)]; count > 0)
        counts.emplace_back(row.name, count);
    return counts;
  }

 private:
  std::array<std::uint64_t, static_cast<std::size_t>(Reason::internal) + 1> counts_{};
};

}  // namespace ligase::report
