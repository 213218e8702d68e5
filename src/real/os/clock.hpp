// The machine's clocks and one heap of timers: a single waiting timer of the loop serves thousands of ours, and a
// cancelled one costs a look-up (AB-162: monotonic time for timers, wall time only where a date is meant).
#pragma once
#include <boost/asio/io_context.hpp>
#include <memory>

#include "seams/clock.hpp"

namespace ligase::os {

class SystemClock final : public seams::Clock {
 public:
  explicit SystemClock(boost::asio::io_context& context);  // borrowed
  ~SystemClock() override;                                 // timers still waiting never run

  Instant now() const override;
  WallTime wall() const override;
  seams::TimerId call_at(Instant when, std::function<void()> action) override;
  void cancel(seams::TimerId timer) override;

  // After a fault of the loop: an alarm that could not be set for want of memory is set again.
  void wake();
  std::size_t waiting() const noexcept;  // timers neither run nor cancelled

 private:
  struct Timers;
  std::shared_ptr<Timers> timers_;
};

}  // namespace ligase::os
