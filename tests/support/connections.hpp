// What tests of real connections need: a loop run until something holds, a receiver that remembers, connected sockets
// on loopback, and the certificates both ends show.
#pragma once
#include <gtest/gtest.h>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "net/connection.hpp"
#include "net/endpoint.hpp"
#include "net/loop.hpp"
#include "support/certificates.hpp"

namespace ligase::test {

// Runs the loop until `holds`. The bound only keeps a broken test from hanging.
inline void run_until(net::Loop& loop, const std::function<bool()>& holds) {
  const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  loop.context().restart();
  while (!holds()) {
    if (loop.context().run_one_until(give_up) == 0) {
      ADD_FAILURE() << "the awaited event did not come";
      return;
    }
  }
}
// Until nothing is ready to run.
inline void settle(net::Loop& loop) {
  loop.context().restart();
  while (loop.context().poll() > 0) {
  }
}

class Recorder final : public seams::Receiver {
 public:
  void on_bytes(std::string_view bytes) override {
    EXPECT_FALSE(closed) << "a callback after the last one";
    received += bytes;
    if (when_bytes) when_bytes(bytes);
  }
  void on_tls(const Result<seams::TlsFacts>& facts) override {
    EXPECT_FALSE(tls) << "a handshake has one end";
    tls = facts;
    if (when_tls) when_tls();
  }
  void on_writable() override {
    ++writable;
    if (when_writable) when_writable();
  }
  void on_closed(const Error& why) override {
    EXPECT_FALSE(closed) << "closed twice";
    closed = why;
    if (when_closed) when_closed();
  }
  bool is_secure() const { return tls && tls->has_value(); }

  std::string received;
  std::optional<Result<seams::TlsFacts>> tls;
  std::optional<Error> closed;
  int writable = 0;
  std::function<void(std::string_view)> when_bytes;
  std::function<void()> when_tls, when_writable, when_closed;
};

inline std::shared_ptr<const tls::Contexts> test_contexts() {
  static const auto made = [] {
    const MadeCertificate gateway = make_self_signed({"gw.tld"});
    return *tls::Contexts::make({gateway.pem, gateway.key_pem, "gw.pem"}, {}, tls::MinimumVersion::tls12);
  }();
  return made;
}

using Socket = boost::asio::ip::tcp::socket;
// Connected on loopback: the first dialled, the second accepted.
inline std::pair<Socket, Socket> connected_sockets(net::Loop& loop) {
  boost::asio::ip::tcp::acceptor acceptor(loop.context(), {boost::asio::ip::make_address("127.0.0.1"), 0});
  Socket dialled(loop.context());
  dialled.connect(acceptor.local_endpoint());
  return {std::move(dialled), acceptor.accept()};
}

inline std::unique_ptr<net::TcpConnection> connection_of(net::Loop& loop, Socket socket, Duration handshake_timeout) {
  const Endpoint remote = net::from_asio(socket.remote_endpoint());
  return std::make_unique<net::TcpConnection>(loop, std::move(socket), remote, handshake_timeout);
}

// Two of our connections with each other.
struct Joined {
  explicit Joined(Duration handshake_timeout = 10s) {
    loop.set_certificates(test_contexts());
    auto [dialled, accepted] = connected_sockets(loop);
    client = connection_of(loop, std::move(dialled), handshake_timeout);
    server = connection_of(loop, std::move(accepted), handshake_timeout);
    client->start(at_client);
    server->start(at_server);
  }
  void secure() {
    client->start_tls({Role::initiating, std::nullopt, "target1.tld", ""});
    server->start_tls({Role::receiving, std::nullopt, "", ""});
    run_until(loop, [&] { return at_client.is_secure() && at_server.is_secure(); });
  }

  net::Loop loop;
  Recorder at_client, at_server;
  std::unique_ptr<net::TcpConnection> client, server;
};

// Our connection at one end, the socket itself at the other.
struct HalfRaw {
  enum class Ours { dialled, accepted };
  explicit HalfRaw(Ours which, Duration handshake_timeout = 10s) : raw(loop.context()) {
    loop.set_certificates(test_contexts());
    auto [dialled, accepted] = connected_sockets(loop);
    ours = connection_of(loop, std::move(which == Ours::dialled ? dialled : accepted), handshake_timeout);
    raw = std::move(which == Ours::dialled ? accepted : dialled);
    raw.non_blocking(true);
    ours->start(receiver);
  }
  void send(std::string_view bytes) { boost::asio::write(raw, boost::asio::buffer(bytes.data(), bytes.size())); }
  // What has come to the raw end so far is appended to `arrived`; false: the connection has ended there.
  bool take() {
    char block[65536];
    boost::system::error_code error;
    const std::size_t count = raw.read_some(boost::asio::buffer(block), error);
    arrived.append(block, count);
    return !error || error == boost::asio::error::would_block;
  }
  // Runs the loop until the raw end's bytes satisfy `holds`.
  void run_until_arrived(const std::function<bool()>& holds) {
    bool is_over = false;
    const std::function<void()> wait = [&] {
      raw.async_wait(Socket::wait_read, [&](boost::system::error_code error) {
        is_over = error || !take() || holds();
        if (!is_over) wait();
      });
    };
    if (holds()) return;
    wait();
    run_until(loop, [&] { return is_over; });
    EXPECT_TRUE(holds());
  }
  // Until the other side has ended the connection.
  void run_until_ended() {
    bool is_over = false;
    const std::function<void()> wait = [&] {
      raw.async_wait(Socket::wait_read, [&](boost::system::error_code error) {
        is_over = error || !take();
        if (!is_over) wait();
      });
    };
    wait();
    run_until(loop, [&] { return is_over; });
  }

  net::Loop loop;
  Recorder receiver;
  std::unique_ptr<net::TcpConnection> ours;
  Socket raw;
  std::string arrived;
};

}  // namespace ligase::test
