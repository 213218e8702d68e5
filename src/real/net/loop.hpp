// One thread's loop and what its connections share: the clock, the certificates we show, and the large buffers that
// only the connection at work needs. Every Connection, Listener and Dialer made with it ends before it.
#pragma once
#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <functional>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "os/clock.hpp"
#include "task.hpp"
#include "tls/contexts.hpp"

namespace ligase::net {

class Loop {
 public:
  Loop();

  boost::asio::io_context& context() noexcept { return context_; }
  Executor executor() { return context_.get_executor(); }
  os::SystemClock& clock() noexcept { return clock_; }

  // `action` is called from the loop for each of the signals, as often as it comes. At most one call of this.
  void on_signals(std::initializer_list<int> signals, std::function<void(int)> action);
  // What no connection and no procedure took the blame for is told to `report`, and the loop goes on (AB-161).
  void on_fault(std::function<void(std::string_view what)> report) { on_fault_ = std::move(report); }
  void run();   // until stop(), or until nothing is left to wait for
  void stop();  // run() returns soon; from any thread

  // What start_tls() shows; sessions under way keep theirs. Null (at first): start_tls() fails with tls_failed.
  void set_certificates(std::shared_ptr<const tls::Contexts> contexts) { certificates_ = std::move(contexts); }
  const std::shared_ptr<const tls::Contexts>& certificates() const noexcept { return certificates_; }

  // Lent to one connection for one call; their content means nothing afterwards.
  struct Blocks {
    std::array<char, 64 * 1024> received;  // as the network gives it
    std::array<char, 64 * 1024> plain;     // decrypted
    std::string sealed;                    // encrypted, about to be sent
    std::vector<std::size_t> ends;         // of the pieces in what was just sent
  };
  Blocks& blocks() noexcept { return *blocks_; }

  // A sending record's storage, between the connections that have something to say: at rest they hold none.
  std::string take_storage();
  void give_storage(std::string storage);

 private:
  void wait_for_signal();
  void report_fault(const char* what) noexcept;

  boost::asio::io_context context_{1};  // first: it ends last
  os::SystemClock clock_{context_};
  std::unique_ptr<Blocks> blocks_;
  std::vector<std::string> storage_;
  std::shared_ptr<const tls::Contexts> certificates_;
  std::optional<boost::asio::signal_set> signals_;
  std::function<void(int)> on_signal_;
  std::function<void(std::string_view)> on_fault_;
};

}  // namespace ligase::net
