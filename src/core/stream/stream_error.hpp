// Stream errors (RFC 6120 §4.9.3): condition, and a text that an operator on the other side understands (STR-07).
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace ligase {

enum class StreamError : std::uint8_t {
  bad_format,
  bad_namespace_prefix,
  conflict,
  connection_timeout,
  host_gone,
  host_unknown,
  improper_addressing,
  internal_server_error,
  invalid_from,
  invalid_namespace,
  invalid_xml,
  not_authorized,
  not_well_formed,
  policy_violation,
  remote_connection_failed,
  reset,
  resource_constraint,
  restricted_xml,
  see_other_host,
  system_shutdown,
  undefined_condition,
  unsupported_encoding,
  unsupported_feature,
  unsupported_stanza_type,
  unsupported_version,
};
std::string_view condition_name(StreamError error) noexcept;  // "not-well-formed"
std::optional<StreamError> parse_stream_error(std::string_view condition) noexcept;

struct StreamFault {
  StreamError error;
  std::string text;  // for the peer: no internals
  bool operator==(const StreamFault&) const = default;
};

}  // namespace ligase
