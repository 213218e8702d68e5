// What one connection has still to send: bytes written and not yet encrypted, and bytes as they go onto the wire.
// Gathers small writes into full TLS records and one system call for up to 64 KiB; holds no storage when empty.
#pragma once
#include <boost/asio/ip/tcp.hpp>
#include <string>
#include <string_view>

#include "net/loop.hpp"
#include "tls/session.hpp"

namespace ligase::net {

class Outbox {
 public:
  explicit Outbox(Loop& loop) : loop_(loop) {}

  void write(std::string_view bytes);  // leaves encrypted as soon as there is a session to do it
  std::string& raw() { return raw_; }  // appended: leaves as it is, before what was written (handshake, alerts)
  void seal();                         // what was written until now leaves in clear, though a session follows
  void clear() noexcept;

  std::size_t queued() const noexcept { return plain_.size() - plain_sent_ + raw_.size() - raw_sent_; }

  enum class Outcome : std::uint8_t {
    empty,
    waiting,  // for the handshake
    blocked,  // the socket takes no more: wait for it
    more,     // this turn's share is used up
    broken,   // `error` of the socket, or the session failed
  };
  // Sends what it can without waiting. `session`: null for a connection in clear.
  Outcome send(boost::asio::ip::tcp::socket& socket, tls::Session* session, boost::system::error_code& error);

 private:
  enum class Step : std::uint8_t { all, blocked, broken };
  Step put(boost::asio::ip::tcp::socket& socket, std::string_view bytes, std::size_t& sent,
           boost::system::error_code& error);
  void release(std::string& storage, std::size_t& sent);

  Loop& loop_;
  std::string plain_, raw_;
  std::size_t plain_sent_ = 0, raw_sent_ = 0;  // how much of each has left
};

}  // namespace ligase::net
