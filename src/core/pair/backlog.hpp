// What waits for one receiver, and the brake on those who fill it faster than it empties. A source, a stream or a link, is held:
// nothing is read from it meanwhile. For a second at most, since other pairs live on the source too (P8); then the receiver is
// known to be slow, and what is more than its queue holds is answered, or counted where it may not be. Who does not take the
// errors of what he sends himself is held until there is room (AB-236).
#pragma once
#include <cstdint>
#include <list>
#include <utility>

#include "pair/queue.hpp"

namespace ligase::pair {

// A stream's or a link's number: both are counted together, and none is used twice. 0: nobody can be held for it.
enum class Source : std::uint64_t { none = 0 };

class Brake {
 public:
  enum class Hold : std::uint8_t { briefly, until_room };

  // `source`, which is not held here, is held from now on. Whoever goes on later needs no memory for it (AB-161).
  void hold(Source source, Hold how) { (how == Hold::briefly ? briefly_ : until_room_).push_back(source); }
  bool is_holding_briefly() const noexcept { return !briefly_.empty(); }
  bool is_holding() const noexcept { return !briefly_.empty() || !until_room_.empty(); }
  const auto& held_briefly() const noexcept { return briefly_; }
  // It did not empty in time. Nobody is held briefly for it any more.
  bool is_slow() const noexcept { return is_slow_; }

  // Who goes on: those that were held briefly, if any still is.
  std::list<Source> time_is_over() noexcept {
    if (!briefly_.empty()) is_slow_ = true;
    return std::exchange(briefly_, {});
  }
  void expect_nothing() noexcept { is_slow_ = true; }  // the receiver is not there
  // Who goes on: all. What was slow may be quick again.
  std::list<Source> has_emptied() noexcept {
    is_slow_ = false;
    std::list<Source> go = std::exchange(briefly_, {});
    go.splice(go.end(), until_room_);
    return go;
  }

 private:
  std::list<Source> briefly_, until_room_;
  bool is_slow_ = false;
};

struct Backlog {
  explicit Backlog(Budget& at) : queue(at) {}
  Queue queue;
  Brake brake;
  std::uint64_t braked = 0;  // which time of braking this is, of all that ever were
};

}  // namespace ligase::pair
