// A TOML document as plain values with their lines: what the rest of config/ reads, so that one source alone knows the
// TOML library.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <tl/expected.hpp>

namespace ligase::config {

struct Value;
struct Entry;
using Array = std::vector<Value>;
using Table = std::vector<Entry>;  // in the order written; TOML has no key twice
struct OtherType {                 // a date or time: no key of ours takes one
  bool operator==(const OtherType&) const = default;
};

struct Value {
  unsigned line = 0;
  std::variant<std::string, std::int64_t, double, bool, OtherType, Array, Table> is;
};
struct Entry {
  std::string key;
  unsigned line = 0;  // of the key
  Value value;
};

// "a string", "a number", …, as a sentence needs it.
std::string_view type_name(const Value& value) noexcept;

struct SyntaxFault {
  unsigned line;
  std::string what;
};
// The first syntax fault ends the reading: what follows one cannot be told from it.
tl::expected<Table, SyntaxFault> read_toml(std::string_view text);

}  // namespace ligase::config
