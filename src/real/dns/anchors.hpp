// Trust anchors as text, checked before libunbound sees them: it takes a bad one without a word and fails, or never
// validates, later. A missing or useless anchor is a start-up error (AB-139).
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace ligase::dns {

// DS and DNSKEY records in zone text (RFC 4034), as files of unbound-anchor, dns-root-data, or `keymgr ds` hold them; one
// clean line each. config_invalid, with the line, for anything that could not validate: another type, an algorithm
// or digest that is not in use (RFC 8624), a digest of the wrong length, a revoked key, or no record at all.
Result<std::vector<std::string>> read_trust_anchors(std::string_view text);

}  // namespace ligase::dns
