// Escaping: what is parsed of it is what was meant, in text and in attributes alike.
#include "xml/escape.hpp"

#include "base/bytes.hpp"

namespace ligase::xml {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";  // U+FFFD

// Length of the character at the front that XML can carry, 0 if there is none.
std::size_t legal_character(std::string_view text) noexcept {
  for (std::size_t size = 2; size <= 4 && size <= text.size(); ++size)
    if (is_utf8(text.substr(0, size))) {
      const bool is_non_character = text.starts_with("\xEF\xBF\xBE") || text.starts_with("\xEF\xBF\xBF");
      return is_non_character ? 0 : size;
    }
  return 0;
}

}  // namespace

void append_escaped(std::string& out, std::string_view text) {
  std::size_t plain = 0;  // what stands from here on goes as it is
  const auto put = [&](std::size_t at, std::size_t size, std::string_view instead) {
    out += text.substr(plain, at - plain);
    out += instead;
    plain = at + size;
  };
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c == '&') {
      put(i, 1, "&amp;");
    } else if (c == '<') {
      put(i, 1, "&lt;");
    } else if (c == '>') {
      put(i, 1, "&gt;");
    } else if (c == '"') {
      put(i, 1, "&quot;");
    } else if (c == '\'') {
      put(i, 1, "&apos;");
    } else if (c == '\r') {
      put(i, 1, "&#13;");
    } else if (c == '\n' || c == '\t') {
      put(i, 1, c == '\n' ? "&#10;" : "&#9;");
    } else if (c < 0x20) {
      put(i, 1, kReplacement);
    } else if (c >= 0x80) {
      const std::size_t size = legal_character(text.substr(i));
      if (size == 0) put(i, 1, kReplacement);
      if (size > 1) i += size - 1;
    }
  }
  out += text.substr(plain);
}

std::string escaped(std::string_view text) {
  std::string out;
  append_escaped(out, text);
  return out;
}

}  // namespace ligase::xml
