// Bytes kept and bytes fed, seen as one.
#include "xml/window.hpp"

#include <cstring>

namespace ligase::xml {
namespace {
constexpr std::size_t kKeptCapacity = 16 * 1024;  // while there is nothing to keep
}

void Window::keep_from(Position position) {
  if (position >= fed_start()) {
    const std::string_view rest = fed_.substr(position - fed_start());
    kept_.assign(rest);
    kept_start_ = position;
    dead_ = 0;
    if (kept_.empty() && kept_.capacity() > kKeptCapacity) kept_.shrink_to_fit();
  } else {
    kept_.append(fed_);
    dead_ = position - kept_start_;
    if (dead_ > kept_.size() / 2) {  // not each time: many small steps through much would be quadratic
      kept_.erase(0, dead_);
      kept_start_ = position;
      dead_ = 0;
    }
  }
  fed_ = {};
}

void Window::clear() {
  kept_.clear();
  if (kept_.capacity() > kKeptCapacity) kept_.shrink_to_fit();
  dead_ = 0;
  kept_start_ = 0;
  fed_ = {};
}

bool Window::has_at(Position position, std::string_view text) const noexcept {
  for (std::size_t i = 0; i < text.size(); ++i)
    if (position + i >= end() || at(position + i) != text[i]) return false;
  return true;
}

std::string_view Window::in_kept(Position start, Position end) const noexcept {
  if (start >= fed_start()) return {};
  return std::string_view(kept_).substr(start - kept_start_, std::min(end, fed_start()) - start);
}

std::string_view Window::in_fed(Position start, Position end) const noexcept {
  if (end <= fed_start()) return {};
  const Position first = std::max(start, fed_start());
  return fed_.substr(first - fed_start(), end - first);
}

std::optional<Position> Window::find(char c, Position start, Position end) const noexcept {
  if (const std::string_view part = in_kept(start, end); !part.empty())
    if (const std::size_t at = part.find(c); at != std::string_view::npos) return start + at;
  if (const std::string_view part = in_fed(start, end); !part.empty())
    if (const std::size_t at = part.find(c); at != std::string_view::npos) return std::max(start, fed_start()) + at;
  return std::nullopt;
}

std::optional<Position> Window::find_last(char c, Position start, Position end) const noexcept {
  if (const std::string_view part = in_fed(start, end); !part.empty())
    if (const std::size_t at = part.rfind(c); at != std::string_view::npos) return std::max(start, fed_start()) + at;
  if (const std::string_view part = in_kept(start, end); !part.empty())
    if (const std::size_t at = part.rfind(c); at != std::string_view::npos) return start + at;
  return std::nullopt;
}

std::string_view Window::piece(Position start, Position end) const noexcept {
  const std::string_view part = in_kept(start, end);
  return part.empty() ? in_fed(start, end) : part;
}

std::string_view Window::contiguous(Position start, Position end) {
  if (start >= fed_start()) return in_fed(start, end);
  if (end > fed_start()) {
    const std::size_t more = end - fed_start();
    kept_.append(fed_.substr(0, more));
    fed_.remove_prefix(more);
  }
  return in_kept(start, end);
}

}  // namespace ligase::xml
