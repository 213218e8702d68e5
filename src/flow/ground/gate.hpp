// Many coroutines wait for one result: the pairs that came up while a first connection is made, the callers of one DNS
// question in flight. Opening wakes them all, each through its executor's queue, never from inside open(). Who waits until a
// deadline and is late leaves alone: the gate stays, for the others.
#pragma once
#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/basic_waitable_timer.hpp>
#include <chrono>
#include <cstdint>
#include <exception>
#include <map>
#include <memory>
#include <optional>
#include <tl/expected.hpp>
#include <utility>

#include "seams/clock.hpp"
#include "task.hpp"

namespace ligase::ground {

// Why a wait ended without a value: its deadline came, or the gate was destroyed.
enum class Missed : std::uint8_t { late, gone };

// A clock that stands still: who waits by it is woken by hand alone.
struct StoppedClock {
  using duration = Duration;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<StoppedClock>;
  static constexpr bool is_steady = true;
  static time_point now() noexcept { return {}; }
};

// One loop's object, not locked. T is copied once for each waiter: for something big, a shared_ptr<const …>.
template <class T>
class Gate {
 public:
  explicit Gate(Executor executor) : state_(std::make_shared<State>(std::move(executor))) {}
  ~Gate() { state_->finish(std::nullopt); }  // who still waits gets nullopt
  Gate(const Gate&) = delete;
  Gate& operator=(const Gate&) = delete;

  // The value, at once if it is there. nullopt: the gate was destroyed without one, or this wait was cancelled.
  // The task may outlive the gate.
  Task<std::optional<T>> wait() { return added(state_); }
  // The same, but no longer than until `deadline`; that this one is late is nothing to the others.
  Task<tl::expected<T, Missed>> wait(seams::Clock& clock, Instant deadline) {
    return wait_until(state_, &clock, deadline);
  }

  bool is_open() const noexcept { return state_->value.has_value(); }
  std::size_t waiting() const noexcept { return state_->waiters.size(); }

  // The first one wins. What wakes who waits was made when they came, so this needs no memory.
  void open(T value) noexcept {
    if (!state_->is_finished) state_->finish(std::move(value));
  }

 private:
  struct State;
  // Its turn is a timer that never rings: whoever cancels it makes the loop resume who waits, and needs no memory for it.
  struct Waiter {
    Waiter(const Executor& on, std::shared_ptr<State> at)
        : turn(on, StoppedClock::time_point::max()), state(std::move(at)) {}
    virtual ~Waiter() = default;
    virtual void resume(std::exception_ptr thrown, std::optional<T> result) = 0;
    void come() {
      std::exception_ptr thrown;
      std::optional<T> result;
      try {
        if (!is_given_up) result = state->value;
      } catch (...) {
        thrown = std::current_exception();
      }
      state.reset();
      resume(std::move(thrown), std::move(result));
    }
    boost::asio::basic_waitable_timer<StoppedClock> turn;
    std::shared_ptr<State> state;
    bool is_given_up = false;
  };
  template <class Handler>
  struct WaiterOf final : Waiter {
    using Waiter::Waiter;
    void resume(std::exception_ptr thrown, std::optional<T> result) override {
      if (!handler) return;  // it never came to wait
      Handler last = *std::exchange(handler, std::nullopt);
      std::move(last)(std::move(thrown), std::move(result));
    }
    std::optional<Handler> handler;
  };

  struct State : std::enable_shared_from_this<State> {
    explicit State(Executor e) : executor(std::move(e)) {}

    // What is thrown is thrown before `handler` is moved from.
    template <class Handler>
    void add(Handler& handler) {
      const Executor on = boost::asio::get_associated_executor(handler, executor);
      const auto waiter = std::make_shared<WaiterOf<Handler>>(on, this->shared_from_this());
      waiter->turn.async_wait([waiter](boost::system::error_code) { waiter->come(); });
      const std::uint64_t id = next_id++;
      try {
        if (is_finished) {
          waiter->turn.cancel();
        } else {
          waiters.emplace(id, waiter);
          auto slot = boost::asio::get_associated_cancellation_slot(handler);
          if (slot.is_connected()) {
            slot.assign([weak = this->weak_from_this(), id](boost::asio::cancellation_type) {
              if (const auto state = weak.lock()) state->cancel(id);
            });
          }
        }
      } catch (...) {
        waiter->turn.cancel();
        waiters.erase(id);
        throw;
      }
      waiter->handler.emplace(std::move(handler));
    }
    void cancel(std::uint64_t id) noexcept {
      const auto waiter = waiters.extract(id);
      if (!waiter) return;
      waiter.mapped()->is_given_up = true;
      waiter.mapped()->turn.cancel();
    }
    void finish(std::optional<T> result) noexcept {
      is_finished = true;
      if (result) value = std::move(result);
      for (const auto& [id, waiter] : waiters) waiter->turn.cancel();
      waiters.clear();
    }

    Executor executor;
    std::optional<T> value;
    bool is_finished = false;
    std::uint64_t next_id = 0;
    // In the order they came; bounded by who may start a coroutine.
    std::map<std::uint64_t, std::shared_ptr<Waiter>> waiters;
  };
  // What is thrown where an operation is begun ends a coroutine without a word (Boost.Asio destroys it): it is thrown within
  // instead, where it can be met (AB-161).
  static Task<std::optional<T>> added(std::shared_ptr<State> to) {
    auto initiate = [state = std::move(to)](auto handler) {
      try {
        state->add(handler);
      } catch (...) {
        std::move(handler)(std::current_exception(), std::optional<T>());
      }
    };
    return boost::asio::async_initiate<const boost::asio::use_awaitable_t<>&,
                                       void(std::exception_ptr, std::optional<T>)>(std::move(initiate),
                                                                                   boost::asio::use_awaitable);
  }
  static Task<tl::expected<T, Missed>> wait_until(std::shared_ptr<State> state, seams::Clock* clock, Instant deadline) {
    if (state->value) co_return *state->value;
    if (state->is_finished) co_return tl::unexpected(Missed::gone);
    const auto is_late = std::make_shared<bool>(false);
    const std::uint64_t id = state->next_id;  // add() gives it to this wait, now
    const seams::TimerId timer = clock->call_at(deadline, [weak = std::weak_ptr<State>(state), id, is_late] {
      *is_late = true;
      if (const auto alive = weak.lock()) alive->cancel(id);
    });
    std::optional<T> came;
    try {
      Task<std::optional<T>> waits = added(state);
      came = co_await std::move(waits);
    } catch (...) {
      clock->cancel(timer);
      throw;
    }
    clock->cancel(timer);
    if (came) co_return *std::move(came);
    co_return tl::unexpected(*is_late ? Missed::late : Missed::gone);
  }

  std::shared_ptr<State> state_;
};

}  // namespace ligase::ground
