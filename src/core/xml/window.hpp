// The bytes of a stream that are at hand: those kept from before, and behind them those just fed, which are the caller's
// and are not copied unless they must be. A position counts bytes since the stream began. Internal to xml/.
#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace ligase::xml {

using Position = std::uint64_t;

class Window {
 public:
  // The views given before are void. What was fed before must have been kept.
  void feed(std::string_view bytes) noexcept { fed_ = bytes; }
  // The caller's bytes go; those from `position` on are copied, all before it forgotten.
  void keep_from(Position position);
  void clear();

  Position start() const noexcept { return kept_start_; }
  Position end() const noexcept { return fed_start() + fed_.size(); }
  std::size_t held() const noexcept { return kept_.size() - dead_; }  // after keep_from(): what it kept

  // Positions from start() to end() only.
  char at(Position position) const noexcept {
    return position < fed_start() ? kept_[position - kept_start_] : fed_[position - fed_start()];
  }
  bool has_at(Position position, std::string_view text) const noexcept;
  std::optional<Position> find(char c, Position start, Position end) const noexcept;
  std::optional<Position> find_last(char c, Position start, Position end) const noexcept;
  // The front part of it that lies in one piece.
  std::string_view piece(Position start, Position end) const noexcept;
  // All of it in one piece: where it lies if it can be, else what lies across the seam is moved to the front part.
  std::string_view contiguous(Position start, Position end);

 private:
  Position fed_start() const noexcept { return kept_start_ + kept_.size(); }
  std::string_view in_kept(Position start, Position end) const noexcept;
  std::string_view in_fed(Position start, Position end) const noexcept;

  std::string kept_;
  std::size_t dead_ = 0;  // bytes at the front of kept_ that nobody needs
  Position kept_start_ = 0;
  std::string_view fed_;  // the caller's, during a call
};

}  // namespace ligase::xml
