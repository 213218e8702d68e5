// The last of what a connection in clear has sent: as much as the peer's kernel may not have yet. By it a component's stanzas
// that went to a machine which is no more are found again (AB-253).
#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "seams/network.hpp"

namespace ligase::net {

class Tail {
 public:
  // More than this is not kept before it is asked how much of it matters still.
  static constexpr std::size_t kEnough = 16 * 1024;

  // `bytes` have left; `ends`: of the pieces that end in them, counted from their beginning.
  void add(std::string_view bytes, std::span<const std::size_t> ends);
  std::size_t size() const noexcept { return bytes_.size(); }
  // So many of the last bytes are not acknowledged: what lies before them is forgotten, but for the beginning of a piece.
  void trim(std::size_t unacknowledged);
  // The pieces of which not all is acknowledged, as far as they have left whole.
  seams::Pieces take(std::size_t unacknowledged);

 private:
  std::string bytes_;
  std::vector<std::size_t> ends_;  // in bytes_
};

}  // namespace ligase::net
