// How many there are of each key: each is counted by a token that lives as long as what it counts, so that nobody scans a table
// to know, and nobody forgets to subtract (P9).
#pragma once
#include <cstdint>
#include <map>
#include <utility>

namespace ligase::ground {

// It outlives its tokens.
template <class Key>
class Tally {
  using Counts = std::map<Key, std::uint64_t>;

 public:
  class Token {
   public:
    Token() = default;
    Token(Token&& other) noexcept : tally_(std::exchange(other.tally_, nullptr)), at_(other.at_) {}
    Token& operator=(Token&& other) noexcept {
      if (this == &other) return *this;
      release();
      tally_ = std::exchange(other.tally_, nullptr);
      at_ = other.at_;
      return *this;
    }
    ~Token() { release(); }

    void release() noexcept {
      if (tally_ == nullptr) return;
      --tally_->total_;
      if (--at_->second == 0) tally_->counts_.erase(at_);
      tally_ = nullptr;
    }

   private:
    friend class Tally;
    Token(Tally& tally, typename Counts::iterator at) noexcept : tally_(&tally), at_(at) {}

    Tally* tally_ = nullptr;  // null: it counts nothing any more
    typename Counts::iterator at_{};
  };

  Tally() = default;
  Tally(const Tally&) = delete;
  Tally& operator=(const Tally&) = delete;

  [[nodiscard]] Token count(const Key& key) {
    const auto at = counts_.try_emplace(key, 0).first;
    ++at->second;
    ++total_;
    return Token(*this, at);
  }
  std::uint64_t of(const Key& key) const {
    const auto found = counts_.find(key);
    return found == counts_.end() ? 0 : found->second;
  }
  std::uint64_t total() const noexcept { return total_; }

 private:
  Counts counts_;
  std::uint64_t total_ = 0;
};

}  // namespace ligase::ground
