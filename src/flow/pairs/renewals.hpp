// When each pair is to be proven anew: at 80 % of its proof's life, ±10 % (requirements, section 8), so that a proof is
// replaced while it still holds. Whatever was proven in one moment is spread over a fifth of its life.
#pragma once
#include <cstddef>
#include <map>
#include <vector>

#include "base/time.hpp"
#include "pair/refs.hpp"
#include "pairs/pair_key.hpp"

namespace ligase::pairs {

class Renewals {
  struct Due {
    pair::StreamRef stream;  // an incoming pair's; none: an outgoing pair
    const PairKey* key;      // of the table that holds the pair
  };
  using Order = std::multimap<Instant, Due>;

 public:
  // A pair's place in the order; it leaves it with the ticket. `Renewals` outlives its tickets.
  class Ticket {
   public:
    Ticket() = default;
    ~Ticket() { cancel(); }
    Ticket(Ticket&& other) noexcept : of_(std::exchange(other.of_, nullptr)), place_(other.place_) {}
    Ticket& operator=(Ticket&& other) noexcept {
      cancel();
      of_ = std::exchange(other.of_, nullptr);
      place_ = other.place_;
      return *this;
    }
    void cancel() noexcept {
      if (of_ != nullptr) std::exchange(of_, nullptr)->order_.erase(place_);
    }
    bool is_set() const noexcept { return of_ != nullptr; }

   private:
    friend class Renewals;
    Ticket(Renewals& of, Order::iterator place) : of_(&of), place_(place) {}
    Renewals* of_ = nullptr;
    Order::iterator place_{};
  };

  explicit Renewals(double phase = 0) : phase_(phase) {}
  Renewals(const Renewals&) = delete;
  Renewals& operator=(const Renewals&) = delete;

  // `life`: how long the proof holds from `now` on. `key` stays where it is as long as the ticket lives.
  Ticket schedule(pair::StreamRef stream, const PairKey& key, Instant now, Duration life);
  // The next attempt while a proof still holds that could not be renewed just now: halfway to its end.
  Ticket schedule_retry(pair::StreamRef stream, const PairKey& key, Instant now, Duration life);

  struct Renewal {
    pair::StreamRef stream;
    PairKey key;
  };
  // Those that are due, the oldest first, and no more than 2 % of all (but 64): asked once a second, no second has more,
  // and all are through in 50 s, which the shortest proof's last fifth has room for.
  std::vector<Renewal> take_due(Instant now);

  std::size_t size() const noexcept { return order_.size(); }

 private:
  Order order_;
  double phase_;  // of a golden-ratio sequence: evenly spread for any number of pairs, where dice would bunch
};

}  // namespace ligase::pairs
