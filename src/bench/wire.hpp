// What went over loopback, packet by packet: bytes and turns of each connection, by the ports at its accepting end.
// It needs a network that nobody else uses, and leave to look at it: a network namespace of the benchmark's own.
#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <vector>

#include "base/result.hpp"

namespace ligase::bench {

struct Traffic {
  std::uint64_t bytes = 0;        // IP packets whole, headers and acknowledgements included, both directions
  std::uint64_t connections = 0;  // TCP: opened
  // TCP: SYN, and each time that the asking end spoke after the other had: all but the last are round trips.
  std::uint64_t turns = 0;
  std::uint64_t datagrams = 0;  // UDP
};

class Wire {
 public:
  // network_closed: packets may not be looked at here.
  static Result<std::unique_ptr<Wire>> open();
  ~Wire();

  // What came since the last call, of connections and datagrams to one of `ports`.
  Traffic take(const std::set<std::uint16_t>& ports);
  // Forgets it, for all ports.
  void forget();

 private:
  struct Packet {
    std::uint16_t from, to, size, payload;
    bool is_tcp, is_syn;
  };
  explicit Wire(int socket) : socket_(socket) {}
  void read();

  int socket_;
  std::vector<Packet> packets_;
};

}  // namespace ligase::bench
