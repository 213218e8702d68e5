// A blocking client with one deadline over everything: plain sockets and Beast's parser.
#include "http/client.hpp"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <system_error>

#include "base/bytes.hpp"

namespace ligase::http {
namespace {

namespace beast = boost::beast;
using Steady = std::chrono::steady_clock;
constexpr std::uint64_t kBiggestAnswer = 1ull << 30;  // two million pairs

class Socket {
 public:
  Socket() : fd_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) {}
  ~Socket() {
    if (fd_ >= 0) ::close(fd_);
  }
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;
  int get() const noexcept { return fd_; }

 private:
  int fd_;
};

std::string system_text() { return std::generic_category().message(errno); }

// True once the socket is ready for `events`; false at the deadline.
bool wait(const Socket& socket, short events, Steady::time_point deadline) {
  while (true) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Steady::now()).count();
    if (left <= 0) return false;
    pollfd waiting{socket.get(), events, 0};
    const int ready = ::poll(&waiting, 1, static_cast<int>(std::min<std::int64_t>(left, 1'000'000)));
    if (ready > 0) return true;
    if (ready < 0 && errno != EINTR) return false;
  }
}

Result<void> connect(const Socket& socket, const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path)
    return fail(Reason::file_unreadable, "a socket's path has at most 107 bytes");
  std::memcpy(address.sun_path, path.data(), path.size());
  if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) return {};
  const bool is_absent = errno == ENOENT || errno == ECONNREFUSED;
  return fail(is_absent ? Reason::connect_refused : Reason::file_unreadable, system_text());
}

Result<void> send_all(const Socket& socket, std::string_view bytes, Steady::time_point deadline) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(socket.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent > 0) {
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    } else if (errno == EAGAIN || errno == EINTR) {
      if (!wait(socket, POLLOUT, deadline)) return fail(Reason::connect_timeout, "it takes no request");
    } else {
      return fail(Reason::network_closed, system_text());
    }
  }
  return {};
}

}  // namespace

Result<Got> ask(const std::string& path, const std::string& target, const std::optional<std::string>& body,
                Duration patience) {
  const auto deadline = Steady::now() + patience;
  const Socket socket;
  if (socket.get() < 0) return fail(Reason::file_unreadable, system_text());
  if (const Result<void> connected = connect(socket, path); !connected) return fail(connected.error());
  std::string request = (body ? "POST " : "GET ") + target + " HTTP/1.1\r\nHost: ligase\r\nConnection: close\r\n";
  if (body) request += "Content-Type: application/json\r\nContent-Length: " + std::to_string(body->size()) + "\r\n";
  request += "\r\n" + body.value_or("");
  if (const Result<void> sent = send_all(socket, request, deadline); !sent) return fail(sent.error());

  beast::http::response_parser<beast::http::string_body> parser;
  parser.body_limit(kBiggestAnswer);
  parser.eager(true);
  std::string pending;
  char chunk[16 * 1024];
  boost::system::error_code error;
  while (!parser.is_done()) {
    if (!wait(socket, POLLIN, deadline)) return fail(Reason::connect_timeout, "no whole answer came in time");
    const ssize_t count = ::recv(socket.get(), chunk, sizeof chunk, 0);
    if (count < 0 && (errno == EAGAIN || errno == EINTR)) continue;
    if (count < 0) return fail(Reason::network_closed, system_text());
    if (count == 0) {
      // Beast asserts that a parser which is told of the end has seen a header.
      if (!parser.is_header_done()) return fail(Reason::network_closed, "it closed the connection without an answer");
      parser.put_eof(error);
      if (error || !parser.is_done()) return fail(Reason::network_closed, "the answer ended early");
      break;
    }
    pending.append(chunk, static_cast<std::size_t>(count));
    const std::size_t used = parser.put(boost::asio::buffer(pending), error);
    pending.erase(0, used);
    if (error && error != beast::http::error::need_more)
      return fail(Reason::network_closed, "it does not speak HTTP: " + error.message());
    if (pending.size() > 64 * 1024) return fail(Reason::network_closed, "it does not speak HTTP");
  }
  return Got{parser.get().result_int(), std::move(parser.get().body())};
}

}  // namespace ligase::http
