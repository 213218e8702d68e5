#include "lab/web.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/ip/tcp.hpp>

#include "net/connection.hpp"

namespace ligase::lab {
namespace {

using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::StartsWith;

// Says one thing over TLS, and keeps what comes until the end.
class Client final : public seams::Receiver {
 public:
  std::string ask(const WebServer& server, const std::string& request) {
    request_ = request;
    boost::asio::ip::tcp::socket socket(loop_.context());
    socket.connect({boost::asio::ip::make_address(server.address()), server.port()});
    const auto identity = self_signed({.hosts = {"client.tld"}});
    loop_.set_certificates(
        *tls::Contexts::make({identity->certificate, identity->private_key, "test"}, {}, tls::MinimumVersion::tls12));
    net::TcpConnection connection(loop_, std::move(socket), Endpoint{*Address::parse(server.address()), server.port()});
    connection_ = &connection;
    connection.start(*this);
    connection.start_tls({Role::initiating, std::nullopt, "target1.tld", "http/1.1"});
    while (!is_closed_) loop_.context().run_one();
    return heard_;
  }
  std::shared_ptr<const proof::Chain> chain;
  std::string alpn;

 private:
  void on_bytes(std::string_view bytes) override { heard_ += bytes; }
  void on_tls(const Result<seams::TlsFacts>& facts) override {
    ASSERT_TRUE(facts) << facts.error().detail;
    chain = facts->peer_chain;
    alpn = facts->alpn;
    connection_->write(request_);
  }
  void on_writable() override {}
  void on_closed(const Error&) override { is_closed_ = true; }

  net::Loop loop_;
  net::TcpConnection* connection_ = nullptr;
  std::string request_, heard_;
  bool is_closed_ = false;
};

class LabWeb : public ::testing::Test {
 protected:
  void SetUp() override {
    auto bound = WebServer::bind(0);
    ASSERT_TRUE(bound) << bound.error().detail;
    server = std::move(*bound);
    identity = self_signed({.hosts = {"target1.tld"}}).value();
    ASSERT_TRUE(server->serve(identity, {{"target1.tld", "/posh.json", "{\"a\":1}"}}));
  }
  std::string ask(const std::string& request) { return Client().ask(*server, request); }

  std::unique_ptr<WebServer> server;
  Identity identity;
};

TEST_F(LabWeb, Page_IsServedToWhoAsksItsHostForIt) {
  Client client;
  EXPECT_THAT(
      client.ask(*server, "GET /posh.json HTTP/1.1\r\nHost: target1.tld\r\n\r\n"),
      AllOf(StartsWith("HTTP/1.1 200 OK\r\n"), HasSubstr("Content-Length: 7\r\n"), EndsWith("\r\n\r\n{\"a\":1}")));
  EXPECT_EQ(client.alpn, "http/1.1");
  ASSERT_TRUE(client.chain);
  EXPECT_TRUE(client.chain->names_domain(*Domain::parse("target1.tld")));
}

TEST_F(LabWeb, OtherHostOrPath_HasNothing) {
  EXPECT_THAT(ask("GET /posh.json HTTP/1.1\r\nHost: target2.tld\r\n\r\n"), StartsWith("HTTP/1.1 404 "));
  EXPECT_THAT(ask("GET / HTTP/1.1\r\nHost: target1.tld\r\n\r\n"), StartsWith("HTTP/1.1 404 "));
}

TEST_F(LabWeb, WhatIsNoGetRequest_IsRefused) {
  EXPECT_THAT(ask("POST /posh.json HTTP/1.1\r\nHost: target1.tld\r\nContent-Length: 0\r\n\r\n"),
              StartsWith("HTTP/1.1 405 "));
  EXPECT_THAT(ask("nonsense\r\n\r\n"), StartsWith("HTTP/1.1 400 "));
}

TEST_F(LabWeb, HostWithItsPort_IsTheHost) {
  EXPECT_THAT(ask("GET /posh.json HTTP/1.1\r\nHost: target1.tld:443\r\n\r\n"), StartsWith("HTTP/1.1 200 "));
}

}  // namespace
}  // namespace ligase::lab
