// Randomness from the operating system (SEC-03).
#pragma once
#include "seams/clock.hpp"

namespace ligase::os {

class SystemRandom final : public seams::Random {
 public:
  void fill(std::uint8_t* bytes, std::size_t count) override;  // ends the process if the OS has none to give
};

}  // namespace ligase::os
