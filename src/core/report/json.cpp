// The JSON writer, and the escaping that keeps a peer's bytes inside their string.
#include "report/json.hpp"

#include <fmt/format.h>

#include <cmath>

namespace ligase::report {
namespace {

struct Character {
  std::size_t length;  // 0: no valid UTF-8 here
  std::uint32_t point;
};

// The character at the front of `text`: RFC 3629's table, without overlong forms and surrogates.
Character first_character(std::string_view text) noexcept {
  const auto at = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u; };
  const unsigned lead = at(0);
  if (lead < 0x80) return {1, lead};
  const std::size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4) return {0, 0};
  std::uint32_t point = lead & (0xFFu >> (length + 1));
  for (std::size_t i = 1; i < length; ++i) {
    if ((at(i) & 0xC0u) != 0x80u) return {0, 0};
    point = point << 6 | (at(i) & 0x3Fu);
  }
  const bool is_overlong = (length == 3 && point < 0x800) || (length == 4 && point < 0x10000);
  const bool is_surrogate = point >= 0xD800 && point <= 0xDFFF;
  if (is_overlong || is_surrogate || point > 0x10FFFF) return {0, 0};
  return {length, point};
}

bool needs_escape(std::uint32_t point) noexcept {
  return point < 0x20 || (point >= 0x7F && point < 0xA0) ||  // C0, DEL, C1
         point == 0x61C || point == 0x200E || point == 0x200F || (point >= 0x2028 && point <= 0x202E) ||
         (point >= 0x2066 && point <= 0x2069) || point == 0xFEFF;
}

}  // namespace

void append_json_string(std::string& out, std::string_view text) {
  out += '"';
  while (!text.empty()) {
    const Character character = first_character(text);
    if (character.length == 0) {
      out += "\\ufffd";
      text.remove_prefix(1);
      continue;
    }
    if (character.point == '"' || character.point == '\\') {
      out += '\\';
      out += static_cast<char>(character.point);
    } else if (needs_escape(character.point)) {
      out += fmt::format("\\u{:04x}", character.point);
    } else {
      out += text.substr(0, character.length);
    }
    text.remove_prefix(character.length);
  }
  out += '"';
}

void JsonWriter::separate() {
  if (needs_comma_) out_ += ',';
  needs_comma_ = true;
}

JsonWriter& JsonWriter::open(char bracket) {
  separate();
  out_ += bracket;
  needs_comma_ = false;
  return *this;
}

JsonWriter& JsonWriter::close(char bracket) {
  out_ += bracket;
  needs_comma_ = true;
  return *this;
}

JsonWriter& JsonWriter::key(std::string_view name) {
  separate();
  append_json_string(out_, name);
  out_ += ':';
  needs_comma_ = false;
  return *this;
}

JsonWriter& JsonWriter::value(std::string_view text) {
  separate();
  append_json_string(out_, text);
  return *this;
}

JsonWriter& JsonWriter::value(bool truth) {
  separate();
  out_ += truth ? "true" : "false";
  return *this;
}

JsonWriter& JsonWriter::value(std::uint64_t number) {
  separate();
  out_ += std::to_string(number);
  return *this;
}

JsonWriter& JsonWriter::value(double number) {
  separate();
  out_ += std::isfinite(number) ? fmt::format("{:.6g}", number) : "0";
  return *this;
}

JsonWriter& JsonWriter::value(const std::optional<std::string>& text) {
  return text ? value(std::string_view(*text)) : null();
}

JsonWriter& JsonWriter::value(const std::optional<WallTime>& time) { return time ? value(rfc3339(*time)) : null(); }

JsonWriter& JsonWriter::null() {
  separate();
  out_ += "null";
  return *this;
}

std::string error_document(std::string_view reason, std::string_view message) {
  JsonWriter json;
  json.begin_object().field("error", reason).field("message", message).end_object();
  return json.take();
}

}  // namespace ligase::report
