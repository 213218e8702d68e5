// Bytes that wait, counted where they are bounded: a pair, the peer or link it waits for, and all together. A charge is held by
// what waits, so that no sum is kept by hand and each budget equals the sum of its children (P7, AB-126). What is owed may go
// over a limit, and then nothing new is admitted until it has gone.
#pragma once
#include <algorithm>
#include <cstdint>
#include <optional>
#include <utility>

#include "base/ensure.hpp"

namespace ligase::pair {

class Budget {
 public:
  // Everything charged here is charged at `parent` too, which outlives this.
  explicit Budget(std::uint64_t limit, Budget* parent = nullptr) noexcept : limit_(limit), parent_(parent) {}
  ~Budget() { ensure(used_ == 0, "a budget ends with nothing charged to it"); }
  Budget(const Budget&) = delete;
  Budget& operator=(const Budget&) = delete;

  std::uint64_t used() const noexcept { return used_; }
  std::uint64_t limit() const noexcept { return limit_; }
  std::uint64_t gone() const noexcept { return gone_; }  // bytes that were charged here and are no more, ever
  // Whoever waited for room here waited in vain: until some has gone, nobody is to wait for it.
  void is_found_stuck() noexcept { stuck_at_ = gone_; }
  bool is_stuck() const noexcept { return stuck_at_ == gone_; }
  // What still fits here and at every parent.
  std::uint64_t room() const noexcept {
    const std::uint64_t here = used_ < limit_ ? limit_ - used_ : 0;
    return parent_ == nullptr ? here : std::min(here, parent_->room());
  }
  // Half of it, or of what is above it, is used: whoever fills it should wait a little.
  bool is_filling() const noexcept { return used_ > limit_ / 2 || (parent_ != nullptr && parent_->is_filling()); }

 private:
  friend class Charge;
  bool is_within(const Budget& other) const noexcept {
    for (const Budget* at = this; at != nullptr; at = at->parent_)
      if (at == &other) return true;
    return false;
  }
  // At this budget and above, as far as `end`, which is left alone; null: at all of them.
  void add(std::uint64_t bytes, const Budget* end = nullptr) noexcept {
    for (Budget* at = this; at != end; at = at->parent_) at->used_ += bytes;
  }
  void take(std::uint64_t bytes, const Budget* end = nullptr) noexcept {
    for (Budget* at = this; at != end; at = at->parent_) {
      ensure(at->used_ >= bytes, "no budget gives back more than was charged to it");
      at->used_ -= bytes;
      at->gone_ += bytes;
    }
  }

  const std::uint64_t limit_;
  std::uint64_t used_ = 0, gone_ = 0;
  std::optional<std::uint64_t> stuck_at_;
  Budget* const parent_;
};

// Bytes charged to one budget, given back when this ends. The budget outlives it.
class Charge {
 public:
  explicit Charge(Budget& at) noexcept : at_(&at) {}
  ~Charge() { give_back(bytes_); }
  Charge(Charge&& other) noexcept : at_(other.at_), bytes_(std::exchange(other.bytes_, 0)) {}
  Charge& operator=(Charge&& other) noexcept {
    if (this == &other) return *this;
    give_back(bytes_);
    at_ = other.at_;
    bytes_ = std::exchange(other.bytes_, 0);
    return *this;
  }

  std::uint64_t bytes() const noexcept { return bytes_; }
  // False, and nothing charged, where it does not fit here or at a parent.
  [[nodiscard]] bool grow(std::uint64_t bytes) noexcept {
    if (at_->room() < bytes) return false;
    at_->add(bytes);
    bytes_ += bytes;
    return true;
  }
  // Whether it fits or not: what is owed to somebody, an error say, is not given up for want of room. Whoever makes it grow so
  // stops what it comes from.
  void grow_beyond(std::uint64_t bytes) noexcept {
    at_->add(bytes);
    bytes_ += bytes;
  }
  void give_back(std::uint64_t bytes) noexcept {
    ensure(bytes <= bytes_, "no more is given back than was charged");
    bytes_ -= bytes;
    at_->take(bytes);
  }
  // To another budget, all of it, whether it fits there or not: it was taken already. What both have above them in common
  // does not notice.
  void move_to(Budget& other) noexcept {
    Budget* common = &other;
    while (common != nullptr && !at_->is_within(*common)) common = common->parent_;
    at_->take(bytes_, common);
    other.add(bytes_, common);
    at_ = &other;
  }
  Budget& at() const noexcept { return *at_; }

 private:
  Budget* at_;
  std::uint64_t bytes_ = 0;
};

}  // namespace ligase::pair
