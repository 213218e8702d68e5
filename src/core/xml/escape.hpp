// Text for XML.
#pragma once
#include <string>
#include <string_view>

namespace ligase::xml {

// Appends `text` as character data or attribute value: & < > " ' escaped, and CR, TAB, LF as character references, so that what
// is parsed is what was meant (AB-034); what XML cannot carry is replaced by U+FFFD (AB-005).
void append_escaped(std::string& out, std::string_view text);
std::string escaped(std::string_view text);

}  // namespace ligase::xml
