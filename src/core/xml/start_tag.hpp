// A start tag as it is written, attribute by attribute. For bytes that the parser has taken: nothing is checked here again.
#pragma once
#include <cstddef>
#include <optional>
#include <string_view>

namespace ligase::xml {

class StartTag {
 public:
  struct Attribute {
    std::string_view whole, name, value;  // with the space before it; as written; between the quotes, not decoded
  };

  // `text` begins with the tag, "<name …"; more may stand behind it. It outlives this.
  explicit StartTag(std::string_view text) : text_(text) {
    while (!ends_name(text_[at_])) ++at_;
    name_ = text_.substr(1, at_ - 1);
  }
  std::string_view name() const noexcept { return name_; }
  // The next attribute or declaration; nullopt: that was the last, and the two below are known.
  std::optional<Attribute> next() {
    const std::size_t start = at_;
    while (is_blank(text_[at_])) ++at_;
    if (text_[at_] == '/' || text_[at_] == '>') return std::nullopt;
    const std::size_t name = at_;
    while (text_[at_] != '=' && !is_blank(text_[at_])) ++at_;
    const std::size_t name_end = at_;
    while (text_[at_] != '"' && text_[at_] != '\'') ++at_;
    const std::size_t value = at_ + 1, value_end = text_.find(text_[at_], value);
    at_ = value_end + 1;
    return Attribute{text_.substr(start, at_ - start), text_.substr(name, name_end - name),
                     text_.substr(value, value_end - value)};
  }
  bool is_empty_element() const noexcept { return text_[at_] == '/'; }             // "<name …/>"
  std::size_t end() const noexcept { return at_ + (is_empty_element() ? 2 : 1); }  // behind its '>'

 private:
  static bool is_blank(char c) noexcept { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }
  static bool ends_name(char c) noexcept { return is_blank(c) || c == '/' || c == '>'; }
  std::string_view text_, name_;
  std::size_t at_ = 1;
};

}  // namespace ligase::xml
