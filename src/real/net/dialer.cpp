// One asynchronous connect and one timer that cancels it.
#include "net/dialer.hpp"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>

#include "net/connection.hpp"
#include "net/endpoint.hpp"

namespace ligase::net {
namespace {

using boost::asio::ip::tcp;
using boost::system::error_code;

struct Attempt {
  explicit Attempt(boost::asio::io_context& context) : socket(context), timer(context) {}
  tcp::socket socket;
  boost::asio::steady_timer timer;
  bool is_late = false;
};

Error describe_failure(const Attempt& attempt, const error_code& error, const Endpoint& endpoint) {
  namespace failure = boost::system::errc;
  const std::string detail = endpoint.text() + ": " + error.message();
  if (attempt.is_late) return {Reason::connect_timeout, endpoint.text() + " did not answer in time"};
  if (error == boost::asio::error::operation_aborted) return {Reason::cancelled, "connecting to " + endpoint.text()};
  if (error == failure::timed_out) return {Reason::connect_timeout, detail};
  if (error == failure::connection_refused || error == failure::host_unreachable ||
      error == failure::network_unreachable || error == failure::connection_reset)
    return {Reason::connect_refused, detail};
  return {Reason::network_closed, detail};
}

}  // namespace

Task<Result<std::unique_ptr<seams::Connection>>> TcpDialer::connect(Endpoint endpoint, Instant deadline, Ports ports) {
  if (const auto allowed = guard_.check(endpoint, ports); !allowed) co_return fail(allowed.error());
  const auto attempt = std::make_shared<Attempt>(loop_.context());
  const tcp::endpoint to = to_asio(endpoint);
  error_code error;
  attempt->socket.open(to.protocol(), error);
  if (error) co_return fail(describe_failure(*attempt, error, endpoint));
  attempt->timer.expires_at(std::chrono::steady_clock::time_point(
      std::chrono::duration_cast<std::chrono::steady_clock::duration>(deadline.time_since_epoch())));
  attempt->timer.async_wait([weak = std::weak_ptr(attempt)](error_code cancelled) {
    const auto self = weak.lock();
    if (!self || cancelled) return;
    self->is_late = true;
    error_code ignored;
    self->socket.close(ignored);
  });
  co_await attempt->socket.async_connect(to, boost::asio::redirect_error(boost::asio::use_awaitable, error));
  attempt->timer.cancel();
  if (!error && attempt->is_late) error = boost::asio::error::timed_out;
  if (error) co_return fail(describe_failure(*attempt, error, endpoint));
  if (attempt->socket.local_endpoint(error) == attempt->socket.remote_endpoint(error))
    co_return fail(Reason::self_connect, endpoint.text() + " is this connection's own end");
  std::unique_ptr<seams::Connection> connection =
      std::make_unique<TcpConnection>(loop_, std::move(attempt->socket), endpoint, handshake_timeout_);
  co_return connection;
}

}  // namespace ligase::net
