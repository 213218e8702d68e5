// Small helpers on bytes that several layers need once.
#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ligase {

using Bytes = std::vector<std::uint8_t>;
using BytesView = std::span<const std::uint8_t>;

inline BytesView as_bytes(std::string_view text) noexcept {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}
inline std::string_view as_text(BytesView bytes) noexcept {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::string hex(BytesView bytes);                     // lower case
std::string base64(BytesView bytes);                  // RFC 4648 §4, padded
bool from_base64(std::string_view text, Bytes& out);  // strict alphabet, padding required, no white space
bool equal_in_constant_time(std::string_view a, std::string_view b) noexcept;  // lengths may be learned, bytes not

// Valid UTF-8 (no surrogates, no overlong form, at most U+10FFFF).
bool is_utf8(std::string_view text) noexcept;

// A peer's bytes made safe for one log line (AB-110): control characters, DEL, and Unicode's direction controls become
// \xNN, quotes and backslashes are escaped, and what is longer than `most` bytes is cut with "…".
std::string escaped(std::string_view text, std::size_t most = 256);

}  // namespace ligase
