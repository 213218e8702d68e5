// What one connection has still to send: bytes written and not yet encrypted, and bytes as they go onto the wire.
// Gathers small writes into full TLS records and one system call for up to 64 KiB; holds no storage when empty.
// What was written is kept until the socket has taken the whole record it is in: at the end it is known what never left.
#pragma once
#include <array>
#include <boost/asio/ip/tcp.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "net/loop.hpp"
#include "net/tail.hpp"
#include "seams/network.hpp"
#include "tls/session.hpp"

namespace ligase::net {

// Bytes that the kernel holds for this socket, or has sent without an acknowledgement.
std::size_t unacknowledged(boost::asio::ip::tcp::socket& socket) noexcept;

class Outbox {
 public:
  explicit Outbox(Loop& loop) : loop_(loop) {}

  void write(std::string_view bytes);  // leaves encrypted as soon as there is a session to do it; one piece
  std::string& raw() { return raw_; }  // appended: leaves as it is, before what was written (handshake, alerts)
  void seal();                         // what was written until now leaves in clear, though a session follows
  // The pieces that have not left whole, and those not acknowledged, where so many bytes are; nothing is left here afterwards.
  seams::Unsent take_unsent(std::size_t unacknowledged);

  // Of what is encrypted already, the ciphertext alone counts.
  std::size_t queued() const noexcept { return plain_.size() - plain_sent_ - sealed_ + raw_.size() - raw_sent_; }

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
  Step put_raw(boost::asio::ip::tcp::socket& socket, std::size_t& share, boost::system::error_code& error);
  bool seal_batch(tls::Session& session, std::string& sealed);  // the next bytes of plain_; false: the session failed
  void pass_records(std::size_t wire_bytes);                    // so many of the sealed batch have left
  void compact();
  void release(std::string& storage, std::size_t& sent);
  void release_plain();

  static constexpr std::size_t kRecordsOfBatch = 4;
  struct Record {
    std::size_t wire_end = 0, plain = 0;  // where it ends in the batch's ciphertext; bytes of clear text in it
  };

  void has_sent(boost::asio::ip::tcp::socket& socket, std::size_t count);  // of plain_, in clear

  Loop& loop_;
  Tail tail_;
  std::string plain_, raw_;
  std::size_t plain_sent_ = 0, raw_sent_ = 0;  // how much of each has left
  std::vector<std::size_t> ends_;              // of the pieces in plain_, of some that have left too
  std::array<Record, kRecordsOfBatch> records_{};
  std::size_t records_count_ = 0, records_passed_ = 0;
  std::size_t sealed_ = 0;       // bytes of plain_, behind plain_sent_, whose ciphertext is under way
  std::size_t sealed_left_ = 0;  // bytes of the batch's ciphertext that had left when the rest came to raw_
};

}  // namespace ligase::net
