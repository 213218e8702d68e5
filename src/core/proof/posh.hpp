// POSH (RFC 7711): a domain says over HTTPS which certificates its XMPP service shows. Here are the two kinds of document,
// read as strictly as what comes from a stranger deserves, written for those who publish, and held against a certificate.
// Fetching is flow/posh_source's.
#pragma once
#include <array>
#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "base/time.hpp"
#include "proof/certificate.hpp"

namespace ligase::proof {

// Of [HASH-NAMES] those that are looked at; sha-1 and less are ignored like any unknown name (POSH-03, AB-154).
enum class PoshHash : std::uint8_t { sha_256, sha_384, sha_512 };
constexpr std::size_t kPoshHashes = 3;
std::string_view name_of(PoshHash hash) noexcept;  // "sha-256"

// One certificate: its DER's digests, by PoshHash; empty: not given. At least one is.
struct PoshDescriptor {
  std::array<Bytes, kPoshHashes> digests;
  bool operator==(const PoshDescriptor&) const = default;
};

struct PoshFingerprints {  // RFC 7711 §3.1
  // Of the first 64 those that can match. One that has no known hash cannot, nor one with a value that is no base64 or has
  // not its hash's length: it means a certificate that we cannot tell, never any other (AB-154).
  std::vector<PoshDescriptor> descriptors;
  std::chrono::seconds expires;  // as written, at least 1
};
struct PoshReference {  // RFC 7711 §3.2
  std::string url;      // as written
  std::chrono::seconds expires;
};
using PoshDocument = std::variant<PoshFingerprints, PoshReference>;

// Reason::posh_failed, with what is wrong, for anything but one of the two documents: other JSON, broken UTF-8, a member
// twice in one object, more than 8 levels, something behind the end, a member of the wrong type, both or neither of
// "fingerprints" and "url", an "expires" that is absent, 0, negative or not written as an integer (POSH-02, AB-153, AB-155),
// no descriptor that can match. Other members are nobody's business.
Result<PoshDocument> parse_posh(std::string_view json);

// The documents to publish. `expires`: at least 1 s.
std::string write_posh(const std::vector<PoshDescriptor>& descriptors, std::chrono::seconds expires);
std::string write_posh_reference(std::string_view url, std::chrono::seconds expires);
PoshDescriptor posh_descriptor(const Chain& chain);  // of the leaf, sha-256 and sha-512 as RFC 7711 §3.1 shows

// Does a descriptor fit the chain's leaf? Every digest it has must (POSH-03). The hashes' names, "sha-256, sha-512";
// nullopt: none fits.
std::optional<std::string> match_posh(const std::vector<PoshDescriptor>& descriptors, const Chain& chain);

// `expires` of what was read, 5 min … 1 d (POSH-02); of a reference and its document the lower.
std::chrono::seconds clamp_posh_expiry(std::chrono::seconds expires) noexcept;

// What asking a domain for its POSH came to.
struct PoshAnswer {
  std::vector<PoshDescriptor> descriptors;  // empty: `failure` says why
  std::optional<Error> failure;             // posh_failed
  WallTime expires{};                       // not used from here on, a failure neither
  std::string source;                       // the URL of the fingerprints document
  bool operator==(const PoshAnswer&) const = default;
};

}  // namespace ligase::proof
