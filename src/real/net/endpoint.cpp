// Bytes in network order on both sides; nothing goes through text.
#include "net/endpoint.hpp"

#include <algorithm>

namespace ligase::net {

boost::asio::ip::tcp::endpoint to_asio(const Endpoint& endpoint) {
  const Address& address = endpoint.address;
  if (address.is_v6) return {boost::asio::ip::address_v6(address.bytes), endpoint.port};
  boost::asio::ip::address_v4::bytes_type four;
  std::copy_n(address.bytes.begin(), four.size(), four.begin());
  return {boost::asio::ip::address_v4(four), endpoint.port};
}

Endpoint from_asio(const boost::asio::ip::tcp::endpoint& endpoint) {
  Endpoint ours;
  ours.port = endpoint.port();
  const auto address = endpoint.address();
  const bool is_mapped = address.is_v6() && address.to_v6().is_v4_mapped();
  if (address.is_v6() && !is_mapped) {
    ours.address.is_v6 = true;
    ours.address.bytes = address.to_v6().to_bytes();
    return ours;
  }
  const auto v4 =
      is_mapped ? boost::asio::ip::make_address_v4(boost::asio::ip::v4_mapped, address.to_v6()) : address.to_v4();
  std::ranges::copy(v4.to_bytes(), ours.address.bytes.begin());
  return ours;
}

}  // namespace ligase::net
