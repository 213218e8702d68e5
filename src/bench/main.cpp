// ligase-bench [NAME...] [--json] [--runs N] [--program FILE]: what ligase needs of time and memory, measured. Exit
// codes: 0 every goal met, 1 measured but a goal missed, 2 something could not be measured, 64 usage.
#include <unistd.h>
#include <climits>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include <algorithm>

#include "benchmarks.hpp"

namespace ligase::bench {
namespace {

struct Arguments {
  std::vector<std::string> names;
  std::string program;
  unsigned runs = 7;
  bool is_json = false, wants_help = false;
  std::string fault;
};

std::string beside_us(const char* name) {
  char path[PATH_MAX] = {};
  const ssize_t size = readlink("/proc/self/exe", path, sizeof path - 1);
  const std::string own(path, size > 0 ? static_cast<std::size_t>(size) : 0);
  return own.substr(0, own.rfind('/') + 1) + name;
}

const Benchmark* find(std::string_view name) {
  const auto found = std::ranges::find(kBenchmarks, name, &Benchmark::name);
  return found == std::end(kBenchmarks) ? nullptr : found;
}

Arguments read(int count, char** words) {
  Arguments arguments;
  arguments.program = beside_us("ligase");
  for (int i = 1; i < count; ++i) {
    const std::string word = words[i];
    const bool has_value = i + 1 < count;
    if (word == "--json") {
      arguments.is_json = true;
    } else if (word == "--help" || word == "-h") {
      arguments.wants_help = true;
    } else if (word == "--runs" && has_value) {
      arguments.runs = static_cast<unsigned>(std::clamp(std::atoi(words[++i]), 1, 100));
    } else if (word == "--program" && has_value) {
      arguments.program = words[++i];
    } else if (!word.starts_with("-") && find(word) != nullptr) {
      arguments.names.push_back(word);
    } else {
      arguments.fault = word;
    }
  }
  return arguments;
}

void print_usage(std::FILE* to) {
  std::fputs(
      "usage: ligase-bench [NAME...] [--json] [--runs N] [--program FILE]\n\n"
      "Without a NAME all of them, in this order:\n",
      to);
  for (const Benchmark& benchmark : kBenchmarks)
    std::fprintf(to, "  %-14s %s\n", std::string(benchmark.name).c_str(), std::string(benchmark.what).c_str());
  std::fputs(
      "\n  --json          one JSON document on standard output\n"
      "  --runs N        of what is measured several times (7)\n"
      "  --program FILE  the ligase to measure (the one beside this program)\n\n"
      "Exit codes: 0 every goal met; 1 a goal missed; 2 could not measure; 64 usage\n",
      to);
}

int run(int count, char** words) {
  const Arguments arguments = read(count, words);
  if (arguments.wants_help) return print_usage(stdout), 0;
  if (!arguments.fault.empty()) {
    std::fprintf(stderr, "ligase-bench: error: unknown benchmark or option \"%s\"\n\n", arguments.fault.c_str());
    return print_usage(stderr), 64;
  }
  lab::Loop loop;
  const Context context{arguments.program, loop, arguments.runs};
  const Machine machine = this_machine();
  std::vector<Figure> figures;
  bool is_complete = true;
  for (const Benchmark& benchmark : kBenchmarks) {
    if (!arguments.names.empty() && std::ranges::find(arguments.names, benchmark.name) == arguments.names.end())
      continue;
    std::fprintf(stderr, "%s: %s\n", std::string(benchmark.name).c_str(), std::string(benchmark.what).c_str());
    Figures measured = benchmark.measure(context);
    if (!measured) {
      std::fprintf(stderr, "ligase-bench: error: cannot measure %s: %s: %s\n", std::string(benchmark.name).c_str(),
                   std::string(name_of(measured.error().reason)).c_str(), measured.error().detail.c_str());
      is_complete = false;
      if (measured.error().reason == Reason::cancelled) break;
      continue;
    }
    figures.insert(figures.end(), measured->begin(), measured->end());
  }
  const std::string text = arguments.is_json ? to_json(figures, machine) : to_table(figures, machine);
  std::fputs(text.c_str(), stdout);
  if (!is_complete) return 2;
  return std::ranges::all_of(figures, &Figure::is_met) ? 0 : 1;
}

}  // namespace
}  // namespace ligase::bench

int main(int argc, char** argv) { return ligase::bench::run(argc, argv); }
