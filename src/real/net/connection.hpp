// A TCP connection with TLS inside it, as the seam wants it (seams/network.hpp): callbacks, no coroutine on the data
// path, no buffer of its own at rest. Bytes that came in clear are never read as if they had come inside TLS (AB-040).
#pragma once
#include <boost/asio/ip/tcp.hpp>
#include <memory>

#include "net/loop.hpp"
#include "seams/network.hpp"

namespace ligase::net {

class TcpConnection final : public seams::Connection {
 public:
  // `socket`: connected to `remote`, of the loop's context. `handshake_timeout` runs from start_tls() on.
  TcpConnection(Loop& loop, boost::asio::ip::tcp::socket socket, const Endpoint& remote,
                Duration handshake_timeout = 10s);
  ~TcpConnection() override;

  void start(seams::Receiver& receiver) override;
  void write(std::string_view bytes) override;  // dropped after close() or the end
  // A server's role: also what lies in the kernel's buffer now was sent before our <proceed/>, and is injection.
  // Called as the first thing after start(): direct TLS (XEP-0368), nothing came in clear, nothing is refused.
  // From inside on_bytes(): in clear, on_bytes() gets at most one element's end ('>') at a time, as its last byte, so
  // that what follows <starttls/> or <proceed/> has not been given yet; past 64 KiB in clear this is no longer so.
  void start_tls(seams::TlsRequest request) override;
  void pause_reading(
      seams::Pause why = seams::Pause::procedure) override;  // from inside on_bytes(): no further call until resumed
  void resume_reading(seams::Pause why = seams::Pause::procedure) override;
  std::size_t queued() const override;
  seams::Unsent take_unsent() override;
  std::uint64_t heard() const override;
  Duration round_trip() const override;
  void close(Duration patience) override;  // what still comes is read and thrown away
  void abort() override;                   // a reset on the wire
  Endpoint remote() const override;
  Endpoint local() const override;

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;  // owned here alone; handlers hold it weakly
};

}  // namespace ligase::net
