// The customers' web servers, all in one: HTTPS on a loopback address of its own, where each customer that publishes by
// POSH (RFC 7711) has its document. It answers GET for the pages it was given, and 404. Bound before it serves, since the
// zones name its address.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "lab/authority.hpp"

namespace ligase::lab {

constexpr std::uint16_t kHttpsPort = 443;  // RFC 7711 §3: no other is asked

struct Page {
  std::string host, path;  // "target1.tld", "/.well-known/posh/xmpp-server.json"
  std::string body;        // application/json
  bool operator==(const Page&) const = default;
};

class WebServer {
 public:
  // On an address of 127.0.0.0/8 at which that port is free; port 0: any. network_closed: it is nowhere free, or
  // not for this user (own_network.hpp).
  static Result<std::unique_ptr<WebServer>> bind(std::uint16_t port = kHttpsPort);
  ~WebServer();

  const std::string& address() const noexcept;  // "127.84.3.9"
  std::uint16_t port() const noexcept;
  // From now on, in a thread of its own; `identity` is shown to everybody. Once.
  Result<void> serve(const Identity& identity, std::vector<Page> pages);

 private:
  class Impl;
  explicit WebServer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace ligase::lab
