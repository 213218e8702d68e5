// Dialback keys (XEP-0220, made as XEP-0185 says; DB-01). A key is a secret between a domain and its authority: it has
// no formatter, compares in constant time, and goes nowhere but into a <db:result/> or <db:verify/>.
#pragma once
#include <string>
#include <string_view>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "name/domain.hpp"

namespace ligase::proof {

class DialbackKey {
 public:
  // What a peer sent as key: 1…1024 bytes of UTF-8 without control characters; white space around it is dropped, as
  // pretty-printing peers add it. Any such text may be a key: only its authority knows. Reason::dialback_invalid.
  static Result<DialbackKey> parse(std::string_view text);
  // hex(HMAC-SHA256(hex(SHA256(secret)), target ' ' sender ' ' stream id)). `stream_id`: the one that the receiving
  // entity announced, as last announced.
  static DialbackKey derive(std::string_view secret, const Domain& target, const Domain& sender,
                            std::string_view stream_id);

  // For the element's text only; never for a log (SEC-02).
  std::string_view wire_text() const noexcept { return text_; }
  bool operator==(const DialbackKey& other) const noexcept { return equal_in_constant_time(text_, other.text_); }

 private:
  explicit DialbackKey(std::string text) : text_(std::move(text)) {}
  std::string text_;
};

}  // namespace ligase::proof
