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
  struct Count {
    std::uint64_t counted = 0, tokens = 0;
  };
  using Counts = std::map<Key, Count>;

 public:
  class Token {
   public:
    Token() = default;
    Token(Token&& other) noexcept
        : tally_(std::exchange(other.tally_, nullptr)), at_(other.at_), is_counted_(other.is_counted_) {}
    Token& operator=(Token&& other) noexcept {
      if (this == &other) return *this;
      release();
      tally_ = std::exchange(other.tally_, nullptr);
      at_ = other.at_;
      is_counted_ = other.is_counted_;
      return *this;
    }
    ~Token() { release(); }

    // What it was made for begins to count.
    void count() noexcept {
      if (tally_ == nullptr || std::exchange(is_counted_, true)) return;
      ++at_->second.counted;
      ++tally_->total_;
    }
    void release() noexcept {
      if (tally_ == nullptr) return;
      if (is_counted_) {
        --tally_->total_;
        --at_->second.counted;
      }
      if (--at_->second.tokens == 0) tally_->counts_.erase(at_);
      tally_ = nullptr;
    }

   private:
    friend class Tally;
    Token(Tally& tally, typename Counts::iterator at) noexcept : tally_(&tally), at_(at) { ++at->second.tokens; }

    Tally* tally_ = nullptr;  // null: it counts nothing any more
    typename Counts::iterator at_{};
    bool is_counted_ = false;
  };

  Tally() = default;
  Tally(const Tally&) = delete;
  Tally& operator=(const Tally&) = delete;

  [[nodiscard]] Token count(const Key& key) {
    Token token = prepare(key);
    token.count();
    return token;
  }
  // One that counts nothing yet, for where counting must need no memory.
  [[nodiscard]] Token prepare(const Key& key) { return Token(*this, counts_.try_emplace(key).first); }
  std::uint64_t of(const Key& key) const {
    const auto found = counts_.find(key);
    return found == counts_.end() ? 0 : found->second.counted;
  }
  std::uint64_t total() const noexcept { return total_; }

 private:
  Counts counts_;
  std::uint64_t total_ = 0;
};

}  // namespace ligase::ground
