// The inside of the parser, for its three sources: parser.cpp (life), parser_feed.cpp (what expat is given, and when) and
// parser_events.cpp (what is made of what expat says). Internal to xml/; expat's types stay out of it.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "xml/context.hpp"
#include "xml/expat.hpp"
#include "xml/parser.hpp"
#include "xml/scope.hpp"
#include "xml/window.hpp"

namespace ligase::xml {

inline bool is_space(char c) noexcept { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }

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

struct Parser::State {
  explicit State(Limits given);
  ~State();
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  enum class Life : std::uint8_t { running, stopped, closed, failed };
  enum class Tail : std::uint8_t { none, close, restart };  // what a handler could not do while expat was working

  Limits limits;
  XML_ParserStruct* expat;
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
  Values::Slice name, ns, own_ns, to, from, id, type, lang;
  bool needs_rewriting = false;
  bool is_in_cdata = false;
  Position cdata_end = 0;  // of the last section
  std::optional<Reason> cannot_pass;
  bool is_discarding = false;             // the open element is over the limit: read on for its end, kept no more
  std::size_t discarded_names = 0;        // of the open element, behind the limit
  std::size_t own_ns_declared = 0;        // how often the element's own namespace was declared by name
  Scope<> declared;                       // prefixes, inside of the open element
  std::vector<std::string> on_first_tag;  // namespaces it declares that may be its own; bounded by Limits::attributes
  std::size_t new_declarations = 0;
  std::size_t inherited = 0;  // bytes of the header that count for Limits::inherited

  // Runs what a handler of expat's does; after one that threw the parser is of no further use.
  template <class Handler>
  void guarded(Handler handler) noexcept {
    thrown.guard(expat, std::move(handler));
    if (thrown.is_kept()) life = Life::failed;
  }
  Thrown thrown;
  void throw_failure();

  // parser.cpp: life
  void prepare();
  void reset();
  void renew();
  Fed run(bool resumes);
  Fed result() const;
  void fail_with(StreamFault what);
  void stop();
  void keep();

  // parser_feed.cpp: what expat is given
  bool pass_next();
  bool pass_prolog(Position end);
  bool check_encoding(Position end);
  bool check_unfinished();
  Position stanza_bound() const;
  void refuse_at(Position stanza_bound, Position token_bound);
  void pass(Position end);
  void understand(int status);  // an XML_Status
  std::optional<Position> cut_before(Position end);
  std::optional<Position> end_of_tag(Position end);
  std::optional<StreamFault> unfinished_fault(Position where) const;
  bool is_behind_text(Position where) const;

  // parser_events.cpp: what expat says
  bool is_deaf() const { return life == Life::failed || life == Life::closed || is_replaying; }
  Position event_start() const;
  std::size_t event_size() const;
  void expect_text();

  void on_start(std::string_view qualified, const char** attributes);
  void on_header(const ExpandedName& root, const char** attributes);
  void on_end();
  void on_declaration(const char* prefix, const char* uri);
  void on_text(std::string_view text);
  void deliver(Position end);
  bool is_over_names(const char** attributes, std::size_t declarations);
  void use_prefix(std::string_view prefix);
  void look_at_attributes(const char** attributes, bool is_first_level);
};

}  // namespace ligase::xml
