// getrandom(2): no fallback, since a guessable stream id or dialback secret is worse than no process.
#include "os/random.hpp"

#include <sys/random.h>

#include <algorithm>
#include <cstdlib>

namespace ligase::os {

void SystemRandom::fill(std::uint8_t* bytes, std::size_t count) {
  while (count > 0) {
    const ssize_t got = getrandom(bytes, std::min<std::size_t>(count, 256), 0);
    if (got <= 0) std::abort();
    bytes += got;
    count -= static_cast<std::size_t>(got);
  }
}

}  // namespace ligase::os
