// Whether a stream or a link is read: whoever cannot take what would come holds it, and lets it go; several may, each by itself.
#pragma once
#include <array>

#include "base/ensure.hpp"
#include "seams/network.hpp"

namespace ligase::ground {

class Tap {
 public:
  explicit Tap(seams::Connection& connection) noexcept : connection_(&connection) {}

  bool is_open() const noexcept { return holds_[0] + holds_[1] == 0; }
  bool is_held(seams::Pause why) const noexcept { return holds_[index(why)] > 0; }
  void hold(seams::Pause why) {
    ++holds_[index(why)];
    connection_->pause_reading(why);
  }
  // The connection is read again by settle() only: first comes what was read already.
  void let_go(seams::Pause why) noexcept {
    ensure(is_held(why), "who lets go held it");
    --holds_[index(why)];
  }
  void settle() {
    for (const seams::Pause why : {seams::Pause::full, seams::Pause::answers})
      if (!is_held(why)) connection_->resume_reading(why);
  }

 private:
  static std::size_t index(seams::Pause why) noexcept {
    ensure(why != seams::Pause::procedure, "a procedure pauses the connection itself");
    return why == seams::Pause::full ? 0 : 1;
  }
  seams::Connection* connection_;
  std::array<unsigned, 2> holds_{};
};

}  // namespace ligase::ground
