// What is made of what expat says: the header, the elements below it, and the limits that count names, attributes and
// depth (RFC 6120 §11, XML-03). Nothing in here allocates for an ordinary stanza.
#include <expat.h>

#include <algorithm>

#include "xml/escape.hpp"
#include "xml/fault.hpp"
#include "xml/parser_state.hpp"

namespace ligase::xml {
namespace {
// expat remembers every element and attribute name it ever saw. A new one takes over after so many bytes (P7), or after this
// many times the largest stanza: what a stranger's stream holds is less (AB-183).
constexpr Position kRenewAfter = 256 * 1024, kRenewAfterStanzas = 4;
// RFC 6120 §4.8.2, XEP-0114: between these a stanza is translated.
constexpr std::string_view kContentNamespaces[] = {"jabber:server", "jabber:client", "jabber:component:accept"};
constexpr std::size_t kLongestContentNs = kContentNamespaces[2].size();
constexpr std::size_t kDeclarationMarkup = std::string_view(" xmlns:=''").size();

// Parsers of the field keep a namespace and a name in one text, with one of these between; such a name in a stanza would
// end another's stream or link (AB-181).
bool has_separator(std::string_view uri) noexcept {
  for (std::size_t i = 0; i < uri.size(); ++i) {
    const auto byte = static_cast<unsigned char>(uri[i]);
    if (byte <= 0x20 || byte == 0x7F || byte == '{' || byte == '}' || byte == '|') return true;
    const bool is_c1 = byte == 0xC2 && i + 1 < uri.size() && static_cast<unsigned char>(uri[i + 1]) < 0xA0;
    if (is_c1) return true;
  }
  return false;
}
}  // namespace

Position Parser::State::event_start() const { return expat_start + byte_index(expat); }
std::size_t Parser::State::event_size() const { return byte_count(expat); }

// Between elements only: inside of them nobody asks for the text.
void Parser::State::expect_text() {
  XML_SetCharacterDataHandler(expat, [](void* self, const char* text, int size) {
    State& state = *static_cast<State*>(self);
    state.guarded([&] { state.on_text({text, static_cast<std::size_t>(size)}); });
  });
}

void Parser::State::on_start(std::string_view qualified, const char** attributes) {
  if (is_deaf()) return;
  const ExpandedName element = expanded(qualified);
  const std::size_t tag_size = event_size();
  const std::size_t declarations = new_declarations;
  new_declarations = 0;
  if (++depth > limits.depth) return fail_with(too_much("a nesting", limits.depth, "elements"));
  if (tag_size > limits.start_tag) return fail_with(too_much("a start tag", limits.start_tag, "bytes"));
  const auto is_name_too_long = [&](const ExpandedName& given) {
    return given.name.size() + given.prefix.size() + 1 > limits.name;
  };
  if (tag_size > limits.name && is_name_too_long(element)) return fail_with(too_much("a name", limits.name, "bytes"));
  if (tag_size > std::min(limits.name, limits.attributes)) {
    std::size_t count = declarations;
    for (const char** attribute = attributes; *attribute != nullptr; attribute += 2, ++count)
      if (is_name_too_long(expanded(*attribute))) return fail_with(too_much("a name", limits.name, "bytes"));
    if (count > limits.attributes)
      return fail_with(too_much("a start tag", limits.attributes, "attributes and namespace declarations"));
  }
  if (depth > 2 && passed > element_start + limits.stanza_size && is_over_names(attributes, declarations))
    return fail_with(too_much("a stanza over the limit", limits.discarded_names, "names"));
  if (depth == 1) {
    if (declarations == 0) stream.declarations.clear();
    return on_header(element, attributes);
  }
  if (depth == 2) {
    XML_SetCharacterDataHandler(expat, nullptr);
    element_start = event_start();
    discarded_names = 0;
    values.clear();
    name = values.add(element.name);
    ns = values.add(element.ns);
    to = from = id = type = lang = {};
    const bool names_content = std::ranges::find(kContentNamespaces, element.ns) != std::end(kContentNamespaces);
    own_ns = values.add(names_content ? element.ns : stream.default_ns());
    for (const auto& uri : on_first_tag) own_ns_declared += uri == values.at(own_ns);
    on_first_tag.clear();
    if (own_ns_declared > 0) needs_rewriting = true;
  }
  use_prefix(element.prefix);
  look_at_attributes(attributes, depth == 2);
}

void Parser::State::look_at_attributes(const char** attributes, bool is_first_level) {
  for (; *attributes != nullptr; attributes += 2) {
    const ExpandedName attribute = expanded(attributes[0]);
    if (attribute.ns.empty()) {
      if (!is_first_level) continue;
      Values::Slice* slice = attribute.name == "to"     ? &to
                             : attribute.name == "from" ? &from
                             : attribute.name == "id"   ? &id
                             : attribute.name == "type" ? &type
                                                        : nullptr;
      if (slice != nullptr) *slice = values.add(attributes[1]);
    } else if (attribute.ns == kXmlNamespace) {
      if (is_first_level && attribute.name == "lang") lang = values.add(attributes[1]);
    } else {
      use_prefix(attribute.prefix);
    }
  }
}

void Parser::State::use_prefix(std::string_view prefix) {
  if (prefix.empty() || prefix == "xml" || needs_rewriting) return;
  if (declared.find(prefix) == nullptr) needs_rewriting = true;  // declared on the stream header
}

void Parser::State::on_header(const ExpandedName& root, const char** attributes) {
  stream.name = root.name;
  stream.ns = root.ns;
  stream.to = stream.from = stream.id = stream.version = stream.lang = std::nullopt;
  root_name = root.prefix.empty() ? std::string(root.name) : std::string(root.prefix) + ":" + std::string(root.name);
  for (; *attributes != nullptr; attributes += 2) {
    const ExpandedName attribute = expanded(attributes[0]);
    const char* value = attributes[1];
    if (attribute.ns == kXmlNamespace && attribute.name == "lang") stream.lang = value;
    if (!attribute.ns.empty()) continue;
    if (attribute.name == "to") stream.to = value;
    if (attribute.name == "from") stream.from = value;
    if (attribute.name == "id") stream.id = value;
    if (attribute.name == "version") stream.version = value;
  }
  if (stream.lang) inherited += kDeclarationMarkup + escaped(*stream.lang).size();
  if (inherited > limits.inherited)
    return fail_with(too_much("a stream header's namespaces and language", limits.inherited, "bytes"));
  is_begun = true;
  delivered = event_start() + event_size();
  expect_text();
  if (sink->header(stream) == Take::stop && life == Life::running) stop();
}

void Parser::State::on_declaration(const char* prefix, const char* uri) {
  if (is_deaf()) return;
  ++new_declarations;
  const std::string_view name_space = uri == nullptr ? "" : uri;
  const std::string_view short_name = prefix == nullptr ? "" : prefix;
  if (depth == 0) {
    if (new_declarations == 1) {
      stream.declarations.clear();
      inherited = 0;
    }
    inherited += kDeclarationMarkup + short_name.size() + escaped(name_space).size();
    if (has_separator(name_space)) return fail_with(separator_fault());
    if (new_declarations <= limits.attributes && inherited <= limits.inherited)
      stream.declarations.push_back({std::string(short_name), std::string(name_space)});
    return;
  }
  if (has_separator(name_space)) cannot_pass = Reason::stanza_invalid;
  if (depth == 1) {
    const bool may_be_own = name_space == stream.default_ns() ||
                            std::ranges::find(kContentNamespaces, name_space) != std::end(kContentNamespaces);
    if (may_be_own) on_first_tag.emplace_back(name_space);
  } else if (name_space == values.at(own_ns)) {
    needs_rewriting = true;
    ++own_ns_declared;
  }
  if (!short_name.empty()) declared.declare(short_name, depth + 1);
}

void Parser::State::on_end() {
  if (is_deaf()) return;
  declared.leave(depth);
  --depth;
  if (depth > 1) return;
  if (depth == 1) return deliver(event_start() + event_size());
  if (life == Life::stopped) {  // <stream:stream/>, and the sink stopped at the header
    tail = Tail::close;
    return;
  }
  life = Life::closed;
  sink->close();
  XML_StopParser(expat, XML_FALSE);
}

// expat remembers each, until a new one takes over at the element's end (AB-010).
bool Parser::State::is_over_names(const char** attributes, std::size_t declarations) {
  if (event_start() < element_start + limits.stanza_size) return false;
  discarded_names += 1 + declarations;
  for (const char** attribute = attributes; *attribute != nullptr; attribute += 2) ++discarded_names;
  return discarded_names > limits.discarded_names;
}

void Parser::State::deliver(Position end) {
  expect_text();
  const bool is_too_big = is_discarding || end - element_start > limits.stanza_size;
  if (is_too_big && limits.oversize == Oversize::ends_the_stream)
    return fail_with(too_much("a stanza", limits.stanza_size, "bytes"));
  ElementView view;
  if (is_too_big) {
    needs_rewriting = is_discarding = false;
    cannot_pass = Reason::stanza_too_big;
  } else {
    view.bytes = window.contiguous(element_start, end);
    view.after_name = 1;
    while (!is_space(view.bytes[view.after_name]) && view.bytes[view.after_name] != '/' &&
           view.bytes[view.after_name] != '>')
      ++view.after_name;
  }
  view.name = values.at(name);
  view.ns = values.at(ns);
  view.to = values.maybe(to);
  view.from = values.maybe(from);
  view.id = values.maybe(id);
  view.type = values.maybe(type);
  view.lang = values.maybe(lang);
  view.needs_rewriting = needs_rewriting;
  // What is passed on is the element and at most Limits::inherited (AB-180): what the header gives it, and its own
  // namespace wherever that is declared by name, which may be longer in the other stream.
  if (needs_rewriting && inherited + own_ns_declared * kLongestContentNs > limits.inherited)
    cannot_pass = Reason::stanza_invalid;
  view.cannot_pass = cannot_pass;
  view.own_ns = values.at(own_ns);
  needs_rewriting = false;
  cannot_pass = std::nullopt;
  own_ns_declared = 0;
  delivered = end;
  const Take take = sink->element(view);
  if (life != Life::running) return;
  wants_renewal = end - renewed_at >= std::min<Position>(kRenewAfter, kRenewAfterStanzas * limits.stanza_size);
  if (take == Take::stop) return stop();
  if (wants_renewal) XML_StopParser(expat, XML_TRUE);
}

void Parser::State::on_text(std::string_view text) {
  if (is_deaf() || depth != 1) return;
  if (!std::ranges::all_of(text, is_space)) fail_with(text_fault());
}

}  // namespace ligase::xml
