// Numbers by size: thousands are set apart, since a missing digit is what people overlook.
#include "figure.hpp"

#include <fmt/format.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>

#include "report/json.hpp"

namespace ligase::bench {
namespace {

std::string grouped(double value) {
  std::string digits = fmt::format("{:.0f}", value);
  for (std::size_t at = digits.size(); at > 3; at -= 3) digits.insert(at - 3, ",");
  return digits;
}

std::string number(double value) {
  if (value >= 1000) return grouped(value);
  return fmt::format("{:.{}f}", value, value >= 100 ? 0 : value >= 10 ? 1 : 2);
}

std::string processor_name() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);)
    if (line.starts_with("model name"))
      if (const std::size_t colon = line.find(": "); colon != std::string::npos) return line.substr(colon + 2);
  return "unknown";
}

}  // namespace

Machine this_machine() {
  Machine machine;
  machine.processor = processor_name();
  utsname system{};
  if (uname(&system) == 0) machine.kernel = std::string(system.sysname) + " " + system.release;
  machine.compiler = fmt::format("g++ {}", __VERSION__);
  machine.version = LIGASE_VERSION;
  machine.cores = static_cast<unsigned>(std::max(1L, sysconf(_SC_NPROCESSORS_ONLN)));
  double load = 0;
  if (getloadavg(&load, 1) == 1) machine.load = load;
  return machine;
}

std::string to_table(const std::vector<Figure>& figures, const Machine& machine) {
  std::size_t what_width = 0;
  for (const Figure& figure : figures) what_width = std::max(what_width, figure.what.size());
  std::string text = fmt::format("ligase {}, {} x {}, {}, {}; load {:.1f} at the start\n\n", machine.version,
                                 machine.cores, machine.processor, machine.kernel, machine.compiler, machine.load);
  std::string_view last;
  for (const Figure& figure : figures) {
    if (figure.benchmark != last) text += (last.empty() ? "" : "\n") + figure.benchmark + "\n";
    last = figure.benchmark;
    const std::string goal = figure.goal ? fmt::format("{} {} {}", figure.better == Better::less ? "below" : "at least",
                                                       number(*figure.goal), figure.is_met() ? "" : "MISSED")
                                         : std::string();
    std::string line = fmt::format("  {:<{}}  {:>11} {:<4}  {:<26} {}", figure.what, what_width, number(figure.value),
                                   figure.unit, goal, figure.note);
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + "\n";
  }
  return text;
}

std::string to_json(const std::vector<Figure>& figures, const Machine& machine) {
  report::JsonWriter json;
  json.begin_object();
  json.key("machine").begin_object();
  json.field("processor", machine.processor)
      .field("cores", static_cast<std::uint64_t>(machine.cores))
      .field("kernel", machine.kernel)
      .field("compiler", machine.compiler)
      .field("load", machine.load)
      .end_object();
  json.field("version", machine.version);
  json.key("figures").begin_array();
  for (const Figure& figure : figures) {
    json.begin_object()
        .field("benchmark", figure.benchmark)
        .field("what", figure.what)
        .field("value", figure.value)
        .field("unit", figure.unit);
    if (figure.goal)
      json.field("goal", *figure.goal)
          .field("better", figure.better == Better::less ? "less" : "more")
          .field("met", figure.is_met());
    if (!figure.note.empty()) json.field("note", figure.note);
    json.end_object();
  }
  json.end_array().end_object();
  return json.take() + "\n";
}

double median(std::vector<double> values) {
  std::ranges::sort(values);
  const std::size_t middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

std::string spread(const std::vector<double>& values, const char* format) {
  const auto [least, most] = std::ranges::minmax(values);
  return fmt::format("{} runs, {} to {}", values.size(), fmt::format(fmt::runtime(format), least),
                     fmt::format(fmt::runtime(format), most));
}

}  // namespace ligase::bench
