// Escaping, and passing an element on to a stream with another namespace context. The re-serialisation keeps every
// prefix and declaration as written; it changes one URI, declares what the old header declared, and nothing else. It
// goes by expat's events, so it does not recurse; what it reads was read by the parser before.
#include "xml/writer.hpp"

#include <expat.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <new>

#include "base/bytes.hpp"

namespace ligase::xml {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";  // U+FFFD

enum class Place : std::uint8_t { text, attribute };

// Length of the character at the front that XML can carry, 0 if there is none.
std::size_t legal_character(std::string_view text) noexcept {
  for (std::size_t size = 2; size <= 4 && size <= text.size(); ++size)
    if (is_utf8(text.substr(0, size))) {
      const bool is_non_character = text.starts_with("\xEF\xBF\xBE") || text.starts_with("\xEF\xBF\xBF");
      return is_non_character ? 0 : size;
    }
  return 0;
}

void append(std::string& out, std::string_view text, Place place) {
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
      if (place == Place::attribute) put(i, 1, c == '\n' ? "&#10;" : "&#9;");
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

std::string_view prefix_of(std::string_view qualified) noexcept {
  const std::size_t colon = qualified.find(':');
  return colon == std::string_view::npos ? std::string_view{} : qualified.substr(0, colon);
}

// The xml:lang that must be written on an element without one, so that it keeps the language it had.
std::optional<std::string_view> lang_to_add(const ElementView& element, const Passage& passage) noexcept {
  if (element.lang) return std::nullopt;
  const std::string_view had = passage.from->lang ? std::string_view(*passage.from->lang) : std::string_view{};
  const std::string_view gets = passage.to_lang.value_or(std::string_view{});
  return had == gets ? std::nullopt : std::optional(had);
}

class Rewriter {
 public:
  Rewriter(std::string& out, const Passage& passage, std::optional<std::string_view> lang)
      : out_(out), passage_(passage), lang_(lang) {}

  void on_start(std::string_view tag, const char** attributes) {
    close_start_tag();
    ++depth_;
    out_ += '<';
    out_ += tag;
    for (const char** attribute = attributes; *attribute != nullptr; attribute += 2) {
      const std::string_view name = attribute[0];
      if (name != "xmlns" && !name.starts_with("xmlns:")) continue;
      const std::string_view uri = translated(attribute[1]);
      put_attribute(name, uri);
      if (name.size() > 6) declared_.push_back({std::string(name.substr(6)), std::string(uri), depth_});
    }
    declare(prefix_of(tag));
    for (const char** attribute = attributes; *attribute != nullptr; attribute += 2) {
      const std::string_view name = attribute[0];
      if (name == "xmlns" || name.starts_with("xmlns:")) continue;
      declare(prefix_of(name));
      if (!is_doubled(attributes, attribute)) put_attribute(name, attribute[1]);
    }
    if (depth_ == 1 && lang_) put_attribute("xml:lang", *lang_);
    is_tag_open_ = true;
  }
  void on_end(std::string_view tag) {
    if (is_tag_open_) {
      out_ += "/>";
      is_tag_open_ = false;
    } else {
      out_ += "</";
      out_ += tag;
      out_ += '>';
    }
    while (!declared_.empty() && declared_.back().depth == depth_) declared_.pop_back();
    --depth_;
  }
  void on_text(std::string_view text) {
    close_start_tag();
    append(out_, text, Place::text);
  }

 private:
  struct Declared {
    std::string prefix, uri;
    std::size_t depth;
  };

  void close_start_tag() {
    if (is_tag_open_) out_ += '>';
    is_tag_open_ = false;
  }
  void put_attribute(std::string_view name, std::string_view value) {
    out_ += ' ';
    out_ += name;
    out_ += "='";
    append(out_, value, Place::attribute);
    out_ += '\'';
  }
  std::string_view translated(std::string_view uri) const noexcept {
    return uri == passage_.from->default_ns() ? passage_.content_ns : uri;
  }
  // Declares a prefix of the old stream header where it is first used.
  void declare(std::string_view prefix) {
    if (prefix.empty() || prefix == "xml") return;
    if (std::ranges::any_of(declared_, [&](const Declared& known) { return known.prefix == prefix; })) return;
    const auto& header = passage_.from->declarations;
    const auto found = std::ranges::find(header, prefix, &Declaration::prefix);
    if (found == header.end()) return;
    const std::string_view uri = translated(found->uri);
    put_attribute("xmlns:" + std::string(prefix), uri);
    declared_.push_back({std::string(prefix), std::string(uri), depth_});
  }
  std::string_view uri_of(std::string_view prefix) const noexcept {
    const auto found = std::find_if(declared_.rbegin(), declared_.rend(),
                                    [&](const Declared& known) { return known.prefix == prefix; });
    return found == declared_.rend() ? std::string_view{} : std::string_view(found->uri);
  }
  // Two attributes that differed by namespace, one of it the translated one, can have become the same: the second goes,
  // or a peer could make us send what ends the other stream.
  bool is_doubled(const char** attributes, const char** attribute) const noexcept {
    const std::string_view prefix = prefix_of(*attribute);
    if (prefix.empty() || prefix == "xml" || uri_of(prefix) != passage_.content_ns) return false;
    const std::string_view local = std::string_view(*attribute).substr(prefix.size() + 1);
    for (; attributes != attribute; attributes += 2) {
      const std::string_view other = prefix_of(*attributes);
      if (other.empty() || other == "xml" || other == "xmlns") continue;
      if (std::string_view(*attributes).substr(other.size() + 1) == local && uri_of(other) == passage_.content_ns)
        return true;
    }
    return false;
  }

  std::string& out_;
  const Passage& passage_;
  std::optional<std::string_view> lang_;
  std::vector<Declared> declared_;  // prefixes in scope in the output; bounded by the parser's limits
  std::size_t depth_ = 0;
  bool is_tag_open_ = false;
};

struct FreedByExpat {
  void operator()(XML_Parser parser) const noexcept { XML_ParserFree(parser); }
};

void append_rewritten(std::string& out, const ElementView& element, const Passage& passage) {
  const std::unique_ptr<XML_ParserStruct, FreedByExpat> expat(XML_ParserCreate("UTF-8"));
  if (!expat) throw std::bad_alloc();
  Rewriter rewriter(out, passage, lang_to_add(element, passage));
  XML_SetUserData(expat.get(), &rewriter);
  XML_SetElementHandler(
      expat.get(),
      [](void* self, const char* tag, const char** attributes) {
        static_cast<Rewriter*>(self)->on_start(tag, attributes);
      },
      [](void* self, const char* tag) { static_cast<Rewriter*>(self)->on_end(tag); });
  XML_SetCharacterDataHandler(expat.get(), [](void* self, const char* text, int size) {
    static_cast<Rewriter*>(self)->on_text({text, static_cast<std::size_t>(size)});
  });
  const XML_Status status =
      XML_Parse(expat.get(), element.bytes.data(), static_cast<int>(element.bytes.size()), XML_TRUE);
  if (status != XML_STATUS_OK) {
    if (XML_GetErrorCode(expat.get()) == XML_ERROR_NO_MEMORY) throw std::bad_alloc();
    std::abort();  // an ElementView that the parser did not make: our own broken promise
  }
}

}  // namespace

void append_escaped(std::string& out, std::string_view text) { append(out, text, Place::attribute); }

std::string escaped(std::string_view text) {
  std::string out;
  append_escaped(out, text);
  return out;
}

bool passes_unchanged(const ElementView& element, const Passage& passage) noexcept {
  return !element.needs_rewriting && !lang_to_add(element, passage);
}

void append_passed(std::string& out, const ElementView& element, const Passage& passage) {
  if (element.needs_rewriting) return append_rewritten(out, element, passage);
  const std::optional<std::string_view> lang = lang_to_add(element, passage);
  out += element.bytes.substr(0, lang ? element.after_name : element.bytes.size());
  if (!lang) return;
  out += " xml:lang='";
  append_escaped(out, *lang);
  out += '\'';
  out += element.bytes.substr(element.after_name);
}

}  // namespace ligase::xml
