// The stanzas among what a connection never sent, so that they can be routed anew or answered (AB-124).
#pragma once
#include <span>
#include <string_view>
#include <vector>

#include "pair/queue.hpp"

namespace ligase::pair {

// `pieces`: as they were written one by one, stanzas and what belongs to the stream itself (headers, dialback, errors), which is
// passed over. `ends`: of each piece in them. `content_ns`: of the stream. In the order they were written.
std::vector<Stanza> stanzas_among(std::string_view pieces, std::span<const std::size_t> ends,
                                  std::string_view content_ns, Instant now);

}  // namespace ligase::pair
