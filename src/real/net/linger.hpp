// The end of a connection we gave up: what was sent last (an alert, a stream error) would be lost to a reset if the
// socket closed over unread bytes. So it is read empty for a moment first, by nobody's account.
#pragma once
#include <boost/asio/ip/tcp.hpp>

#include "base/time.hpp"

namespace ligase::net {

// Ends sending, throws away what comes (at most 256 KiB), closes at the peer's end or after `patience`.
void linger(boost::asio::ip::tcp::socket socket, Duration patience);

}  // namespace ligase::net
