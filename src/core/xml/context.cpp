// A stream's namespace context as a start tag.
#include "xml/context.hpp"

#include "xml/escape.hpp"

namespace ligase::xml {

ExpandedName expanded(std::string_view text) noexcept {
  const std::size_t first = text.find(kSeparator);
  if (first == std::string_view::npos) return {{}, text, {}};
  const std::string_view rest = text.substr(first + 1);
  const std::size_t second = rest.find(kSeparator);
  if (second == std::string_view::npos) return {text.substr(0, first), rest, {}};
  return {text.substr(0, first), rest.substr(0, second), rest.substr(second + 1)};
}

void append_declaration(std::string& out, std::string_view prefix, std::string_view uri) {
  out += prefix.empty() ? " xmlns" : " xmlns:";
  out += prefix;
  out += "='";
  append_escaped(out, uri);
  out += '\'';
}

std::string start_tag_in_context(std::string_view name, const std::vector<Declaration>& declarations) {
  std::string tag = "<";
  tag += name;
  for (const Declaration& declaration : declarations) append_declaration(tag, declaration.prefix, declaration.uri);
  tag += '>';
  return tag;
}

}  // namespace ligase::xml
