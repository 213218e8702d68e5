// Text becomes a name here, once (NAME-01). A Domain that exists is canonical: A-labels, lower case, no trailing dot.
#pragma once
#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace ligase {

// How a domain stands in an address: in U-labels (RFC 7622 §3.2.1), or as DNS has it, for a peer or component that speaks so.
enum class Labels : std::uint8_t { unicode, ascii };

// An XMPP domain (RFC 7622 §3.2). Compared, looked up and hashed as A-labels; written into addresses as U-labels.
class Domain {
 public:
  // Accepts U-labels or A-labels, any case, one trailing dot. Refuses (Reason::name_invalid) what is no domain: empty,
  // an empty or over-long label, over 253 bytes, IDNA2008-invalid, IP literals, ports, anything of a JID beside it.
  static Result<Domain> parse(std::string_view text);

  std::string_view text() const noexcept { return text_; }
  // As it stands in headers, dialback and stanzas: U-labels, in NFC; the same as text() where no label is an A-label.
  std::string_view unicode() const noexcept { return unicode_.empty() ? text_ : unicode_; }
  std::string_view as(Labels labels) const noexcept { return labels == Labels::ascii ? text() : unicode(); }
  // Names that never belong to a federated domain: single label, localhost, .local, .onion, .test, .invalid, .arpa,
  // .localhost (AB-146). Refused from the network unless configured.
  bool is_special_use() const noexcept;

  auto operator<=>(const Domain&) const = default;

 private:
  explicit Domain(std::string canonical) : text_(std::move(canonical)) {}
  Domain(std::string canonical, std::string unicode) : text_(std::move(canonical)), unicode_(std::move(unicode)) {}
  std::string text_, unicode_;  // the second empty where it is the same
};

// In which labels a text that parses to `domain` names it: ascii only where it could have been written otherwise.
Labels labels_of(std::string_view text, const Domain& domain) noexcept;

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
// `jid` with another text for its domain; only that text where there is no JID.
std::string with_domain(std::string_view jid, std::string_view domain);
// The domain that a text which is no JID seems to mean: what stands between the last '@' before the first '/' and that '/'
// (AB-186). For an error's address, never for a decision; not yet a Domain.
std::string_view domain_meant(std::string_view jid) noexcept;

}  // namespace ligase
