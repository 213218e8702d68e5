// Flow control of one pair on one stream, in one direction (docs/specs/flow.md): the receiver gives credit in bytes of stanzas as
// they stand on the wire, and gives it again as what came is taken by whom it is for. So what a receiver must keep for a pair is
// bounded by what it gave, one slow customer makes nobody else wait, and nobody has to be answered for want of room.
#pragma once
#include <algorithm>
#include <cstdint>
#include <memory>
#include <utility>

#include "base/time.hpp"
#include "stream/flow.hpp"

namespace ligase::pair {

constexpr std::uint32_t kMostGrown =
    512 * 1024;  // what we let a window grow to, where it was not larger from the start

// The sender's half. One stanza may take it below nothing: it could not be divided.
class Credit {
 public:
  explicit Credit(std::uint32_t window) noexcept : left_(window) {}
  bool may_send() const noexcept { return left_ > 0; }
  std::int64_t left() const noexcept { return left_; }
  void spend(std::uint64_t bytes) noexcept { left_ -= static_cast<std::int64_t>(bytes); }
  // False, and nothing is added: nobody gives so much.
  [[nodiscard]] bool add(std::uint64_t bytes) noexcept {
    if (bytes == 0 || bytes > stream::kMostCredit ||
        left_ + static_cast<std::int64_t>(bytes) > std::int64_t{stream::kMostCredit})
      return false;
    left_ += static_cast<std::int64_t>(bytes);
    return true;
  }

 private:
  std::int64_t left_;
};

// The receiver's half: what came and is kept, and what was taken and is not given again yet.
class Window {
 public:
  // `first`: what both sides know from the start.
  explicit Window(std::uint32_t first) noexcept : first_(first), size_(first) {}

  // What the sender may send still.
  std::int64_t left() const noexcept { return std::int64_t{size_} - static_cast<std::int64_t>(kept_ + taken_); }
  // A stanza came. False, and it is not counted: there was no credit left.
  [[nodiscard]] bool receive(std::uint64_t bytes) noexcept {
    if (left() <= 0) return false;
    kept_ += bytes;
    return true;
  }
  // So much of what came is kept no more.
  void take(std::uint64_t bytes) noexcept {
    kept_ -= bytes;
    taken_ += bytes;
  }
  bool is_due() const noexcept { return taken_ >= size_ / 2; }
  // What is to be given by a message now; 0: nothing. The window doubles, up to kMostGrown, where half of it is taken in less
  // than three quarters of a `round_trip`, with nothing kept here: then it is what holds the sender back. It shrinks again where
  // something is kept for longer than two: then whom it is for does.
  std::uint32_t give(Instant now, Duration round_trip) noexcept {
    const Duration since = given_at_ == Instant{} ? round_trip : now - given_at_;
    given_at_ = now;
    std::uint64_t given = std::exchange(taken_, 0);
    if (kept_ == 0 && given >= size_ / 2 && since * 4 < round_trip * 3 && size_ < kMostGrown) {
      given += size_;
      size_ *= 2;
    } else if (kept_ > 0 && since > round_trip * 2) {
      const auto less = static_cast<std::uint32_t>(std::min<std::uint64_t>(given, size_ - first_));
      given -= less;
      size_ -= less;
    }
    if (given > stream::kMostCredit) {
      taken_ = given - stream::kMostCredit;
      given = stream::kMostCredit;
    }
    return static_cast<std::uint32_t>(given);
  }
  std::uint64_t kept() const noexcept { return kept_; }
  std::uint32_t size() const noexcept { return size_; }
  // As if nothing had ever come: it need not be remembered.
  bool is_as_new() const noexcept { return kept_ == 0 && taken_ == 0 && size_ == first_; }

 private:
  std::uint32_t first_, size_;
  std::uint64_t kept_ = 0, taken_ = 0;
  Instant given_at_{};
};

// Whose window it is that a kept stanza came on.
class Lender {
 public:
  virtual void take(std::uint64_t bytes) noexcept = 0;

 protected:
  ~Lender() = default;
};

// Goes with a stanza that came on credit, wherever it is kept; where it ends, the stanza is taken: by its receiver, or by nobody.
class Receipt {
 public:
  Receipt() = default;
  Receipt(std::shared_ptr<Lender> from, std::uint64_t bytes) noexcept : from_(std::move(from)), bytes_(bytes) {}
  Receipt(Receipt&&) noexcept = default;
  Receipt& operator=(Receipt&& other) noexcept {
    Receipt before(std::move(*this));
    from_ = std::move(other.from_);
    bytes_ = other.bytes_;
    return *this;
  }
  ~Receipt() {
    if (from_ != nullptr) from_->take(bytes_);
  }
  explicit operator bool() const noexcept { return from_ != nullptr; }

 private:
  std::shared_ptr<Lender> from_;
  std::uint64_t bytes_ = 0;
};

}  // namespace ligase::pair
