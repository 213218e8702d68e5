#include "ground/scope.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <exception>
#include <new>

#include "base/ensure.hpp"

namespace ligase::ground {

// What becomes of one procedure: it comes to its end, or it is lost. It lasts as long as the procedure's own frame, and is told
// whatever ends that.
class Scope::Fate {
 public:
  Fate(Scope& scope, Lost lost) : scope_(&scope), lost_(std::move(lost)), hold_(scope) {}
  Fate(Fate&& other) noexcept
      : scope_(std::exchange(other.scope_, nullptr)), lost_(std::move(other.lost_)), hold_(std::move(other.hold_)) {}
  Fate& operator=(Fate&&) = delete;
  ~Fate() {
    if (scope_ != nullptr && !scope_->is_closed_) lose({Reason::memory, "no memory"});  // not begun, or given up midway
  }
  void is_over() noexcept { scope_ = nullptr; }
  void lose(const Error& why) noexcept {
    Scope& scope = *std::exchange(scope_, nullptr);
    scope.report(why);
    if (!lost_ || scope.is_closed_) return;
    try {
      lost_(why);
    } catch (const std::exception&) {
      scope.report({Reason::memory, "what waited for a procedure could not be settled"});
    }
  }

 private:
  Scope* scope_;
  Lost lost_;
  Hold hold_;  // let go last
};

Scope::~Scope() { ensure(running_ == 0, "a scope is joined before what its procedures use is gone"); }

Task<void> Scope::run(Fate fate, Task<void> task) {
  Fate own = std::move(fate);  // told when the procedure's frame is gone
  Task<void> inner = std::move(task);
  try {
    co_await std::move(inner);
    own.is_over();
  } catch (const std::bad_alloc&) {
    own.lose({Reason::memory, "no memory"});
  } catch (const std::exception& fault) {
    own.lose({Reason::internal, fault.what()});
  }
}

void Scope::report(const Error& why) noexcept {
  try {
    world_.log(report::Event(report::Level::error, "internal_fault").with("detail", why.detail));
  } catch (const std::exception&) {  // not even that
  }
}

void Scope::spawn(Task<void> task, Lost lost) noexcept {
  if (is_closed_) return;
  try {
    Fate fate(*this, std::move(lost));
    boost::asio::co_spawn(world_.executor, run(std::move(fate), std::move(task)), [](std::exception_ptr) {});
  } catch (const std::exception& fault) {  // its fate knows, if it was not over
    report({Reason::internal, fault.what()});
  }
}

void Scope::post(std::function<void()> action) {
  if (is_closed_) return;
  boost::asio::post(world_.executor, [this, hold = Hold(*this), action = std::move(action)] {
    if (!is_closed_) action();
  });
}

void Scope::call_at(Instant when, std::function<void()> action) {
  if (is_closed_) return;
  const auto timer =
      timers_.emplace(next_timer_++, seams::TimerId::none).first;  // first: none rings that is not known here
  try {
    timer->second = world_.clock.call_at(when, [this, number = timer->first, action = std::move(action)] {
      timers_.erase(number);
      action();
    });
  } catch (...) {
    timers_.erase(timer);
    throw;
  }
}

void Scope::close() {
  is_closed_ = true;
  for (const auto& [number, timer] : std::exchange(timers_, {})) world_.clock.cancel(timer);
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
