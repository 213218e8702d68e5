// The server: one coroutine that accepts, one for each connection, each request with a deadline.
#include "http/server.hpp"

#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/basic_stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <cerrno>
#include <cstring>
#include <exception>
#include <set>
#include <system_error>

#include "base/bytes.hpp"
#include "report/json.hpp"
#include "task.hpp"

namespace ligase::http {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
using boost::system::error_code;
constexpr auto as_result = asio::as_tuple(asio::use_awaitable);
using BeastRequest = beast::http::request<beast::http::string_body>;
using BeastResponse = beast::http::response<beast::http::string_body>;

// A page in somebody's browser must not reach us by a name it controls (DNS rebinding).
bool is_own_host(std::string_view host) {
  if (host == "localhost" || host.starts_with("localhost:")) return true;
  const Result<Endpoint> endpoint = Endpoint::parse(host);
  std::string_view bare = host;
  if (bare.starts_with('[') && bare.ends_with(']')) bare = bare.substr(1, bare.size() - 2);
  const Result<Address> address = endpoint ? Result<Address>(endpoint->address) : Address::parse(bare);
  if (!address) return false;
  if (!address->is_v6) return address->bytes[0] == 127;
  return *address == *Address::parse("::1");
}

BeastResponse make_response(Answer answer, const BeastRequest& request, bool keep_alive) {
  BeastResponse response(static_cast<beast::http::status>(answer.status), 11);
  response.set(beast::http::field::content_type, answer.type);
  response.set(beast::http::field::cache_control, "no-store");
  response.set("X-Content-Type-Options", "nosniff");
  response.keep_alive(keep_alive);
  const std::size_t size = answer.body.size();
  if (request.method() != beast::http::verb::head) response.body() = std::move(answer.body);
  response.content_length(size);
  return response;
}

Answer refusal(unsigned status, std::string_view message) {
  return {status, "application/json", report::error_document(name_of(Reason::config_invalid), message)};
}

}  // namespace

struct Server::Base {
  virtual ~Base() = default;
  virtual void close() = 0;
  virtual Endpoint local() const { return {}; }
};

template <class Protocol>
struct Server::Listening final : Base, std::enable_shared_from_this<Listening<Protocol>> {
  using Stream = beast::basic_stream<Protocol>;

  Listening(asio::io_context& context, Handler handler, ServerLimits limits)
      : acceptor(context), retry(context), handler(std::move(handler)), limits(limits) {}

  void start() {
    auto self = this->shared_from_this();
    asio::co_spawn(acceptor.get_executor(), accept_all(self), [self](std::exception_ptr fault) {
      if (!fault || self->is_closed) return;
      self->start();  // one connection could not be taken; those after it can (AB-161)
      std::rethrow_exception(fault);
    });
  }

  void close() override {
    error_code ignored;
    is_closed = true;
    retry.cancel();
    acceptor.close(ignored);
    for (Stream* stream : open) stream->cancel();
    if (!path.empty()) ::unlink(path.c_str());
  }

  Endpoint local() const override {
    if constexpr (std::is_same_v<Protocol, asio::ip::tcp>) {
      error_code ignored;
      const auto endpoint = acceptor.local_endpoint(ignored);
      const Result<Address> address = Address::parse(endpoint.address().to_string());
      if (address) return {*address, endpoint.port()};
    }
    return {};
  }

  static Task<void> accept_all(std::shared_ptr<Listening> self) {
    while (!self->is_closed) {
      auto [error, socket] = co_await self->acceptor.async_accept(as_result);
      if (self->is_closed) co_return;
      if (error) {  // no descriptors left, say: wait, rather than spin (AB-160)
        self->retry.expires_after(std::chrono::milliseconds(100));
        co_await self->retry.async_wait(as_result);
        continue;
      }
      if (self->open.size() >= self->limits.connections) continue;  // full: closed at once
      asio::co_spawn(self->acceptor.get_executor(), serve(self, std::move(socket)), [](std::exception_ptr fault) {
        if (fault) std::rethrow_exception(fault);  // the connection is gone; the loop reports why
      });
    }
  }

  // Of one connection, whatever ends it.
  struct Opened {
    Opened(Listening& l, Stream& s) : listening(l), stream(s) { listening.open.insert(&stream); }
    ~Opened() { listening.open.erase(&stream); }
    Opened(const Opened&) = delete;
    Opened& operator=(const Opened&) = delete;
    Listening& listening;
    Stream& stream;
  };

  static Task<void> serve(std::shared_ptr<Listening> self, typename Protocol::socket socket) {
    Stream stream(std::move(socket));
    const Opened opened(*self, stream);
    beast::flat_buffer buffer(self->limits.header + self->limits.body);
    bool goes_on = true;
    for (Duration patience = self->limits.request; goes_on && !self->is_closed; patience = self->limits.idle)
      goes_on = co_await one_request(*self, stream, buffer, patience);
  }

  // False: the connection is done with.
  static Task<bool> one_request(Listening& self, Stream& stream, beast::flat_buffer& buffer, Duration patience) {
    beast::http::request_parser<beast::http::string_body> parser;
    parser.header_limit(static_cast<std::uint32_t>(self.limits.header));
    parser.body_limit(self.limits.body);
    stream.expires_after(patience);
    if (buffer.size() == 0) {  // waiting for the first byte may take long; the request itself may not
      auto prepared = buffer.prepare(1);
      const auto [error, count] = co_await stream.async_read_some(prepared, as_result);
      if (error) co_return false;
      buffer.commit(count);
    }
    stream.expires_after(self.limits.request);
    const auto [error, count] = co_await beast::http::async_read(stream, buffer, parser, as_result);
    (void)count;
    Answer answer;
    bool keep_alive = false;
    if (error == beast::http::error::header_limit) {
      answer = refusal(431, "the request's header is over 8 KiB");
    } else if (error == beast::http::error::body_limit) {
      answer = refusal(413, "the request's body is over 64 KiB");
    } else if (error && error.category() == beast::http::make_error_code(beast::http::error::bad_method).category() &&
               error != beast::http::error::end_of_stream && error != beast::http::error::partial_message) {
      answer = refusal(400, "no valid HTTP request");
    } else if (error) {
      co_return false;
    } else {
      keep_alive = parser.get().keep_alive();
      stream.expires_never();  // the gateway may have to ask the world first; that has its own end
      answer = co_await self.answer(parser.get());
      stream.expires_after(self.limits.request);
    }
    BeastResponse response = make_response(std::move(answer), parser.get(), keep_alive);
    const auto [write_error, written] = co_await beast::http::async_write(stream, response, as_result);
    (void)written;
    co_return !write_error && keep_alive;
  }

  Task<Answer> answer(const BeastRequest& request) const {
    const auto hosts = request.equal_range(beast::http::field::host);
    const auto number = std::distance(hosts.first, hosts.second);
    if (number > 1 || (number == 0 && request.version() >= 11)) co_return refusal(400, "a request has one Host");
    const bool needs_own_host = std::is_same_v<Protocol, asio::ip::tcp>;
    if (needs_own_host && (number == 0 || !is_own_host(std::string_view(hosts.first->value()))))
      co_return refusal(421, "this Host is not served here");
    Request asked{std::string(request.method_string()), std::string(request.target()), request.body()};
    co_return co_await handler(std::move(asked));
  }

  typename Protocol::acceptor acceptor;
  asio::steady_timer retry;
  Handler handler;
  ServerLimits limits;
  std::string path;  // of a Unix socket: removed at the end
  std::set<Stream*> open;
  bool is_closed = false;
};

namespace {

Error cannot_listen(const std::string& where, const std::string& why) {
  return {Reason::config_invalid, "cannot listen on " + escaped(where) + ": " + why};
}

// Takes a dead process's socket file out of the way; nothing else.
Result<void> clear_stale(asio::io_context& context, const std::string& path) {
  struct stat facts {};
  if (::lstat(path.c_str(), &facts) != 0) return {};
  if (!S_ISSOCK(facts.st_mode)) return fail(cannot_listen(path, "there is a file of that name that is no socket"));
  asio::local::stream_protocol::socket probe(context);
  error_code error;
  probe.connect(asio::local::stream_protocol::endpoint(path), error);
  if (!error) return fail(cannot_listen(path, "another process listens there; is a gateway running already?"));
  if (error != asio::error::connection_refused) return fail(cannot_listen(path, error.message()));
  if (::unlink(path.c_str()) != 0) return fail(cannot_listen(path, std::generic_category().message(errno)));
  return {};
}

}  // namespace

Result<std::unique_ptr<Server>> Server::on_unix(asio::io_context& context, const std::string& path, Handler handler,
                                                ServerLimits limits) {
  if (path.empty() || path.size() >= sizeof(sockaddr_un{}.sun_path)) {
    return fail(cannot_listen(path, "a socket's path has 1 to 107 bytes; choose another in [gateway] control"));
  }
  if (const Result<void> cleared = clear_stale(context, path); !cleared) return fail(cleared.error());
  auto listening = std::make_shared<Listening<asio::local::stream_protocol>>(context, std::move(handler), limits);
  error_code error;
  listening->acceptor.open(asio::local::stream_protocol(), error);
  // Nobody may connect before the modes stand: the file is made closed to all, then opened to owner and group.
  const mode_t before = ::umask(0777);
  if (!error) listening->acceptor.bind(asio::local::stream_protocol::endpoint(path), error);
  ::umask(before);
  if (error) return fail(cannot_listen(path, error.message()));
  listening->path = path;
  if (::chmod(path.c_str(), 0660) != 0) error = error_code(errno, boost::system::system_category());
  if (!error) listening->acceptor.listen(asio::socket_base::max_listen_connections, error);
  if (error) {
    ::unlink(path.c_str());
    return fail(cannot_listen(path, error.message()));
  }
  listening->start();
  return std::unique_ptr<Server>(new Server(std::move(listening)));
}

Result<std::unique_ptr<Server>> Server::on_tcp(asio::io_context& context, const Endpoint& endpoint, Handler handler,
                                               ServerLimits limits) {
  auto listening = std::make_shared<Listening<asio::ip::tcp>>(context, std::move(handler), limits);
  error_code error;
  const asio::ip::tcp::endpoint place(asio::ip::make_address(endpoint.address.text(), error), endpoint.port);
  if (!error) listening->acceptor.open(place.protocol(), error);
  if (!error) listening->acceptor.set_option(asio::socket_base::reuse_address(true), error);
  if (!error) listening->acceptor.bind(place, error);
  if (!error) listening->acceptor.listen(asio::socket_base::max_listen_connections, error);
  if (error) return fail(cannot_listen(endpoint.text(), error.message()));
  listening->start();
  return std::unique_ptr<Server>(new Server(std::move(listening)));
}

Server::Server(std::shared_ptr<Base> base) : base_(std::move(base)) {}
Server::~Server() { base_->close(); }
Endpoint Server::local() const { return base_->local(); }

}  // namespace ligase::http
