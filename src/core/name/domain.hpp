// Text becomes a name here, once (NAME-01). A Domain that exists is canonical: A-labels, lower case, no trailing dot.
#pragma once
#include <compare>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace ligase {

// An XMPP domain (RFC 7622 §3.2), held as A-labels.
class Domain {
 public:
  // Accepts U-labels or A-labels, any case, one trailing dot. Refuses (Reason::name_invalid) what is no domain: empty,
  // an empty or over-long label, over 253 bytes, IDNA2008-invalid, IP literals, ports, anything of a JID beside it.
  static Result<Domain> parse(std::string_view text);

  std::string_view text() const noexcept { return text_; }
  std::string display() const;  // U-labels, for people
  // Names that never belong to a federated domain: single label, localhost, .local, .onion, .test, .invalid, .arpa,
  // .localhost (AB-146). Refused from the network unless configured.
  bool is_special_use() const noexcept;

  auto operator<=>(const Domain&) const = default;

 private:
  explicit Domain(std::string canonical) : text_(std::move(canonical)) {}
  std::string text_;
};

// A host name as DNS gives it (SRV target, alias): LDH labels and underscores, lower case, no trailing dot.
class HostName {
 public:
  static Result<HostName> parse(std::string_view text);
  explicit HostName(const Domain& domain) : text_(domain.text()) {}
  std::string_view text() const noexcept { return text_; }
  auto operator<=>(const HostName&) const = default;

 private:
  explicit HostName(std::string canonical) : text_(std::move(canonical)) {}
  std::string text_;
};

// The parts of a JID where they lie. No normalisation of local and resource part (NAME-01).
struct JidParts {
  std::string_view local;     // empty: none
  std::string_view domain;    // not yet a Domain
  std::string_view resource;  // empty: none
};
// Splits by RFC 7622 §3.1; nullopt-like: domain empty when the text is no JID (empty parts, a part over 1023 bytes).
JidParts split_jid(std::string_view jid) noexcept;

}  // namespace ligase
