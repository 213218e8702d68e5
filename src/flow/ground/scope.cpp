#include "ground/scope.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <exception>

#include "base/ensure.hpp"

namespace ligase::ground {

Scope::~Scope() { ensure(running_ == 0, "a scope is joined before what its procedures use is gone"); }

Task<void> Scope::run(Hold hold, World world, Task<void> task) {
  const Hold held = std::move(hold);  // let go after the procedure's own frame
  Task<void> inner = std::move(task);
  try {
    co_await std::move(inner);
  } catch (const std::exception& e) {
    world.log(report::Event(report::Level::error, "internal_fault").with("detail", e.what()));
  }
}

void Scope::spawn(Task<void> task) {
  if (is_closed_) return;
  boost::asio::co_spawn(world_.executor, run(Hold(*this), world_, std::move(task)), [](std::exception_ptr) {});
}

void Scope::post(std::function<void()> action) {
  if (is_closed_) return;
  boost::asio::post(world_.executor, [this, hold = Hold(*this), action = std::move(action)] {
    if (!is_closed_) action();
  });
}

void Scope::call_at(Instant when, std::function<void()> action) {
  if (is_closed_) return;
  const auto timer = std::make_shared<seams::TimerId>();
  *timer = world_.clock.call_at(when, [this, timer, action = std::move(action)] {
    timers_.erase(*timer);
    action();
  });
  timers_.insert(*timer);
}

void Scope::close() {
  is_closed_ = true;
  for (const seams::TimerId timer : std::exchange(timers_, {})) world_.clock.cancel(timer);
}

void Scope::join(std::function<void()> done) {
  ensure(is_closed_, "a scope that is joined is closed");
  if (running_ == 0) return done();
  joined_ = std::move(done);
}

void Scope::leave() noexcept {
  if (--running_ > 0 || !joined_) return;
  const std::function<void()> done = std::exchange(joined_, {});
  done();  // the scope may be gone from here on
}

}  // namespace ligase::ground
