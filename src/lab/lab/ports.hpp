// Free TCP ports. The zones name them before the gateways that listen there exist, so each is held until then: bound,
// not listening, shareable with a listener that asks for it (SO_REUSEADDR), never given to an outgoing connection.
#pragma once
#include <cstdint>
#include <utility>

#include "base/result.hpp"

namespace ligase::lab {

class HeldPort {
 public:
  static Result<HeldPort> take();  // on kLoopback
  HeldPort(HeldPort&& other) noexcept : socket_(std::exchange(other.socket_, -1)), number_(other.number_) {}
  HeldPort& operator=(HeldPort&&) = delete;
  ~HeldPort();
  std::uint16_t number() const noexcept { return number_; }

 private:
  HeldPort(int socket, std::uint16_t number) : socket_(socket), number_(number) {}
  int socket_;
  std::uint16_t number_;
};

}  // namespace ligase::lab
