// The lab's event loop, and the signals that end it early: SIGINT, SIGTERM and SIGHUP are noted, never fatal, so that there
// is always somebody left to clean up. The command is a plain sequence of steps, each of which waits in here.
#pragma once
#include <chrono>
#include <functional>
#include <memory>

#include "task.hpp"

namespace ligase::lab {

class Loop {
 public:
  Loop();
  ~Loop();
  Executor executor();

  enum class Outcome : std::uint8_t { done, out_of_time, interrupted };
  // Runs until `is_done`, asked after each event and at least every 5 ms; interrupted at once if a signal has come.
  Outcome until(const std::function<bool()>& is_done, std::chrono::steady_clock::duration patience);
  void forget_signals();  // the next until() waits again

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace ligase::lab
