// Passing an element on to a stream with another namespace context: its bytes with a few edits, found by
// expat's events, so nothing recurses; what is read here was read by the parser before.
#include "xml/writer.hpp"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <new>
#include <set>

#include "xml/context.hpp"
#include "xml/escape.hpp"
#include "xml/expat.hpp"
#include "xml/scope.hpp"
#include "xml/start_tag.hpp"

namespace ligase::xml {
namespace {

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

void append_lang(std::string& out, std::string_view lang) {
  out += " xml:lang='";
  append_escaped(out, lang);
  out += '\'';
}

// Copies an element's very bytes and changes three things on the way: the element's own namespace where it is declared by name;
// on its start tag, what it inherits of the old header and uses, once; and an attribute that has become another's double.
// So it grows by what the header can give, which is bounded, and by nothing that is repeated (AB-180).
class Rewriter {
 public:
  Rewriter(std::string& out, const ElementView& element, const Passage& passage)
      : out_(out), element_(element), passage_(passage), lang_(lang_to_add(element, passage)) {}

  // A start tag of the element: where it lies in its bytes, and expat's names and values, decoded, in their order.
  void on_start(std::size_t at, std::size_t size, const char** attributes) {
    ++depth_;
    StartTag tag(element_.bytes.substr(at, size));
    const std::string_view name = tag.name();
    raw_.clear();
    while (const auto attribute = tag.next()) raw_.push_back({*attribute});
    for (std::size_t i = 0; i < raw_.size(); ++i) {
      const bool is_default = raw_[i].name == "xmlns";
      if (!is_default && !raw_[i].name.starts_with("xmlns:")) continue;
      const std::string_view uri = attributes[2 * i + 1];
      if (!is_default) scope_.declare(raw_[i].name.substr(6), depth_, kind_of(uri));
      raw_[i].is_own_ns = uri == element_.own_ns;
    }
    if (depth_ == 1) {
      copy_to(at + 1 + name.size());
      insert_at_ = out_.size();
    }
    use(prefix_of(name));
    in_content_.clear();
    for (const RawAttribute& attribute : raw_) {
      if (attribute.is_own_ns) replace(attribute.value, passage_.content_ns);
      const std::string_view prefix = prefix_of(attribute.name);
      if (prefix.empty() || prefix == "xml" || prefix == "xmlns") continue;
      // Two that differed by namespace, one of it the translated one, can have become the same: the second goes, or a
      // peer could make us send what ends the other stream.
      if (use(prefix) == Kind::content && !in_content_.insert(attribute.name.substr(prefix.size() + 1)).second)
        replace(attribute.whole, {});
    }
  }
  void on_end() {
    scope_.leave(depth_);
    --depth_;
  }
  void finish() {
    copy_to(element_.bytes.size());
    std::string added;
    for (const Declaration* declaration : used_) {
      const std::string_view uri = declaration->uri;
      append_declaration(added, declaration->prefix, uri == element_.own_ns ? passage_.content_ns : uri);
    }
    if (lang_) append_lang(added, *lang_);
    out_.insert(insert_at_, added);
  }

 private:
  enum class Kind : std::uint8_t { content, other };  // of a namespace, in the output
  struct RawAttribute : StartTag::Attribute {
    bool is_own_ns = false;  // declares the element's own namespace
  };
  Kind kind_of(std::string_view uri) const noexcept {
    return uri == element_.own_ns || uri == passage_.content_ns ? Kind::content : Kind::other;
  }
  // A prefix is used: what it stands for, and, where the old header declares it, noted for the start tag.
  Kind use(std::string_view prefix) {
    if (prefix.empty() || prefix == "xml") return Kind::other;
    if (const Kind* known = scope_.find(prefix)) return *known;
    if (const Kind* known = inherited_.find(prefix)) return *known;
    const auto found = std::ranges::find(passage_.from->declarations, prefix, &Declaration::prefix);
    if (found == passage_.from->declarations.end()) return Kind::other;
    used_.push_back(&*found);
    inherited_.declare(prefix, 0, kind_of(found->uri));
    return kind_of(found->uri);
  }
  void copy_to(std::size_t end) {
    if (end <= copied_) return;
    out_ += element_.bytes.substr(copied_, end - copied_);
    copied_ = end;
  }
  void replace(std::string_view part, std::string_view instead) {
    copy_to(static_cast<std::size_t>(part.data() - element_.bytes.data()));
    out_ += instead;
    copied_ += part.size();
  }

  std::string& out_;
  const ElementView& element_;
  const Passage& passage_;
  std::optional<std::string_view> lang_;
  Scope<Kind> scope_, inherited_;  // prefixes declared in the element; those of the header that it uses
  std::vector<const Declaration*> used_;
  std::vector<RawAttribute> raw_;                       // of the tag at hand
  std::set<std::string_view, CountedLess> in_content_;  // local names of its attributes in the content namespace
  std::size_t depth_ = 0, copied_ = 0, insert_at_ = 0;
};

void append_rewritten(std::string& out, const ElementView& element, const Passage& passage) {
  const Expat expat(XML_ParserCreate("UTF-8"));
  if (!expat) throw std::bad_alloc();
  struct Reading {
    XML_Parser expat;
    Rewriter rewriter;
    Thrown thrown;
  } reading{expat.get(), Rewriter(out, element, passage), {}};
  XML_SetUserData(expat.get(), &reading);
  XML_SetElementHandler(
      expat.get(),
      [](void* data, const char*, const char** attributes) {
        Reading& self = *static_cast<Reading*>(data);
        self.thrown.guard(self.expat,
                          [&] { self.rewriter.on_start(byte_index(self.expat), byte_count(self.expat), attributes); });
      },
      [](void* data, const char*) { static_cast<Reading*>(data)->rewriter.on_end(); });
  const XML_Status status =
      XML_Parse(expat.get(), element.bytes.data(), static_cast<int>(element.bytes.size()), XML_TRUE);
  reading.thrown.rethrow();
  if (status != XML_STATUS_OK) {
    if (XML_GetErrorCode(expat.get()) == XML_ERROR_NO_MEMORY) throw std::bad_alloc();
    std::abort();  // an ElementView that the parser did not make: our own broken promise
  }
  reading.rewriter.finish();
}

}  // namespace

bool passes_unchanged(const ElementView& element, const Passage& passage) noexcept {
  return !element.needs_rewriting && !lang_to_add(element, passage);
}

void append_passed(std::string& out, const ElementView& element, const Passage& passage) {
  if (element.needs_rewriting) return append_rewritten(out, element, passage);
  const std::optional<std::string_view> lang = lang_to_add(element, passage);
  out += element.bytes.substr(0, lang ? element.after_name : element.bytes.size());
  if (!lang) return;
  append_lang(out, *lang);
  out += element.bytes.substr(element.after_name);
}

void set_attribute(std::string& element, std::string_view name, std::string_view value) {
  const std::string written = " " + std::string(name) + "='" + escaped(value) + "'";
  StartTag tag(element);
  const std::size_t after_name = 1 + tag.name().size();
  while (const auto attribute = tag.next()) {
    if (attribute->name != name) continue;
    element.replace(static_cast<std::size_t>(attribute->whole.data() - element.data()), attribute->whole.size(),
                    written);
    return;
  }
  element.insert(after_name, written);
}

}  // namespace ligase::xml
