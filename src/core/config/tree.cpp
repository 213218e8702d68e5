// The one source that sees the TOML library.
#include "config/tree.hpp"

#include <toml++/toml.h>

#include <algorithm>

#include "base/bytes.hpp"

namespace ligase::config {
namespace {

Table copy(const toml::table& table);

Value copy(const toml::node& node) {
  Value value;
  value.line = node.source().begin.line;
  if (const auto* text = node.as_string()) {
    value.is = text->get();
  } else if (const auto* integer = node.as_integer()) {
    value.is = integer->get();
  } else if (const auto* real = node.as_floating_point()) {
    value.is = real->get();
  } else if (const auto* boolean = node.as_boolean()) {
    value.is = boolean->get();
  } else if (const auto* array = node.as_array()) {
    Array items;
    items.reserve(array->size());
    for (const toml::node& item : *array) items.push_back(copy(item));
    value.is = std::move(items);
  } else if (const auto* table = node.as_table()) {
    value.is = copy(*table);
  } else {
    value.is = OtherType{};
  }
  return value;
}

Table copy(const toml::table& table) {
  Table entries;
  entries.reserve(table.size());
  for (const auto& [key, node] : table) {
    Entry entry{std::string(key.str()), key.source().begin.line, copy(node)};
    entries.push_back(std::move(entry));
  }
  // The library sorts by key; an operator reads from top to bottom.
  std::stable_sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) { return a.line < b.line; });
  return entries;
}

}  // namespace

std::string_view type_name(const Value& value) noexcept {
  constexpr std::string_view names[] = {"a string",       "a whole number", "a fraction", "true or false",
                                        "a date or time", "an array",       "a table"};
  return names[value.is.index()];
}

tl::expected<Table, SyntaxFault> read_toml(std::string_view text) {
  try {
    return copy(toml::parse(text));
  } catch (const toml::parse_error& error) {
    return tl::unexpected(SyntaxFault{error.source().begin.line, escaped(error.description())});
  }
}

}  // namespace ligase::config
