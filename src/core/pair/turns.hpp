// Whose turn it is on one stream: deficit round robin by bytes (Shreedhar and Varghese, 1996), so that pairs with much to send
// and pairs with long stanzas get no more than the others (MUX-11). The order is that in which they came, in every run.
#pragma once
#include <algorithm>
#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <optional>

#include "base/ensure.hpp"

namespace ligase::pair {

// `Key`: of what takes turns; `Less` orders it by what is the same in every run, never by an address in memory.
template <class Key, class Less = std::less<Key>>
class Turns {
 public:
  // `share`: bytes that each may send in a round.
  explicit Turns(std::uint64_t share) noexcept : share_(share) { ensure(share > 0, "a turn is worth something"); }

  bool is_empty() const noexcept { return order_.empty(); }
  std::size_t size() const noexcept { return order_.size(); }
  bool has(const Key& key) const { return places_.contains(key); }

  // It has something to send: at the end of the order, or where it already stands.
  void add(const Key& key) {
    if (has(key)) return;
    const auto at = order_.insert(order_.end(), key);
    try {
      places_.emplace(key, Place{at});
    } catch (...) {
      order_.erase(at);
      throw;
    }
  }
  // It left: refused, closed, or on another stream now.
  void remove(const Key& key) {
    const auto place = places_.find(key);
    if (place == places_.end()) return;
    if (place->second.at == order_.begin()) has_share_ = false;
    order_.erase(place->second.at);
    places_.erase(place);
  }

  // Whose turn it is. `next_size(key)`: bytes of the first that waits there; nullopt, nothing does: it leaves the order, and
  // nothing is saved up for it. Nullopt: nobody has anything. A stanza larger than a share waits as many rounds as it is
  // shares: then its pair has had no more than the others.
  template <class NextSize>
  std::optional<Key> next(NextSize&& next_size) {
    while (!order_.empty()) {
      const Key key = order_.front();
      const std::optional<std::uint64_t> size = next_size(key);
      if (!size) {
        remove(key);
        continue;
      }
      std::uint64_t& saved = places_.find(key)->second.saved;
      if (!has_share_) saved += share_;
      has_share_ = true;
      if (order_.size() == 1) saved = std::max(saved, *size);  // alone, it takes nothing from anybody
      if (saved >= *size) return key;
      order_.splice(order_.end(), order_, order_.begin());
      has_share_ = false;
    }
    return std::nullopt;
  }
  // It was sent, by the one that next() named.
  void spend(std::uint64_t bytes) {
    ensure(!order_.empty(), "who sends has the turn");
    std::uint64_t& saved = places_.find(order_.front())->second.saved;
    ensure(saved >= bytes, "nobody sends more than his turn is worth");
    saved -= bytes;
  }

 private:
  struct Place {
    typename std::list<Key>::iterator at;
    std::uint64_t saved = 0;
  };
  std::uint64_t share_;
  std::list<Key> order_;               // the first has the turn
  std::map<Key, Place, Less> places_;  // of exactly those in the order
  bool has_share_ = false;             // the first got its share of this round
};

}  // namespace ligase::pair
