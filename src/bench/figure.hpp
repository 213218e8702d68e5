// What a benchmark says: figures with their goals, a table for people and a document for programs. A figure is a
// median where it says so; what was measured, on which machine, stands beside it.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace ligase::bench {

enum class Better : std::uint8_t { less, more };

struct Figure {
  std::string benchmark;  // "pairs"
  std::string what;       // "400 pairs, first stanza to the last one's arrival"
  double value = 0;
  std::string unit;  // "ms", "B", "KiB", "/s", "us", "ns"
  std::optional<double> goal = std::nullopt;
  Better better = Better::less;
  std::string note = {};  // spread, or who was the bottleneck

  bool is_met() const noexcept { return !goal || (better == Better::less ? value < *goal : value >= *goal); }
};

struct Machine {
  std::string processor, kernel, compiler, version;
  unsigned cores = 0;
  double load = 0;  // of the last minute, when the benchmarks began
};
Machine this_machine();

std::string to_table(const std::vector<Figure>& figures, const Machine& machine);
std::string to_json(const std::vector<Figure>& figures, const Machine& machine);  // one line with its end

// Of a non-empty list.
double median(std::vector<double> values);
// "5 runs, 71.2 to 90.1"
std::string spread(const std::vector<double>& values, const char* format = "{:.1f}");

}  // namespace ligase::bench
