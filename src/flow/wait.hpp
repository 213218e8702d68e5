// Waiting at a gate, but not for ever.
#pragma once
#include <memory>
#include <optional>
#include <utility>

#include "gate.hpp"
#include "hub.hpp"

namespace ligase {

// What the gate is opened with; from `deadline` on it is opened, for all who wait at it, with `when_late`. nullopt: it was
// destroyed.
template <class T>
Task<std::optional<T>> wait_until(std::shared_ptr<Hub> hub, std::shared_ptr<Gate<T>> gate, Instant deadline,
                                  T when_late) {
  if (gate->is_open()) co_return co_await gate->wait();
  const seams::TimerId timer = hub->world.clock.call_at(deadline, [gate, when_late] { gate->open(when_late); });
  std::optional<T> value = co_await gate->wait();
  hub->world.clock.cancel(timer);
  co_return value;
}

}  // namespace ligase
