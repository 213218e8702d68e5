// A listener of the simulated network that gathers request headers.
#include "sim/web_server.hpp"

#include <fmt/format.h>

namespace ligase::sim {

class WebServer::Session final : public WebServer::Visit {
 public:
  Session(WebServer& owner, std::unique_ptr<seams::Connection> connection)
      : owner_(owner), connection_(std::move(connection)) {}
  void start() {
    connection_->start(*this);
    if (!owner_.is_plain_) connection_->start_tls({Role::receiving, std::nullopt, {}, {}});
  }
  void say(std::string_view bytes) override { connection_->write(bytes); }
  void close() override { connection_->close(1s); }
  void abort() override { connection_->abort(); }

 private:
  void on_bytes(std::string_view bytes) override {
    const AtWork world(Whose::world);
    request += bytes;
    if (is_asked_ || !is_whole()) return;
    is_asked_ = true;
    owner_.requests.push_back(request);
    if (owner_.answer) owner_.answer(*this);
  }
  bool is_whole() const {
    constexpr std::string_view kLength = "Content-Length: ";
    const std::size_t end = request.find("\r\n\r\n");
    if (end == std::string::npos) return false;
    const std::size_t length = request.find(kLength);
    return length >= end || request.size() >= end + 4 + std::stoul(request.substr(length + kLength.size()));
  }
  void on_tls(const Result<seams::TlsFacts>& shown) override {
    if (!shown) return;
    facts = *shown;
    if (facts.peer_chain) ++owner_.certificates_seen;
  }
  void on_writable() override {}
  void on_closed(const Error&) override {}

  WebServer& owner_;
  std::unique_ptr<seams::Connection> connection_;
  bool is_asked_ = false;
};

WebServer::WebServer(World& world, const std::string& endpoint, std::shared_ptr<const proof::Chain> chain, Answer what,
                     bool is_plain)
    : answer(std::move(what)), world_(world), endpoint_(*Endpoint::parse(endpoint)), is_plain_(is_plain) {
  if (chain) world_.chains[endpoint_.address] = std::move(chain);
  world_.listeners[endpoint_].accept = [this](std::unique_ptr<seams::Connection> connection) {
    const AtWork world(Whose::world);
    ++connections;
    sessions_.push_back(std::make_unique<Session>(*this, std::move(connection)));
    sessions_.back()->start();
  };
}
WebServer::~WebServer() { world_.listeners.erase(endpoint_); }

std::string http_answer(std::string_view status, std::string_view fields, std::string_view body) {
  return fmt::format("HTTP/1.1 {}\r\n{}Content-Length: {}\r\n\r\n{}", status, fields, body.size(), body);
}

WebServer::Answer answers(std::string text) {
  return [text = std::move(text)](WebServer::Visit& visit) {
    visit.say(text);
    visit.close();
  };
}

}  // namespace ligase::sim
