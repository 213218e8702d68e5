// Our addresses as Boost.Asio's, and back. An IPv4 address that a dual-stack socket shows as ::ffff:a.b.c.d is IPv4
// here, so that limits, guard and logs see one form.
#pragma once
#include <boost/asio/ip/tcp.hpp>

#include "name/address.hpp"

namespace ligase::net {

boost::asio::ip::tcp::endpoint to_asio(const Endpoint& endpoint);
Endpoint from_asio(const boost::asio::ip::tcp::endpoint& endpoint);

}  // namespace ligase::net
