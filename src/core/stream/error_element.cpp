// The condition, and the text for the operator on the other side (STR-07).
#include "stream/error_element.hpp"

#include <fmt/format.h>

#include "stream/words.hpp"
#include "xml/escape.hpp"

namespace ligase::stream {

std::string error_element(const StreamFault& fault) {
  std::string out = fmt::format("<stream:error><{} xmlns='{}'/>", condition_name(fault.error), ns::kStreamErrors);
  if (!fault.text.empty()) {
    out += fmt::format("<text xmlns='{}' xml:lang='en'>", ns::kStreamErrors);
    xml::append_escaped(out, fault.text);
    out += "</text>";
  }
  return out + "</stream:error>";
}

}  // namespace ligase::stream
