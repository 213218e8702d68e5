// Accepts connections on one address. Bound before anything else happens, it accepts only once it is started; with
// descriptors used up it pauses instead of spinning, and leaves some of them to those that matter more (AB-160).
#pragma once
#include <functional>
#include <memory>
#include <system_error>

#include "net/connection.hpp"
#include "net/loop.hpp"

namespace ligase::net {

class Listener {
 public:
  struct Settings {
    Duration handshake_timeout = 10s;
    // Descriptors kept free: a connection that would eat into them is closed at once. 0: none (a hosted side's
    // listener).
    std::size_t reserved_descriptors = 0;
  };
  struct Handlers {
    std::function<void(std::unique_ptr<seams::Connection>)> take;
    std::function<bool(const Address&)> admit;       // may be empty: all; false: closed at once, nothing said
    std::function<void(const Error&)> on_exhausted;  // may be empty; once when accepting pauses for want of descriptors
    std::function<void()> on_resumed = {};           // may be empty; once when it goes on after that
  };

  // Binds and listens; "[::]:5269" takes IPv4 too. Port 0: a free one, see local(). Reason::config_invalid with the
  // system's sentence and what to do.
  static Result<std::unique_ptr<Listener>> open(Loop& loop, const Endpoint& endpoint, Settings settings);
  static Result<std::unique_ptr<Listener>> open(Loop& loop, const Endpoint& endpoint) {
    return open(loop, endpoint, {});
  }
  // Could it be opened? Binds, and lets go; nobody is ever accepted. The system's error.
  static std::error_code try_open(const Endpoint& endpoint);
  ~Listener();

  void start(Handlers handlers);  // once
  void stop();                    // closes; safe from inside a handler, as is destruction
  Endpoint local() const;

 private:
  class Impl;
  explicit Listener(std::shared_ptr<Impl> impl);
  std::shared_ptr<Impl> impl_;
};

}  // namespace ligase::net
