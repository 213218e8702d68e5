// <stream:features/> read and written (RFC 6120 §4.3.2, STR-10).
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "xml/parser.hpp"

namespace ligase::stream {

struct Features {
  bool starttls = false, starttls_required = false;
  bool external = false;                           // SASL EXTERNAL among the mechanisms
  bool dialback = false, dialback_errors = false;  // urn:xmpp:features:dialback, with <errors/>
  bool bidi = false, sm = false;
  std::optional<std::uint32_t> window;        // flow control per pair: bytes of each
  std::optional<std::uint64_t> most_bytes;    // XEP-0478: the peer's stanza size limit,
  std::optional<std::uint32_t> idle_seconds;  // and how long it waits for bytes of ours; not 0
  std::vector<std::string> names;             // what was offered, for people: at most 32
};
Features read_features(const xml::Node& node);

struct Offer {
  bool starttls = false, starttls_required = false, external = false, dialback = false, bidi = false;
  std::uint64_t most_bytes = 0;  // 0: not announced
  std::uint64_t idle_seconds = 0;
  std::uint32_t window = 0;  // 0: flow control is not offered
};
std::string write_features(const Offer& offer);

// <bidi/> of the initiating entity (XEP-0288 §2.2), and within it what it could not offer by features of its own: the limits of
// what it takes (XEP-0478 §2.2), and that it answers a db:result in reverse with XEP-0220's errors. What reads its content is
// read_features().
std::string ask_for_bidi(std::uint64_t most_bytes, std::uint64_t idle_seconds);

}  // namespace ligase::stream
