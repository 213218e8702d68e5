// Messages of the commands.
#include "cmd/failure.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

#include "report/json.hpp"

namespace ligase::cmd {
namespace {

bool has_colour() {
  const char* no_colour = std::getenv("NO_COLOR");
  return ::isatty(STDERR_FILENO) == 1 && (no_colour == nullptr || *no_colour == '\0');
}

void print(std::string_view kind, std::string_view colour, const std::string& text) {
  const bool is_coloured = has_colour();
  fmt::print(stderr, "ligase: {}{}:{} {}\n", is_coloured ? colour : "", kind, is_coloured ? "\x1b[0m" : "", text);
}

std::string fault_text(const config::Fault& fault) {
  const std::string where = fault.line == 0 ? fault.file : fmt::format("{}:{}", fault.file, fault.line);
  return Failure{.what = "configuration", .where = where, .why = fault.what, .advice = fault.advice}.text();
}

}  // namespace

std::string Failure::text() const {
  std::string text = what;
  if (!where.empty()) text += " (" + where + ")";
  if (!why.empty()) text += ": " + why;
  if (!advice.empty()) text += "; " + advice;
  return text;
}

int fail(const Failure& failure, Output output) {
  print("error", "\x1b[31m", failure.text());
  if (output == Output::json) fmt::print("{}\n", report::error_document(name_of(failure.reason), failure.text()));
  return static_cast<int>(failure.code);
}

void print_faults(const std::vector<config::Fault>& faults) {
  for (const config::Fault& fault : faults) print("error", "\x1b[31m", fault_text(fault));
}

void print_warnings(const std::vector<config::Fault>& warnings) {
  for (const config::Fault& warning : warnings) print("warning", "\x1b[33m", fault_text(warning));
}

}  // namespace ligase::cmd
