// XEP-0114 §3 over Asio's callbacks, on one loop.
#include "lab/component.hpp"

#include <openssl/evp.h>

#include <array>
#include <boost/asio/connect.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>

#include "base/bytes.hpp"
#include "lab/plan.hpp"
#include "xml/escape.hpp"
#include "xml/parser.hpp"

namespace ligase::lab {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

constexpr std::string_view kAccept = "jabber:component:accept";
constexpr int kSmallBuffer = 4096;  // of the socket of one that is slow, so that the kernel does not read for it
constexpr std::chrono::milliseconds kBetweenReads{100};
constexpr std::size_t kWriteAhead = 64 * 1024;  // bytes asked of the owner at once

std::string handshake(std::string_view stream_id, std::string_view secret) {
  const std::string text = std::string(stream_id).append(secret);
  Bytes digest(20);
  EVP_Digest(text.data(), text.size(), digest.data(), nullptr, EVP_sha1(), nullptr);
  return "<handshake>" + hex(digest) + "</handshake>";
}

// "condition: text" of a stanza error (RFC 6120 §8.3.2) or stream error.
std::string error_text(const xml::Node& error) {
  std::string condition, text;
  for (const xml::Node& child : error.children) {
    if (child.name == "text")
      text = child.text;
    else if (condition.empty())
      condition = child.name;
  }
  if (condition.empty()) condition = "no condition";
  return text.empty() ? condition : condition + ": " + text;
}

}  // namespace

class Component::Impl : public std::enable_shared_from_this<Component::Impl>, private xml::Sink {
 public:
  Impl(const Executor& executor, std::uint16_t port, std::string domain, std::string secret, std::size_t who,
       Owner& owner)
      : socket_(executor),
        rest_(executor),
        to_(asio::ip::make_address(kLoopback), port),
        domain_(std::move(domain)),
        secret_(std::move(secret)),
        who_(who),
        owner_(&owner),
        parser_(xml::Limits{.stanza_size = 1 << 20}) {}

  void read_slowly(std::size_t bytes_per_second) { bytes_per_second_ = bytes_per_second; }

  void start() {
    if (bytes_per_second_ > 0) {
      boost::system::error_code ignored;
      socket_.open(tcp::v4(), ignored);
      socket_.set_option(asio::socket_base::receive_buffer_size(kSmallBuffer), ignored);
    }
    socket_.async_connect(to_, [self = shared_from_this()](const boost::system::error_code& error) {
      if (error) return self->fail("cannot connect: " + error.message());
      self->socket_.set_option(tcp::no_delay(true));
      self->send("<stream:stream xmlns='jabber:component:accept' xmlns:stream='http://etherx.jabber.org/streams' to='" +
                 xml::escaped(self->domain_) + "'>");
      self->read();
    });
  }

  void wake() {
    if (owner_ != nullptr && is_ready_ && writing_.empty()) write();
  }

  void hang_up() {
    if (std::exchange(owner_, nullptr) == nullptr) return;
    if (is_ready_ && writing_.empty()) {
      boost::system::error_code ignored;
      socket_.non_blocking(true, ignored);
      socket_.write_some(asio::buffer(std::string_view("</stream:stream>")), ignored);
    }
    boost::system::error_code ignored;
    rest_.cancel();
    socket_.close(ignored);
  }

 private:
  void fail(std::string why) {
    if (Owner* owner = std::exchange(owner_, nullptr)) owner->on_failed(who_, std::move(why));
    boost::system::error_code ignored;
    socket_.close(ignored);
  }

  void send(std::string_view text) {
    waiting_ += text;
    if (writing_.empty()) write();
  }

  void write() {
    while (is_ready_ && waiting_.size() < kWriteAhead) {
      const std::string stanza = owner_->next_stanza(who_);
      if (stanza.empty()) break;
      waiting_ += stanza;
    }
    if (waiting_.empty()) return;
    writing_ = std::exchange(waiting_, {});
    asio::async_write(socket_, asio::buffer(writing_),
                      [self = shared_from_this()](const boost::system::error_code& error, std::size_t) {
                        self->writing_.clear();
                        if (self->owner_ == nullptr) return;
                        if (error) return self->fail("cannot write: " + error.message());
                        self->write();
                      });
  }

  // One that is slow reads little at a time, and rests after it.
  void read() {
    const bool is_slow = bytes_per_second_ > 0 && is_ready_;
    const std::size_t most = is_slow ? bytes_per_second_ * kBetweenReads.count() / 1000 : block_.size();
    socket_.async_read_some(asio::buffer(block_, most),
                            [self = shared_from_this()](const boost::system::error_code& error, std::size_t count) {
                              if (self->owner_ == nullptr) return;
                              if (error) return self->fail("the gateway closed the connection: " + error.message());
                              const xml::Fed fed = self->parser_.feed({self->block_.data(), count}, *self);
                              if (self->owner_ == nullptr) return;
                              if (fed.fault) return self->fail("the gateway sent bad XML: " + fed.fault->text);
                              self->rest();
                            });
  }

  void rest() {
    if (bytes_per_second_ == 0 || !is_ready_) return read();
    rest_.expires_after(kBetweenReads);
    rest_.async_wait([self = shared_from_this()](const boost::system::error_code& error) {
      if (!error && self->owner_ != nullptr) self->read();
    });
  }

  xml::Take header(const xml::Header& header) override {
    send(handshake(header.id.value_or(""), secret_));
    return xml::Take::more;
  }

  xml::Take element(const xml::ElementView& element) override {
    if (element.ns == kAccept && element.name == "handshake") {
      is_ready_ = true;
      owner_->on_ready();
      wake();
    } else if (element.ns == kAccept && element.name == "message") {
      Message message{element.from.value_or(""), element.id.value_or(""), element.type == "error", {}};
      if (message.is_error) message.error = stanza_error(element);
      owner_->on_message(who_, message);
    } else if (element.name == "error") {
      const auto node = xml::to_node(element.bytes, parser_.header().declarations);
      fail("stream error " + (node ? error_text(*node) : std::string("that cannot be read")));
      return xml::Take::stop;
    }
    return xml::Take::more;
  }

  void close() override { fail("the gateway ended the stream"); }

  std::string stanza_error(const xml::ElementView& element) const {
    const auto node = xml::to_node(element.bytes, parser_.header().declarations);
    const xml::Node* error = node ? node->child("error", kAccept) : nullptr;
    return error != nullptr ? error_text(*error) : "without <error/>";
  }

  tcp::socket socket_;
  asio::steady_timer rest_;
  std::size_t bytes_per_second_ = 0;  // 0: as it comes
  tcp::endpoint to_;
  std::string domain_, secret_;
  std::size_t who_;
  Owner* owner_;  // null: closed or failed
  xml::Parser parser_;
  bool is_ready_ = false;
  std::string waiting_, writing_;  // writing_: non-empty while an operation holds it
  std::array<char, 16384> block_;
};

Component::Component(const Executor& executor, std::uint16_t port, std::string domain, std::string secret,
                     std::size_t who, Owner& owner)
    : impl_(std::make_shared<Impl>(executor, port, std::move(domain), std::move(secret), who, owner)) {}
Component::~Component() {
  if (impl_) impl_->hang_up();
}
Component::Component(Component&&) noexcept = default;
Component& Component::operator=(Component&&) noexcept = default;
void Component::read_slowly(std::size_t bytes_per_second) { impl_->read_slowly(bytes_per_second); }
void Component::start() { impl_->start(); }
void Component::wake() { impl_->wake(); }
void Component::close() { impl_->hang_up(); }

}  // namespace ligase::lab
