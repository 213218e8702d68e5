// The elements of server dialback (XEP-0220): <db:result/> and <db:verify/>, asked and answered. Reading and writing
// only; who may be believed is decided elsewhere. The words from and to stay in here: outside it is a sender and a
// target.
#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "base/reason.hpp"
#include "base/result.hpp"
#include "name/domain.hpp"
#include "xml/parser.hpp"

namespace ligase::stream {

enum class DbType : std::uint8_t { valid, invalid, error };

// An answer; for `error` with the condition of XEP-0220 §2.5.
struct DbVerdict {
  DbType type;
  StanzaError condition = StanzaError::undefined_condition;
  bool operator==(const DbVerdict&) const = default;
};

// In which labels the two domains were written, or are to be: an answer, and the question to the authority, repeat what was
// asked, since the other side compares texts and makes its keys of them (AB-187). Ours are made of canonical names.
struct Spelling {
  Labels sender = Labels::unicode, target = Labels::unicode;
  bool operator==(const Spelling&) const = default;
};

// "sender may speak to target on this stream": a key, or an answer.
struct DbResult {
  Domain sender, target;
  std::string key;                   // asked; empty in an answer
  std::optional<DbVerdict> verdict;  // answered
  Spelling spelling{};
};
// The receiving server asks the sender's authority about a key given on stream `id` (XEP-0220 §2.2.2).
struct DbVerify {
  Domain sender, target;
  std::string id;
  std::string key;
  std::optional<DbVerdict> verdict;
  Spelling spelling{};
};

// Errors: stream_protocol with particulars (missing or invalid addresses, no id, unknown type, key over 1 KiB, AB-080).
// `node`: an element named result or verify in the dialback namespace.
Result<DbResult> read_result(const xml::Node& node);
Result<DbVerify> read_verify(const xml::Node& node);

std::string ask_result(const Domain& sender, const Domain& target, std::string_view key, Spelling spelling);
std::string answer_result(const Domain& sender, const Domain& target, const DbVerdict& verdict, Spelling spelling);
std::string ask_verify(const Domain& sender, const Domain& target, std::string_view id, std::string_view key,
                       Spelling spelling);
std::string answer_verify(const Domain& sender, const Domain& target, std::string_view id, const DbVerdict& verdict,
                          Spelling spelling);

std::optional<StanzaError> parse_condition(std::string_view name) noexcept;

}  // namespace ligase::stream
