// The names of stream error conditions.
#include "stream/stream_error.hpp"

#include <iterator>

namespace ligase {
namespace {
constexpr std::string_view kNames[] = {
    "bad-format",
    "bad-namespace-prefix",
    "conflict",
    "connection-timeout",
    "host-gone",
    "host-unknown",
    "improper-addressing",
    "internal-server-error",
    "invalid-from",
    "invalid-namespace",
    "invalid-xml",
    "not-authorized",
    "not-well-formed",
    "policy-violation",
    "remote-connection-failed",
    "reset",
    "resource-constraint",
    "restricted-xml",
    "see-other-host",
    "system-shutdown",
    "undefined-condition",
    "unsupported-encoding",
    "unsupported-feature",
    "unsupported-stanza-type",
    "unsupported-version",
};
static_assert(std::size(kNames) == static_cast<std::size_t>(StreamError::unsupported_version) + 1);
}  // namespace

std::string_view condition_name(StreamError error) noexcept { return kNames[static_cast<std::size_t>(error)]; }

std::optional<StreamError> parse_stream_error(std::string_view condition) noexcept {
  for (std::size_t i = 0; i < std::size(kNames); ++i)
    if (kNames[i] == condition) return static_cast<StreamError>(i);
  return std::nullopt;
}

}  // namespace ligase
