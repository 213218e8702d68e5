// Outgoing TCP connections. The guard is asked of the very address that is connected to, each time: a name that
// resolved well a moment ago means nothing here (ADDR-01, AB-143, AB-151).
#pragma once
#include "name/address.hpp"
#include "net/loop.hpp"
#include "seams/network.hpp"

namespace ligase::net {

class TcpDialer final : public seams::Dialer {
 public:
  TcpDialer(Loop& loop, AddressGuard guard, Duration handshake_timeout = 10s)
      : loop_(loop), guard_(std::move(guard)), handshake_timeout_(handshake_timeout) {}

  // Await it on the loop's executor. Cancelled: Reason::cancelled. A connection that turns out to lead to its own end
  // (TCP's simultaneous open on one machine) is self_connect.
  Task<Result<std::unique_ptr<seams::Connection>>> connect(Endpoint endpoint, Instant deadline, Ports ports) override;

  void set_guard(AddressGuard guard) { guard_ = std::move(guard); }  // at reload

 private:
  Loop& loop_;
  AddressGuard guard_;
  Duration handshake_timeout_;
};

}  // namespace ligase::net
