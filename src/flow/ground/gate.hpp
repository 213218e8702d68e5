// Many coroutines wait for one result: the pairs that came up while a first connection is made, the callers of one DNS
// question in flight. Opening wakes them all, each through its executor's queue, never from inside open(). Who waits until a
// deadline and is late leaves alone: the gate stays, for the others.
#pragma once
#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/post.hpp>
#include <cstdint>
#include <functional>
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

  void open(T value) {  // the first one wins
    if (!state_->is_finished) state_->finish(std::move(value));
  }

 private:
  struct State : std::enable_shared_from_this<State> {
    explicit State(Executor e) : executor(std::move(e)) {}

    template <class Handler>
    void add(Handler handler) {
      const auto on = boost::asio::get_associated_executor(handler, executor);
      auto slot = boost::asio::get_associated_cancellation_slot(handler);
      auto kept = std::make_shared<Handler>(std::move(handler));
      Resume resume = [on, kept](std::optional<T> result) {
        boost::asio::post(on, [kept, result = std::move(result)]() mutable { (*kept)(std::move(result)); });
      };
      if (is_finished) return resume(value);
      const std::uint64_t id = next_id++;
      waiters.emplace(id, std::move(resume));
      if (slot.is_connected()) {
        slot.assign([weak = this->weak_from_this(), id](boost::asio::cancellation_type) {
          if (const auto state = weak.lock()) state->cancel(id);
        });
      }
    }
    void cancel(std::uint64_t id) {
      if (auto waiter = waiters.extract(id)) waiter.mapped()(std::nullopt);
    }
    void finish(std::optional<T> result) {
      is_finished = true;
      if (result) value = std::move(result);
      for (auto& waiter : std::exchange(waiters, {})) waiter.second(value);
    }

    using Resume = std::function<void(std::optional<T>)>;
    Executor executor;
    std::optional<T> value;
    bool is_finished = false;
    std::uint64_t next_id = 0;
    std::map<std::uint64_t, Resume> waiters;  // in the order they came; bounded by who may start a coroutine
  };
  static Task<std::optional<T>> added(std::shared_ptr<State> to) {
    auto initiate = [state = std::move(to)](auto handler) { state->add(std::move(handler)); };
    return boost::asio::async_initiate<const boost::asio::use_awaitable_t<>&, void(std::optional<T>)>(
        std::move(initiate), boost::asio::use_awaitable);
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
    Task<std::optional<T>> waits = added(state);
    std::optional<T> came = co_await std::move(waits);
    clock->cancel(timer);
    if (came) co_return *std::move(came);
    co_return tl::unexpected(*is_late ? Missed::late : Missed::gone);
  }

  std::shared_ptr<State> state_;
};

}  // namespace ligase::ground
