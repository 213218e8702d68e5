// The elements of flow control per pair (docs/specs/flow.md): how large the window of each pair is, and credit given anew. Reading
// and writing only; credit is counted elsewhere (pair/credit.hpp). As in an answer to db:result, who gives credit, the target,
// stands in `from`.
#pragma once
#include <cstdint>
#include <optional>
#include <string>

#include "base/result.hpp"
#include "name/domain.hpp"
#include "xml/parser.hpp"

namespace ligase::stream {

// Bytes: a window as either side may name it; and the most that there is of credit, in one grant and in all.
constexpr std::uint32_t kLeastWindow = 4 * 1024, kMostWindow = 16 * 1024 * 1024, kMostCredit = 0x7fffffff;

struct PairCredit {
  Domain sender, target;
  std::uint32_t bytes;
};

// `node`: the stream feature, or what enables it. Nullopt: it names no window that there can be.
std::optional<std::uint32_t> read_window(const xml::Node& node);
std::string offer_flow(std::uint32_t window);
std::string enable_flow(std::uint32_t window);

// Errors: stream_protocol; invalid or missing addresses, or bytes that are no number from 1 to kMostCredit.
Result<PairCredit> read_credit(const xml::Node& node);
std::string give_credit(const Domain& sender, const Domain& target, std::uint32_t bytes);

}  // namespace ligase::stream
