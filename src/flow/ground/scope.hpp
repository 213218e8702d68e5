// Where procedures live: each is begun in a scope, and what it uses outlives the scope's last one. Whoever owns that state
// closes the scope, which begins nothing any more and forgets what waits for a time, and is gone when it is joined.
#pragma once
#include <cstddef>
#include <functional>
#include <map>
#include <new>
#include <utility>

#include "ground/world.hpp"
#include "task.hpp"

namespace ligase::ground {

class Scope {
 public:
  explicit Scope(World world) : world_(std::move(world)) {}
  ~Scope();  // joined, or nothing was ever begun
  Scope(const Scope&) = delete;
  Scope& operator=(const Scope&) = delete;

  // Something is at work that was not begun here, or not as a procedure.
  class Hold {
   public:
    explicit Hold(Scope& scope) : scope_(&scope) { ++scope.running_; }
    ~Hold() {
      if (scope_ != nullptr) scope_->leave();
    }
    Hold(Hold&& other) noexcept : scope_(std::exchange(other.scope_, nullptr)) {}
    Hold& operator=(Hold&&) = delete;

   private:
    Scope* scope_;
  };

  // Closed: none of these does anything. What a procedure throws ends it alone, and is logged. So it is where there is no memory
  // to begin it, and where it is given up in the middle: in each of these cases `lost` settles what waited for it (AB-161).
  using Lost = std::function<void(const Error& why)>;
  void spawn(Task<void> task, Lost lost = {}) noexcept;
  void post(std::function<void()> action);                   // in a later turn of the loop
  void call_at(Instant when, std::function<void()> action);  // unless it is closed by then

  // A step that may be left out where there is no memory for it, which is logged: what comes behind it must be done (AB-161).
  template <class Step>
  void attempt(Step step) noexcept {
    try {
      step();
    } catch (const std::bad_alloc&) {
      report({Reason::memory, "no memory"});
    }
  }

  std::size_t running() const noexcept { return running_; }
  bool is_closed() const noexcept { return is_closed_; }
  void close();
  // Calls `done` when nothing is at work any more, perhaps at once; it may destroy the scope. Closed before.
  void join(std::function<void()> done);

 private:
  class Fate;
  static Task<void> run(Fate fate, Task<void> task);
  void report(const Error& why) noexcept;
  void leave() noexcept;

  World world_;
  std::size_t running_ = 0;
  bool is_closed_ = false;
  std::map<std::uint64_t, seams::TimerId> timers_;  // by a number of our own
  std::uint64_t next_timer_ = 0;
  std::function<void()> joined_;
};

}  // namespace ligase::ground
