// Asio's signal set: its handlers stay installed until this object is gone, which is after the clean-up.
#include "lab/loop.hpp"

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <csignal>

namespace ligase::lab {
namespace {

constexpr auto kTurn = std::chrono::milliseconds(5);

}  // namespace

class Loop::Impl {
 public:
  Impl() : signals(io, SIGINT, SIGTERM, SIGHUP) {
    signal(SIGPIPE, SIG_IGN);  // `ligase lab | head -1`: the error is seen where it is written
    wait();
  }
  void wait() {
    signals.async_wait([this](const boost::system::error_code& error, int) {
      if (error) return;
      has_signal = true;
      wait();
    });
  }

  boost::asio::io_context io{1};
  boost::asio::signal_set signals;
  bool has_signal = false;
};

Loop::Loop() : impl_(std::make_unique<Impl>()) {}
Loop::~Loop() = default;
Executor Loop::executor() { return impl_->io.get_executor(); }
void Loop::forget_signals() { impl_->has_signal = false; }

Loop::Outcome Loop::until(const std::function<bool()>& is_done, std::chrono::steady_clock::duration patience) {
  using Clock = std::chrono::steady_clock;
  const auto deadline = Clock::now() + patience;
  while (true) {
    if (impl_->has_signal) return Outcome::interrupted;
    if (is_done()) return Outcome::done;
    const auto now = Clock::now();
    if (now >= deadline) return Outcome::out_of_time;
    impl_->io.run_one_until(std::min(deadline, now + kTurn));
  }
}

}  // namespace ligase::lab
