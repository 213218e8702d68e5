// Times of /proc/PID/stat come in hundredths of a second: what is measured runs for seconds.
#include "process.hpp"

#include <fmt/format.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace ligase::bench {
namespace {

std::uint64_t kibibytes_of(const std::string& text, std::string_view key) {
  const std::size_t at = text.find(std::string(key) + ":");
  return at == std::string::npos ? 0 : std::strtoull(text.c_str() + at + key.size() + 1, nullptr, 10) * 1024;
}

std::string read_all(const std::string& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

}  // namespace

Result<Usage> usage_of(pid_t process) {
  const std::string folder = fmt::format("/proc/{}", process);
  const std::string memory = read_all(folder + "/smaps_rollup"), stat = read_all(folder + "/stat");
  const std::size_t name_end = stat.rfind(')');
  if (memory.empty() || name_end == std::string::npos)
    return fail(Reason::internal, fmt::format("process {} cannot be read in /proc", process));
  Usage usage;
  usage.resident_bytes = kibibytes_of(memory, "Rss");
  usage.private_bytes = kibibytes_of(memory, "Private_Dirty");
  std::istringstream fields(stat.substr(name_end + 2));
  std::string skipped;
  for (int i = 3; i < 14; ++i) fields >> skipped;  // state is field 3, utime 14
  double user = 0, system = 0;
  fields >> user >> system;
  const auto ticks = static_cast<double>(sysconf(_SC_CLK_TCK));
  usage.user_seconds = user / ticks;
  usage.cpu_seconds = (user + system) / ticks;
  return usage;
}

Result<double> cpu_of(pid_t process) {
  std::error_code failed;
  double nanoseconds = 0;
  for (const auto& task : std::filesystem::directory_iterator(fmt::format("/proc/{}/task", process), failed))
    nanoseconds += std::strtod(read_all(task.path() / "schedstat").c_str(), nullptr);
  if (failed || nanoseconds == 0)
    return fail(Reason::internal, fmt::format("the processor time of process {} cannot be read in /proc", process));
  return nanoseconds / 1e9;
}

void run_on_core(unsigned core) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(core % cores(), &set);
  sched_setaffinity(0, sizeof set, &set);
}

void run_on_all_cores() {
  cpu_set_t set;
  CPU_ZERO(&set);
  for (unsigned i = 0; i < cores(); ++i) CPU_SET(i, &set);
  sched_setaffinity(0, sizeof set, &set);
}

unsigned cores() { return static_cast<unsigned>(std::max(1L, sysconf(_SC_NPROCESSORS_ONLN))); }

}  // namespace ligase::bench
