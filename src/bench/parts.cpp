// The benchmarks that stand beside the code they measure (src/**/*_bench.cpp), run by Google's library and told like
// the others.
#include "benchmarks.hpp"

#ifdef LIGASE_BENCH_PARTS
#include <benchmark/benchmark.h>

namespace ligase::bench {
namespace {

// Debian 12 has the library's 1.7, Debian 13 its 1.9, which renamed these.
template <class Run>
std::string failure_of(const Run& run) {
  if constexpr (requires { run.error_occurred; }) {
    return run.error_occurred ? run.error_message : std::string();
  } else {
    return run.skipped ? run.skip_message : std::string();
  }
}

class Reporter final : public benchmark::BenchmarkReporter {
 public:
  bool ReportContext(const Context&) override { return true; }
  void ReportRuns(const std::vector<Run>& runs) override {
    for (const Run& run : runs) {
      const std::string name = name_of(run);
      if (const std::string why = failure_of(run); !why.empty()) {
        failure = name + ": " + why;
        continue;
      }
      bool has_rate = false;
      for (const auto& [counter, value] : run.counters) {
        if (counter == "bytes_per_second") continue;
        const bool is_rate = counter == "items_per_second";
        has_rate = has_rate || is_rate;
        figures.push_back({"parts", is_rate ? name : name + " " + counter, value.value, is_rate ? "/s" : ""});
        if (is_rate) figures.back().note = describe(1 / value.value);
      }
      if (!has_rate && run.counters.empty()) figures.push_back({"parts", name, run.GetAdjustedRealTime(), "ns"});
    }
  }

  std::vector<Figure> figures;
  std::string failure;

 private:
  // "Parser_200ByteStanzas/64": without what only the library needs in it.
  static std::string name_of(const Run& run) {
    const std::string& name = run.run_name.function_name;
    return (name.starts_with("BM_") ? name.substr(3) : name) +
           (run.run_name.args.empty() ? "" : "/" + run.run_name.args);
  }
  static std::string describe(double seconds) {
    return seconds < 1e-6 ? std::to_string(static_cast<long>(seconds * 1e9)) + " ns each"
                          : std::to_string(seconds * 1e6).substr(0, 5) + " us each";
  }
};

}  // namespace

Figures measure_parts(const Context&) {
  Reporter reporter;
  benchmark::RunSpecifiedBenchmarks(&reporter);
  if (!reporter.failure.empty()) return fail(Reason::internal, reporter.failure);
  return std::move(reporter.figures);
}

}  // namespace ligase::bench

#else

namespace ligase::bench {
Figures measure_parts(const Context&) {
  return fail(Reason::internal, "built without libbenchmark; install it (./dev deps all), then build again");
}
}  // namespace ligase::bench

#endif
