// A deadline that moves often and is reached seldom: a stream's moves with each stanza. Moving it later costs a compare; the
// owner looks anew when the earlier time comes.
#pragma once
#include <functional>
#include <utility>

#include "seams/clock.hpp"

namespace ligase::ground {

class Deadline {
 public:
  // `on_due` is called from the loop, perhaps before the time last given: its owner asks again what is due.
  Deadline(seams::Clock& clock, std::function<void()> on_due) : clock_(clock), on_due_(std::move(on_due)) {}
  ~Deadline() { stop(); }
  Deadline(const Deadline&) = delete;
  Deadline& operator=(const Deadline&) = delete;

  void move_to(Instant when) {
    if (is_set() && when >= at_) return;
    stop();
    if (when == Instant::max()) return;
    at_ = when;
    timer_ = clock_.call_at(when, [this] {
      timer_ = seams::TimerId::none;
      on_due_();
    });
  }
  void stop() {
    if (is_set()) clock_.cancel(timer_);
    timer_ = seams::TimerId::none;
  }
  bool is_set() const noexcept { return timer_ != seams::TimerId::none; }

 private:
  seams::Clock& clock_;
  std::function<void()> on_due_;
  seams::TimerId timer_ = seams::TimerId::none;
  Instant at_{};
};

}  // namespace ligase::ground
