// The world as a gateway sees it: the seams, and small helpers over them. It holds no state of the gateway.
#pragma once
#include <cstdint>
#include <string>

#include "report/event.hpp"
#include "seams/clock.hpp"
#include "seams/network.hpp"
#include "seams/resolver.hpp"
#include "seams/store.hpp"

namespace ligase::ground {

// Borrowed: everything here outlives whoever is given it, and the last of its procedures.
struct World {
  Executor executor;
  seams::Clock& clock;
  seams::Random& random;
  seams::Resolver& resolver;  // a caching one
  seams::Dialer& dialer;
  report::Log& sink;
  seams::Store& store;

  Instant now() const { return clock.now(); }
  WallTime wall() const { return clock.wall(); }
  void log(report::Event event) const {
    if (sink.wants(event.level)) sink.write(std::move(event));
  }
  std::string new_id() const;                    // 128 random bits, hex
  std::uint32_t draw(std::uint32_t most) const;  // uniform in [0, most]
};

}  // namespace ligase::ground
