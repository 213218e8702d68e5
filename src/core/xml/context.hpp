// The namespace context of a stream, written as a start tag: what expat must have read before it can read an element of
// that stream by itself. Also the splitting of expat's expanded names. Internal to xml/.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "xml/parser.hpp"

namespace ligase::xml {

// Between the parts of expat's expanded names: a byte that no UTF-8 text holds, so no URI can fake a name (AB-007).
constexpr char kSeparator = '\xFF';
constexpr std::string_view kXmlNamespace = "http://www.w3.org/XML/1998/namespace";

// "uri", "local", "prefix" of expat's "local", "uri\xFFlocal" or "uri\xFFlocal\xFFprefix".
struct ExpandedName {
  std::string_view ns, name, prefix;
};
ExpandedName expanded(std::string_view text) noexcept;

// " xmlns:p='…'"; `prefix` empty: the default namespace.
void append_declaration(std::string& out, std::string_view prefix, std::string_view uri);
// "<NAME xmlns='…' xmlns:p='…'>".
std::string start_tag_in_context(std::string_view name, const std::vector<Declaration>& declarations);

}  // namespace ligase::xml
