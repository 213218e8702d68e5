// A web server like others: TLS by Asio, HTTP by Beast, nothing of the gateway's, so that both are judged by another's eyes.
#include "lab/web.hpp"

#include <fmt/format.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>

#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>
#include <map>
#include <thread>

#include "task.hpp"

namespace ligase::lab {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using asio::ip::tcp;
using boost::system::error_code;
using TlsStream = asio::ssl::stream<boost::beast::tcp_stream>;
constexpr auto as_result = asio::as_tuple(asio::use_awaitable);

constexpr int kAddressesTried = 20;
constexpr Duration kPatience = 10s;
constexpr unsigned kMostVisitors = 256;

using Request = http::request<http::empty_body>;
using Response = http::response<http::string_body>;

constexpr std::array<unsigned char, 9> kHttp{8, 'h', 't', 't', 'p', '/', '1', '.', '1'};  // ALPN's form

// Of the protocols a client offers, HTTP/1.1 (RFC 7301 §3.2); a client that offers none of it gets no answer to that.
int choose_protocol(SSL*, const unsigned char** chosen, unsigned char* size, const unsigned char* offered,
                    unsigned int offered_size, void*) {
  auto** out = const_cast<unsigned char**>(chosen);
  return SSL_select_next_proto(out, size, kHttp.data(), kHttp.size(), offered, offered_size) == OPENSSL_NPN_NEGOTIATED
             ? SSL_TLSEXT_ERR_OK
             : SSL_TLSEXT_ERR_NOACK;
}

// Any but 127.0.0.x, where a real web server of this machine may listen, and another lab's.
asio::ip::address_v4 some_address() {
  std::array<unsigned char, 3> random{};
  RAND_bytes(random.data(), random.size());
  return asio::ip::address_v4({127, static_cast<unsigned char>(64 + random[0] % 128), random[1],
                               static_cast<unsigned char>(1 + random[2] % 254)});
}

}  // namespace

class WebServer::Impl {
 public:
  ~Impl() {
    loop_.stop();
    if (thread_.joinable()) thread_.join();
  }

  Result<void> bind(std::uint16_t port) {
    error_code error;
    for (int tries = 0; tries < kAddressesTried; ++tries) {
      acceptor_ = tcp::acceptor(loop_);
      acceptor_.open(tcp::v4(), error);
      if (!error) acceptor_.set_option(tcp::acceptor::reuse_address(true), error);
      if (!error) acceptor_.bind({some_address(), port}, error);
      if (!error) acceptor_.listen(asio::socket_base::max_listen_connections, error);
      if (error) continue;
      address_ = acceptor_.local_endpoint().address().to_string();
      return {};
    }
    return fail(Reason::network_closed, fmt::format("no web server on port {}: {}", port, error.message()));
  }

  Result<void> serve(const Identity& identity, std::vector<Page> pages) {
    error_code error;
    context_.use_certificate_chain(asio::buffer(identity.certificate), error);
    if (!error) context_.use_private_key(asio::buffer(identity.private_key), asio::ssl::context::pem, error);
    if (error) return fail(Reason::internal, "the web server's certificate cannot be used: " + error.message());
    SSL_CTX_set_alpn_select_cb(context_.native_handle(), choose_protocol, nullptr);
    for (Page& page : pages) pages_.emplace(std::pair(page.host, page.path), std::move(page.body));
    asio::co_spawn(loop_, accept_all(*this), [](const std::exception_ptr&) {});
    thread_ = std::thread([this] { loop_.run(); });
    return {};
  }

  const std::string& address() const noexcept { return address_; }
  std::uint16_t port() const { return acceptor_.local_endpoint().port(); }

 private:
  static Task<void> accept_all(Impl& self) {
    for (;;) {
      auto [error, socket] = co_await self.acceptor_.async_accept(as_result);
      if (error == asio::error::operation_aborted) co_return;
      if (error || self.visitors_ >= kMostVisitors) continue;
      ++self.visitors_;
      error_code ignored;
      socket.set_option(tcp::no_delay(true), ignored);  // an answer behind session tickets would wait for their receipt
      asio::co_spawn(self.loop_, visit(self, std::move(socket)),
                     [&self](const std::exception_ptr&) { --self.visitors_; });
    }
  }

  // One request, one answer.
  static Task<void> visit(Impl& self, tcp::socket socket) {
    TlsStream stream(std::move(socket), self.context_);
    stream.next_layer().expires_after(kPatience);
    const auto [tls_error] = co_await stream.async_handshake(asio::ssl::stream_base::server, as_result);
    if (tls_error) co_return;
    boost::beast::flat_buffer buffer(16 * 1024);
    Request request;
    const auto [read_error, read] = co_await http::async_read(stream, buffer, request, as_result);
    (void)read;
    const bool is_of_http = read_error.category() == http::make_error_code(http::error::bad_method).category();
    if (read_error && (!is_of_http || read_error == http::error::end_of_stream)) co_return;
    Response response = read_error ? answer(http::status::bad_request, "") : self.answer_to(request);
    const auto [write_error, written] = co_await http::async_write(stream, response, as_result);
    (void)written;
    if (!write_error) co_await stream.async_shutdown(as_result);
  }

  static Response answer(http::status status, const std::string& body) {
    Response response(status, 11);
    response.set(http::field::content_type, "application/json");
    response.keep_alive(false);
    response.body() = body;
    response.prepare_payload();
    return response;
  }

  Response answer_to(const Request& request) const {
    if (request.method() != http::verb::get) return answer(http::status::method_not_allowed, "");
    std::string host(request[http::field::host]);
    host = host.substr(0, host.find(':'));
    const auto page = pages_.find({host, std::string(request.target())});
    return page == pages_.end() ? answer(http::status::not_found, "") : answer(http::status::ok, page->second);
  }

  asio::io_context loop_{1};
  tcp::acceptor acceptor_{loop_};
  asio::ssl::context context_{asio::ssl::context::tls_server};
  std::string address_;
  std::map<std::pair<std::string, std::string>, std::string> pages_;  // by host and path
  unsigned visitors_ = 0;
  std::thread thread_;
};

WebServer::WebServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
WebServer::~WebServer() = default;

Result<std::unique_ptr<WebServer>> WebServer::bind(std::uint16_t port) {
  auto impl = std::make_unique<Impl>();
  if (auto bound = impl->bind(port); !bound) return fail(bound.error());
  return std::unique_ptr<WebServer>(new WebServer(std::move(impl)));
}

const std::string& WebServer::address() const noexcept { return impl_->address(); }
std::uint16_t WebServer::port() const noexcept { return impl_->port(); }
Result<void> WebServer::serve(const Identity& identity, std::vector<Page> pages) {
  return impl_->serve(identity, std::move(pages));
}

}  // namespace ligase::lab
