// Waits until the listening socket is readable, then accepts without blocking, some at a time.
#include "net/listener.hpp"

#include <fmt/format.h>
#include <sys/resource.h>

#include <boost/asio/ip/v6_only.hpp>
#include <utility>

#include "net/endpoint.hpp"

namespace ligase::net {
namespace {

using boost::asio::ip::tcp;
using boost::system::error_code;

constexpr int kAtOnce = 32;         // connections in one turn of the loop
constexpr Duration kPause = 100ms;  // when descriptors are used up
constexpr int kBacklog = 1024;

bool is_exhaustion(const error_code& error) {
  return error == boost::system::errc::too_many_files_open ||
         error == boost::system::errc::too_many_files_open_in_system || error == boost::system::errc::no_buffer_space ||
         error == boost::system::errc::not_enough_memory;
}

// Descriptors are given lowest first, so a new one's number tells how many are in use.
bool eats_into(std::size_t reserved, int descriptor) {
  rlimit limit{};
  if (reserved == 0 || ::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return false;
  return static_cast<rlim_t>(descriptor) + reserved >= limit.rlim_cur;
}

error_code bind(tcp::acceptor& acceptor, const Endpoint& endpoint) {
  const tcp::endpoint at = to_asio(endpoint);
  error_code error;
  acceptor.open(at.protocol(), error);
  if (!error) acceptor.set_option(tcp::acceptor::reuse_address(true), error);
  if (!error && endpoint.address.is_v6) acceptor.set_option(boost::asio::ip::v6_only(false), error);
  if (!error) acceptor.bind(at, error);
  return error;
}

}  // namespace

class Listener::Impl : public std::enable_shared_from_this<Impl> {
 public:
  Impl(Loop& loop, Settings settings) : loop_(loop), settings_(settings), acceptor_(loop.context()) {}
  ~Impl() { loop_.clock().cancel(pause_); }

  error_code open(const Endpoint& endpoint) {
    error_code error = bind(acceptor_, endpoint);
    if (!error) acceptor_.listen(kBacklog, error);
    if (!error) acceptor_.non_blocking(true, error);
    if (error) return error;
    local_ = from_asio(acceptor_.local_endpoint(error));
    return error;
  }

  void start(Handlers handlers) {
    handlers_ = std::move(handlers);
    wait();
  }

  void stop() {
    error_code ignored;
    acceptor_.close(ignored);
    loop_.clock().cancel(std::exchange(pause_, seams::TimerId::none));
  }

  const Endpoint& local() const { return local_; }

 private:
  void wait() {
    if (!acceptor_.is_open()) return;
    acceptor_.async_wait(tcp::acceptor::wait_read, [weak = weak_from_this()](error_code error) {
      const auto self = weak.lock();
      if (!self || error == boost::asio::error::operation_aborted) return;
      try {
        self->accept();
      } catch (...) {  // one connection could not be taken; those after it can (AB-161)
        self->wait();
        throw;
      }
    });
  }

  void accept() {
    for (int i = 0; i < kAtOnce && acceptor_.is_open(); ++i) {
      error_code error;
      tcp::endpoint from;
      tcp::socket socket(loop_.context());
      acceptor_.accept(socket, from, error);
      if (is_exhaustion(error)) return pause(error.message());
      if (error == boost::asio::error::would_block || error == boost::asio::error::try_again) break;
      if (error) continue;  // that connection ended before it was taken (accept(2))
      if (eats_into(settings_.reserved_descriptors, socket.native_handle())) {
        socket.close(error);
        return pause("only the reserved descriptors are left");
      }
      if (std::exchange(is_exhausted_, false) && handlers_.on_resumed) handlers_.on_resumed();
      const Endpoint remote = from_asio(from);  // the socket itself no longer knows it if it was reset meanwhile
      if (handlers_.admit && !handlers_.admit(remote.address)) continue;  // its destructor closes it
      handlers_.take(std::make_unique<TcpConnection>(loop_, std::move(socket), remote, settings_.handshake_timeout));
    }
    wait();
  }

  void pause(const std::string& why) {
    pause_ = loop_.clock().call_at(loop_.clock().now() + kPause, [weak = weak_from_this()] {
      if (const auto self = weak.lock()) self->wait();
    });
    if (std::exchange(is_exhausted_, true) || !handlers_.on_exhausted) return;
    handlers_.on_exhausted(
        {Reason::limit_reached,
         fmt::format("accepting on {} pauses: {}; raise the limit of open files (LimitNOFILE=)", local_.text(), why)});
  }

  Loop& loop_;
  Settings settings_;
  tcp::acceptor acceptor_;
  Endpoint local_;
  Handlers handlers_;
  seams::TimerId pause_ = seams::TimerId::none;
  bool is_exhausted_ = false;
};

std::error_code Listener::try_open(const Endpoint& endpoint) {
  boost::asio::io_context context(1);
  tcp::acceptor acceptor(context);
  return bind(acceptor, endpoint);
}

Result<std::unique_ptr<Listener>> Listener::open(Loop& loop, const Endpoint& endpoint, Settings settings) {
  auto impl = std::make_shared<Impl>(loop, settings);
  const error_code error = impl->open(endpoint);
  if (!error) return std::unique_ptr<Listener>(new Listener(std::move(impl)));
  const bool is_low = error == boost::asio::error::access_denied;
  const bool is_taken = error == boost::asio::error::address_in_use;
  return fail(Reason::config_invalid,
              fmt::format("cannot listen on {}: {}; {}", endpoint.text(), error.message(),
                          is_taken ? "another program, or another [[listen]], has the port: ss -ltnp shows which"
                          : is_low ? "ports below 1024 need root or CAP_NET_BIND_SERVICE"
                                   : "the address must be one of this machine's"));
}

Listener::Listener(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}
Listener::~Listener() { impl_->stop(); }
void Listener::start(Handlers handlers) { impl_->start(std::move(handlers)); }
void Listener::stop() { impl_->stop(); }
Endpoint Listener::local() const { return impl_->local(); }

}  // namespace ligase::net
