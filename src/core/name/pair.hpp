// The domain pair of RFC 7712 and XEP-0220, with one order everywhere: ours and theirs, and who sends.
#pragma once
#include <compare>
#include <cstdint>

#include "name/domain.hpp"

namespace ligase {

enum class Role : std::uint8_t { initiating, receiving };  // RFC 6120 §1.4, of one stream
enum class Direction : std::uint8_t { in, out };           // out: our domain sends to the remote one

struct Pair {
  Domain local, remote;
  Direction direction;
  const Domain& sender() const noexcept { return direction == Direction::out ? local : remote; }
  const Domain& target() const noexcept { return direction == Direction::out ? remote : local; }
  auto operator<=>(const Pair&) const = default;
};

}  // namespace ligase

template <>
struct std::hash<ligase::Domain> {
  std::size_t operator()(const ligase::Domain& domain) const noexcept {
    return std::hash<std::string_view>{}(domain.text());
  }
};
