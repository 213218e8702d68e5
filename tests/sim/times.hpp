// How long something took in the simulated world, over several beginnings: printed for docs/performance.md.
#pragma once
#include <algorithm>
#include <cstdio>
#include <vector>

namespace ligase::sim {

inline void print_times(const char* what, std::vector<double> seconds) {
  std::sort(seconds.begin(), seconds.end());
  std::printf("withdrawal: %-50s first %6.0f s, median %6.0f s, last %6.0f s\n", what, seconds.front(),
              seconds[seconds.size() / 2], seconds.back());
}

}  // namespace ligase::sim
