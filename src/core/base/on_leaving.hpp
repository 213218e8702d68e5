// What is done when a block is left, by an exception too.
#pragma once
#include <utility>

namespace ligase {

template <class Action>
class OnLeaving {
 public:
  explicit OnLeaving(Action action) : action_(std::move(action)) {}
  ~OnLeaving() { action_(); }
  OnLeaving(const OnLeaving&) = delete;
  OnLeaving& operator=(const OnLeaving&) = delete;

 private:
  Action action_;
};

}  // namespace ligase
