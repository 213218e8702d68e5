// The parser on expat. What is passed to expat, and when, is decided here: only up to the last '>' received, since
// expat scans an unfinished tag again from its start each time, and never past a limit before all before it was judged,
// so that the first fault in the bytes is the one reported, however they were cut (XML-02).
#include "xml/parser.hpp"

#include <expat.h>

#include <algorithm>
#include <cstring>
#include <new>

#include "xml/context.hpp"
#include "xml/fault.hpp"
#include "xml/window.hpp"

namespace ligase::xml {
namespace {

constexpr std::size_t kChunk = 7 * 1024;  // keeps expat's own buffer, this and 1 KiB of context, at 8 KiB
// expat remembers every element and attribute name it ever saw. A new one takes over after so many bytes (P7).
constexpr Position kRenewAfter = 256 * 1024;

bool is_space(char c) noexcept { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }

// Values copied out of expat's memory for the time of one element, without an allocation each.
class Values {
 public:
  struct Slice {
    std::size_t start = 0, size = 0;
    bool is_present = false;
  };
  void clear() noexcept { text_.clear(); }
  Slice add(std::string_view value) {
    const Slice slice{text_.size(), value.size(), true};
    text_ += value;
    return slice;
  }
  std::string_view at(Slice slice) const noexcept { return std::string_view(text_).substr(slice.start, slice.size); }
  std::optional<std::string_view> maybe(Slice slice) const noexcept {
    return slice.is_present ? std::optional(at(slice)) : std::nullopt;
  }

 private:
  std::string text_;
};

}  // namespace

std::string_view Header::default_ns() const noexcept {
  for (const Declaration& declaration : declarations)
    if (declaration.prefix.empty()) return declaration.uri;
  return {};
}

struct Parser::State {
  explicit State(Limits given) : limits(given), expat(XML_ParserCreate_MM("UTF-8", nullptr, &kSeparator)) {
    if (!expat) throw std::bad_alloc();
    prepare();
  }
  ~State() { XML_ParserFree(expat); }
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  enum class Life : std::uint8_t { running, stopped, closed, failed };
  enum class Tail : std::uint8_t { none, close, restart };  // what a handler could not do while expat was working

  Limits limits;
  XML_Parser expat;
  Sink* sink = nullptr;
  Life life = Life::running;
  Tail tail = Tail::none;
  StreamFault fault;

  Window window;             // the bytes at hand, and how far we are in them
  Position passed = 0;       // to expat
  Position searched = 0;     // no '>' from `passed` to here
  Position token_start = 0;  // of the token expat has not finished; == passed if there is none
  Position delivered = 0;    // end of what the sink got last
  Position expat_start = 0;  // the position of expat's byte 0, modulo 2^64
  Position renewed_at = 0;
  bool wants_renewal = false;
  bool is_encoding_checked = false;
  bool is_declared = false;  // the XML declaration came

  // Quotes in an unfinished start tag that has '>' in its attributes.
  Position tag_start = 0, tag_scanned = 0;
  char tag_quote = 0;

  // The stream, and the element that is open.
  Header stream;
  std::string root_name;  // as written
  bool is_begun = false;
  bool is_replaying = false;  // expat reads the stream's context again
  std::size_t depth = 0;
  Position element_start = 0;
  Values values;
  Values::Slice name, ns, to, from, id, type, lang;
  bool needs_rewriting = false;
  struct Declared {
    std::string prefix;
    std::size_t depth;
  };
  std::vector<Declared> declared;  // inside of the open element
  std::size_t declared_count = 0;  // of `declared` in use: its strings are used again
  std::size_t new_declarations = 0;

  void prepare();
  void reset();
  void renew();
  Fed run(bool resumes);
  Fed result() const;
  bool pass_next();
  bool pass_prolog(Position end);
  bool check_encoding(Position end);
  bool check_unfinished();
  void pass(Position end);
  void understand(XML_Status status);
  std::optional<Position> cut_before(Position end);
  std::optional<Position> end_of_tag(Position end);
  bool is_in_comment(Position where) const;
  bool is_behind_text(Position where) const;
  void keep();

  void fail_with(StreamFault what) {
    if (life == Life::failed || life == Life::closed) return;
    fault = std::move(what);
    life = Life::failed;
    XML_StopParser(expat, XML_FALSE);
  }
  void stop() {
    life = Life::stopped;
    XML_StopParser(expat, XML_TRUE);
  }
  bool is_deaf() const { return life == Life::failed || life == Life::closed || is_replaying; }
  Position event_start() const { return expat_start + static_cast<Position>(XML_GetCurrentByteIndex(expat)); }
  std::size_t event_size() const { return static_cast<std::size_t>(XML_GetCurrentByteCount(expat)); }

  void on_start(std::string_view qualified, const char** attributes);
  void on_header(const ExpandedName& root, const char** attributes);
  void on_end();
  void on_declaration(const char* prefix, const char* uri);
  void on_text(std::string_view text);
  void deliver(Position end);
  void use_prefix(std::string_view prefix);
  void look_at_attributes(const char** attributes, bool is_first_level);
};

void Parser::State::prepare() {
  XML_SetReparseDeferralEnabled(expat, XML_FALSE);
  XML_SetReturnNSTriplet(expat, 1);
  XML_SetUserData(expat, this);
  XML_SetElementHandler(
      expat,
      [](void* self, const char* tag, const char** attributes) {
        static_cast<State*>(self)->on_start(tag, attributes);
      },
      [](void* self, const char*) { static_cast<State*>(self)->on_end(); });
  XML_SetStartNamespaceDeclHandler(expat, [](void* self, const char* prefix, const char* uri) {
    static_cast<State*>(self)->on_declaration(prefix, uri);
  });
  XML_SetCommentHandler(expat, [](void* self, const char*) { static_cast<State*>(self)->fail_with(comment_fault()); });
  XML_SetProcessingInstructionHandler(
      expat, [](void* self, const char*, const char*) { static_cast<State*>(self)->fail_with(instruction_fault()); });
  XML_SetStartDoctypeDeclHandler(expat, [](void* self, const char*, const char*, const char*, int) {
    static_cast<State*>(self)->fail_with(doctype_fault());
  });
  XML_SetXmlDeclHandler(expat, [](void* data, const char* version, const char* encoding, int) {
    State& self = *static_cast<State*>(data);
    self.is_declared = true;
    const auto is_utf8_name = [](std::string_view text) {
      constexpr std::string_view utf8 = "utf-8";
      return std::ranges::equal(text, utf8, {}, [](char c) { return c >= 'A' && c <= 'Z' ? char(c - 'A' + 'a') : c; });
    };
    if (version == nullptr || std::strcmp(version, "1.0") != 0)
      self.fail_with({StreamError::not_well_formed, "an XML version other than 1.0"});
    else if (encoding != nullptr && !is_utf8_name(encoding))
      self.fail_with({StreamError::unsupported_encoding, "an encoding other than UTF-8"});
  });
}

void Parser::State::reset() {
  XML_ParserReset(expat, "UTF-8");
  prepare();
  life = Life::running;
  tail = Tail::none;
  fault = {};
  window.clear();
  passed = searched = token_start = delivered = expat_start = renewed_at = 0;
  tag_start = tag_scanned = element_start = 0;
  wants_renewal = is_encoding_checked = is_declared = is_begun = is_replaying = needs_rewriting = false;
  depth = declared_count = new_declarations = 0;
}

// A new expat takes over behind the element delivered last, in the stream's context.
void Parser::State::renew() {
  XML_Parser next = XML_ParserCreate_MM("UTF-8", nullptr, &kSeparator);
  if (!next) throw std::bad_alloc();
  XML_ParserFree(expat);
  expat = next;
  prepare();
  const std::string context = start_tag_in_context(root_name, stream.declarations);
  is_replaying = true;
  XML_Parse(expat, context.data(), static_cast<int>(context.size()), XML_FALSE);
  is_replaying = false;
  XML_SetCharacterDataHandler(expat, [](void* self, const char* text, int size) {
    static_cast<State*>(self)->on_text({text, static_cast<std::size_t>(size)});
  });
  life = Life::running;
  wants_renewal = false;
  renewed_at = passed = searched = token_start = delivered;
  expat_start = delivered - context.size();
}

// ---- What expat is given ----

Fed Parser::State::run(bool resumes) {
  if (resumes && tail == Tail::close) {
    life = Life::closed;
    sink->close();
  } else if (resumes && wants_renewal) {
    renew();
  } else if (resumes) {
    understand(XML_ResumeParser(expat));
  }
  while (life == Life::running && pass_next()) {
  }
  keep();
  sink = nullptr;
  if (tail == Tail::restart) reset();
  return result();
}

Fed Parser::State::result() const {
  switch (life) {
    case Life::running:
      return {};
    case Life::stopped:
      return {Fed::State::stopped, static_cast<std::size_t>(window.end() - delivered), std::nullopt};
    case Life::closed:
      return {Fed::State::closed, 0, std::nullopt};
    case Life::failed:
      return {Fed::State::failed, 0, fault};
  }
  return {};
}

bool Parser::State::pass_next() {
  const Position end = window.end();
  if (passed == end) return false;
  if (!is_begun) return pass_prolog(end);
  const bool is_inside = depth > 1;
  const Position stanza_bound = (is_inside ? element_start : token_start) + limits.stanza_size;
  const Position token_bound = token_start + limits.start_tag;
  const Position bound = std::min(stanza_bound, token_bound);
  std::optional<Position> cut = cut_before(std::min(end, bound));
  // Between elements there is nothing to wait for but a tag.
  if (!cut && !is_inside && window.at(passed) != '<' && (token_start == passed || window.at(token_start) != '<'))
    cut = window.find('<', passed, std::min(end, bound)).value_or(std::min(end, bound));
  if (!cut && end > bound) {
    if (passed >= bound) {
      fail_with(stanza_bound <= token_bound ? too_much("a stanza", limits.stanza_size, "bytes")
                                            : too_much("a start tag", limits.start_tag, "bytes"));
      return false;
    }
    cut = bound;
  }
  if (!cut) return false;
  pass(*cut);
  return life == Life::running && check_unfinished();
}

// Before the stream header: one token at a time, so that nothing behind a document type is ever looked at (AB-001).
bool Parser::State::pass_prolog(Position end) {
  if (!is_encoding_checked && !check_encoding(end)) return false;
  if (token_start == passed) {
    if (window.at(passed) != '<') {
      if (!is_space(window.at(passed))) {
        fail_with({StreamError::not_well_formed, "text before the stream's start tag"});
        return false;
      }
      Position next = passed;
      while (next < end && is_space(window.at(next))) ++next;
      pass(next);
      token_start = passed;
      return life == Life::running;
    }
    if (window.has_at(passed, "<!")) {
      if (end - passed < 3) return false;
      const char third = window.at(passed + 2);
      fail_with(third == 'D'   ? doctype_fault()
                : third == '-' ? comment_fault()
                               : fault_of_expat(XML_ERROR_INVALID_TOKEN));
      return false;
    }
  }
  const Position bound = token_start + limits.start_tag;
  const Position limit = std::min(end, bound);
  std::optional<Position> cut;
  if (token_start < passed) {
    cut = end_of_tag(limit);
  } else if (const auto found = window.find('>', std::max(passed, searched), limit)) {
    cut = *found + 1;
  } else {
    searched = limit;
  }
  if (!cut && end > bound) {
    if (passed >= bound) {
      fail_with(too_much("a start tag", limits.start_tag, "bytes"));
      return false;
    }
    cut = bound;
  }
  if (!cut) return false;
  const bool was_declared = is_declared;
  pass(*cut);
  if (life != Life::running) return false;
  if (!is_begun && is_declared != was_declared) token_start = passed;
  return check_unfinished();
}

// expat would follow a mark or NULs to UTF-16 whatever encoding it was created with (AB-004).
bool Parser::State::check_encoding(Position end) {
  const auto refuse = [&](const char* what) {
    fail_with({StreamError::unsupported_encoding, what});
    return false;
  };
  const char first = window.at(0);
  if (first == '\0' || first == '\xFE' || first == '\xFF') return refuse("an encoding other than UTF-8");
  if (first == '\xEF') return refuse("a byte order mark");
  if (end < 2) return false;
  if (window.at(1) == '\0') return refuse("an encoding other than UTF-8");
  is_encoding_checked = true;
  return true;
}

// A comment or processing instruction that expat waits for the end of: refused now, whatever its end may be.
bool Parser::State::check_unfinished() {
  if (token_start == passed) return true;
  if (token_start == 0 && window.has_at(0, "<?xml")) return true;  // its own size bounds it
  if (window.has_at(token_start, "<?")) {
    const bool is_declaration =
        window.has_at(token_start, "<?xml") && token_start + 5 < window.end() && is_space(window.at(token_start + 5));
    fail_with(is_declaration ? second_declaration_fault() : instruction_fault());
  } else if (window.has_at(token_start, "<!--")) {
    fail_with(comment_fault());
  }
  return life == Life::running;
}

void Parser::State::pass(Position end) {
  // Two calls where a piece kept from before is followed by fresh bytes.
  while (passed < end && life == Life::running) {
    const std::string_view piece = window.piece(passed, end);
    passed += piece.size();
    understand(XML_Parse(expat, piece.data(), static_cast<int>(piece.size()), XML_FALSE));
  }
}

void Parser::State::understand(XML_Status status) {
  if (life == Life::failed || life == Life::closed) return;
  switch (status) {
    case XML_STATUS_ERROR: {
      const XML_Error code = XML_GetErrorCode(expat);
      if (code == XML_ERROR_INVALID_TOKEN) {
        // What stands at this position was no token; in a comment or before a document type it is neither's business.
        const Position where = event_start();
        if (where >= window.start() + 2 && where < window.end() && window.at(where) == 'D' &&
            window.has_at(where - 2, "<!"))
          return fail_with(doctype_fault());
        if (is_in_comment(where)) return fail_with(comment_fault());
        // expat refuses "text]]>" whole, and "text" already when it comes alone.
        if (is_begun && depth == 1 && is_behind_text(where)) return fail_with(text_fault());
      }
      return fail_with(fault_of_expat(code));
    }
    case XML_STATUS_SUSPENDED:
      if (wants_renewal && life == Life::running) renew();
      return;
    case XML_STATUS_OK:
      if (is_begun && life == Life::running) token_start = std::min(event_start(), passed);
      return;
  }
}

// True if a comment began before `where` and has not ended.
bool Parser::State::is_in_comment(Position where) const {
  for (Position i = std::min(where, window.end()); i > window.start(); --i) {
    if (window.has_at(i - 1, "<!--")) return true;
    if (window.has_at(i - 1, "]]>")) return false;
  }
  return false;
}

// True if what follows the last element, up to `where`, begins as text.
bool Parser::State::is_behind_text(Position where) const {
  Position i = std::max(delivered, window.start());
  while (i < where && is_space(window.at(i))) ++i;
  return i < where && window.at(i) != '<';
}

// Behind the last '>' before `end`, or behind an unfinished tag's own '>'.
std::optional<Position> Parser::State::cut_before(Position end) {
  if (token_start < passed && window.at(token_start) == '<') return end_of_tag(end);
  const Position start = std::max(passed, searched);
  if (start >= end) return std::nullopt;
  const Position chunk = std::min(end, passed + kChunk);
  std::optional<Position> found;
  if (chunk > start) found = window.find_last('>', start, chunk);
  if (!found && end > chunk) found = window.find('>', std::max(start, chunk), end);
  if (found) return *found + 1;
  searched = end;
  return std::nullopt;
}

// '>' may stand inside of attribute values. Passing such a tag on at each of them would be quadratic (AB-013).
std::optional<Position> Parser::State::end_of_tag(Position end) {
  if (tag_start != token_start || tag_scanned < token_start) {
    tag_start = tag_scanned = token_start;
    tag_quote = 0;
  }
  while (tag_scanned < end) {
    const char c = window.at(tag_scanned++);
    if (tag_quote != 0) {
      if (c == tag_quote) tag_quote = 0;
    } else if (c == '\'' || c == '"') {
      tag_quote = c;
    } else if (c == '>' && tag_scanned > passed) {
      return tag_scanned;
    }
  }
  return std::nullopt;
}

// The caller's bytes go; what is still needed of them stays.
void Parser::State::keep() {
  Position needed = window.end();
  if (life == Life::stopped) {
    needed = delivered;
  } else if (life == Life::running) {
    needed = std::min(token_start, passed);
    if (is_begun && depth > 1) needed = std::min(needed, element_start);
  }
  window.keep_from(needed);
}

// ---- What expat says ----

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
  if (depth == 1) {
    if (declarations == 0) stream.declarations.clear();
    return on_header(element, attributes);
  }
  if (depth == 2) {
    XML_SetCharacterDataHandler(expat, nullptr);
    element_start = event_start();
    values.clear();
    name = values.add(element.name);
    ns = values.add(element.ns);
    to = from = id = type = lang = {};
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
  for (std::size_t i = 0; i < declared_count; ++i)
    if (declared[i].prefix == prefix) return;
  needs_rewriting = true;  // declared on the stream header
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
  is_begun = true;
  delivered = event_start() + event_size();
  XML_SetCharacterDataHandler(expat, [](void* self, const char* text, int size) {
    static_cast<State*>(self)->on_text({text, static_cast<std::size_t>(size)});
  });
  if (sink->header(stream) == Take::stop && life == Life::running) stop();
}

void Parser::State::on_declaration(const char* prefix, const char* uri) {
  if (is_deaf()) return;
  ++new_declarations;
  const std::string_view name_space = uri == nullptr ? "" : uri;
  const std::string_view short_name = prefix == nullptr ? "" : prefix;
  if (depth == 0) {
    if (new_declarations == 1) stream.declarations.clear();
    if (new_declarations <= limits.attributes)
      stream.declarations.push_back({std::string(short_name), std::string(name_space)});
    return;
  }
  if (name_space == stream.default_ns()) needs_rewriting = true;
  if (short_name.empty()) return;
  if (declared_count == declared.size()) declared.emplace_back();
  declared[declared_count].prefix = short_name;
  declared[declared_count++].depth = depth + 1;
}

void Parser::State::on_end() {
  if (is_deaf()) return;
  while (declared_count > 0 && declared[declared_count - 1].depth == depth) --declared_count;
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

void Parser::State::deliver(Position end) {
  XML_SetCharacterDataHandler(expat, [](void* self, const char* text, int size) {
    static_cast<State*>(self)->on_text({text, static_cast<std::size_t>(size)});
  });
  if (end - element_start > limits.stanza_size) return fail_with(too_much("a stanza", limits.stanza_size, "bytes"));
  ElementView view;
  view.bytes = window.contiguous(element_start, end);
  view.name = values.at(name);
  view.ns = values.at(ns);
  view.to = values.maybe(to);
  view.from = values.maybe(from);
  view.id = values.maybe(id);
  view.type = values.maybe(type);
  view.lang = values.maybe(lang);
  view.after_name = 1;
  while (!is_space(view.bytes[view.after_name]) && view.bytes[view.after_name] != '/' &&
         view.bytes[view.after_name] != '>')
    ++view.after_name;
  view.needs_rewriting = needs_rewriting;
  needs_rewriting = false;
  declared_count = 0;
  delivered = end;
  const Take take = sink->element(view);
  if (life != Life::running) return;
  wants_renewal = end - renewed_at >= kRenewAfter;
  if (take == Take::stop) return stop();
  if (wants_renewal) XML_StopParser(expat, XML_TRUE);
}

void Parser::State::on_text(std::string_view text) {
  if (is_deaf() || depth != 1) return;
  if (!std::ranges::all_of(text, is_space)) fail_with(text_fault());
}

// ---- The outside ----

Parser::Parser(Limits limits) : state_(std::make_unique<State>(limits)) {}
Parser::~Parser() = default;
Parser::Parser(Parser&&) noexcept = default;
Parser& Parser::operator=(Parser&&) noexcept = default;

Fed Parser::feed(std::string_view bytes, Sink& sink) {
  State& state = *state_;
  if (state.life == State::Life::closed || state.life == State::Life::failed) return state.result();
  state.window.feed(bytes);
  if (state.life == State::Life::stopped) {
    state.keep();
    return state.result();
  }
  state.sink = &sink;
  return state.run(false);
}

Fed Parser::resume(Sink& sink) {
  State& state = *state_;
  if (state.life != State::Life::stopped) return state.result();
  state.life = State::Life::running;
  state.sink = &sink;
  return state.run(true);
}

void Parser::restart() {
  if (state_->sink == nullptr) return state_->reset();
  state_->tail = State::Tail::restart;  // from within a call of the sink: when expat has returned
  if (state_->life == State::Life::running) state_->stop();
}

void Parser::set_stanza_size(std::size_t bytes) noexcept { state_->limits.stanza_size = bytes; }
std::size_t Parser::buffered() const noexcept { return state_->window.held(); }
const Header& Parser::header() const noexcept { return state_->stream; }

}  // namespace ligase::xml
