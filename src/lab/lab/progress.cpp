// Carriage return and "erase to the end of the line": all that is asked of a terminal.
#include "lab/progress.hpp"

#include <unistd.h>

#include <cstdio>
#include <cstdlib>

namespace ligase::lab {
namespace {

using Clock = std::chrono::steady_clock;

bool is_terminal() {
  const char* kind = std::getenv("TERM");
  return isatty(STDERR_FILENO) == 1 && kind != nullptr && std::string_view(kind) != "dumb";
}

}  // namespace

Progress::Progress() : is_on_(is_terminal()), start_(Clock::now()) {}
Progress::~Progress() { clear(); }

void Progress::step(std::string_view text) {
  if (!is_on_) return;
  clear();
  const double seconds = std::chrono::duration<double>(Clock::now() - start_).count();
  std::fprintf(stderr, "%6.2f s  %.*s\n", seconds, static_cast<int>(text.size()), text.data());
}

void Progress::update(std::string_view text) {
  const auto now = Clock::now();
  if (!is_on_ || now - shown_ < std::chrono::milliseconds(100)) return;
  shown_ = now;
  has_line_ = true;
  std::fprintf(stderr, "\r          %.*s\033[K", static_cast<int>(text.size()), text.data());
  std::fflush(stderr);
}

void Progress::clear() {
  if (has_line_) std::fputs("\r\033[K", stderr);
  has_line_ = false;
}

}  // namespace ligase::lab
