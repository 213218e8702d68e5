// Stanzas rewritten for a stream with another namespace context (XML-04, XML-05).
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "xml/parser.hpp"

namespace ligase::xml {

// What must be different when an element of one stream goes into another.
struct Passage {
  const Header* from;                       // the header of the stream it came by
  std::string_view content_ns;              // default namespace of the stream it goes to
  std::optional<std::string_view> to_lang;  // xml:lang of that stream's header: ours never has one
};

// True if `element` may go as its very bytes: no rewriting needed and no xml:lang to add.
bool passes_unchanged(const ElementView& element, const Passage& passage) noexcept;
// Appends the element so that it means the same there: its very bytes with a few edits. Its `own_ns` becomes `content_ns` wherever
// it is declared by name; what it uses of the header stands once, on its start tag, and so does an inherited xml:lang
// (D-08). For an element without `cannot_pass` that is at most its size and Limits::inherited (AB-180).
void append_passed(std::string& out, const ElementView& element, const Passage& passage);

// Gives the start tag with which `element` begins the attribute `name`="`value`": instead of what it has, or added. For an
// element that the parser has taken, or append_passed() made of one.
void set_attribute(std::string& element, std::string_view name, std::string_view value);

}  // namespace ligase::xml
