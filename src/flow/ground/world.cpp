#include "ground/world.hpp"

#include "base/bytes.hpp"

namespace ligase::ground {

std::string World::new_id() const {
  std::uint8_t bytes[16];
  random.fill(bytes, sizeof bytes);
  return hex(bytes);
}

std::uint32_t World::draw(std::uint32_t most) const {
  std::uint8_t bytes[8];
  random.fill(bytes, sizeof bytes);
  std::uint64_t number = 0;
  for (const std::uint8_t byte : bytes) number = number << 8 | byte;
  return static_cast<std::uint32_t>(number % (static_cast<std::uint64_t>(most) + 1));
}

}  // namespace ligase::ground
