// A DNS tree of the lab's own, signed in memory (RFC 4034: ECDSA P-256, NSEC), with the root's DS as trust anchor: the
// world in which delegations are secure, insecure or spoilt on purpose. Signatures are made when first asked for, one
// RRset at a time, so that thousands of zones cost nothing at the start. It never touches the network: see server.hpp.
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "base/time.hpp"

namespace ligase::lab::dns {

enum class Delegation : std::uint8_t {
  secure,    // the zone is signed and its parent holds its DS
  insecure,  // the zone is not signed, and the parent's NSEC says that there is no DS
};

enum class Transport : std::uint8_t { udp, tcp };

struct Question {
  std::string name;  // lower case
  std::uint16_t type;
  auto operator<=>(const Question&) const = default;
};
std::optional<Question> read_question(BytesView query);  // nullopt: no query

// Names are written without the last dot ("target1.tld"; "" is the root), types as in zone text ("SRV").
// All functions may be called from any thread, also while a server answers.
class Tree {
 public:
  Tree();  // the root zone, signed
  ~Tree();
  Tree(const Tree&) = delete;
  Tree& operator=(const Tree&) = delete;

  // A zone below the deepest one that encloses it: parents first, records after their zone. Its SOA (negative TTL
  // 60 s), NS and DNSKEY come by themselves.
  Result<void> add_zone(std::string_view name, Delegation delegation = Delegation::secure);
  // One record, as a line: "_xmpp-server._tcp.a.tld. 3600 IN SRV 0 0 5269 xmpp1.b.tld." (names are absolute). A SOA or
  // CNAME takes the place of the one before. Wildcards, CNAME and DNAME are followed in answers.
  Result<void> add(const std::string& line);

  // The root's DS as a line for a trust anchor file.
  std::string trust_anchor() const;

  // What a spoilt zone looks like. Each: config_invalid if there is no such RRset.
  Result<void> alter(const std::string& line);                              // new data under the old signature
  Result<void> strip(std::string_view owner, std::string_view type);        // no RRSIG
  Result<void> set_validity(std::string_view owner, std::string_view type,  // signed anew, for this time
                            WallTime inception, WallTime expiration);
  Result<void> set_wrong_ds(std::string_view zone);  // signed by the parent, of another key

  // The answer to one query message, as a resolver that does not validate gives it (RA set, AD never): aliases
  // followed, denials with their NSEC proofs where the query has DO. Over UDP what is too long for the asker, or above
  // 1232 bytes, is truncated. Empty: not a query, drop it.
  Bytes answer(BytesView query, Transport transport) const;

  std::size_t signatures_made() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace ligase::lab::dns
