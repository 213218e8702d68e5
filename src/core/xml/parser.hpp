// The one XML parser: streaming, restricted XML (RFC 6120 §11), namespace-aware, bounded. It gives the stream header and
// each first-level element with the exact bytes it came in, so that a stanza can be passed on as those very bytes.
// It never resolves an entity, never reads a DTD, never recurses. expat does the scanning; nobody else sees expat.
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/reason.hpp"
#include "stream/stream_error.hpp"

namespace ligase::xml {

// What becomes of a first-level element over Limits::stanza_size (AB-010).
enum class Oversize : std::uint8_t {
  ends_the_stream,  // policy-violation, once the limit is passed
  costs_itself,     // discarded while it is counted; the sink is told of it at its end, without bytes
};

struct Limits {
  std::size_t stanza_size = 16 * 1024;  // one first-level element; raised by set_stanza_size() once a pair is proven
  std::size_t depth = 128;              // the stream's root is depth 1
  std::size_t attributes = 256;         // of one element, namespace declarations counted too
  std::size_t start_tag = 64 * 1024;
  std::size_t name = 1024;  // one element or attribute name, prefix included
  // What a stanza can inherit of the stream header, all together: prefixes, namespace names, xml:lang. Each may be written
  // again on every stanza that is passed on, so this bounds what a stanza grows by (AB-180).
  std::size_t inherited = 4096;
  Oversize oversize = Oversize::ends_the_stream;
  // Of one element that is discarded: bytes, and the names behind stanza_size that expat must remember to read on.
  std::size_t discarded = 16 * 1024 * 1024, discarded_names = 128 * 1024;
};

struct Declaration {  // a namespace declaration; prefix "" is the default namespace
  std::string prefix, uri;
  bool operator==(const Declaration&) const = default;
};

// The stream's root start tag, values decoded. Attributes absent from the tag are nullopt.
struct Header {
  std::string name, ns;  // "stream", "http://etherx.jabber.org/streams"
  std::optional<std::string> to, from, id, version, lang;
  std::vector<Declaration> declarations;
  std::string_view default_ns() const noexcept;  // the content namespace: "" if none declared
};

// One first-level element, where it lies. All views are valid until Sink::element() returns.
struct ElementView {
  std::string_view bytes;     // from '<' to '>' inclusive: exactly what came; empty if it was discarded (AB-010)
  std::string_view name, ns;  // expanded name
  // The content namespace that it stands in: its own, if that is one, else the header's default. It is what is translated
  // where the element is passed on.
  std::string_view own_ns;
  // Attributes in no namespace, decoded; nullopt: absent. `lang` is xml:lang.
  std::optional<std::string_view> to, from, id, type, lang;
  // Offset in `bytes` right behind the element's qualified name: where an attribute can be inserted.
  std::size_t after_name = 0;
  // True if the bytes mean something else in another stream: a prefix is used that is declared on the stream header,
  // or `own_ns` is declared by name, on it or inside (XML-04). Then append_passed(), not `bytes`.
  bool needs_rewriting = false;
  // Why no stream that others share, and no link, may be given this element; nullopt: nothing against it. It costs itself
  // alone: its sender is answered (AB-181).
  std::optional<Reason> cannot_pass;
};

enum class Take : std::uint8_t {
  more,  // go on with the next element
  stop,  // this element is taken; give nothing further of this feed until resume()
};

class Sink {
 public:
  virtual ~Sink() = default;
  virtual Take header(const Header& header) = 0;
  virtual Take element(const ElementView& element) = 0;
  virtual void close() = 0;  // </stream:stream>; whatever follows it is ignored (AB-032)
};

struct Fed {
  enum class State : std::uint8_t { more, stopped, closed, failed };
  State state = State::more;
  std::size_t unconsumed = 0;        // stopped: bytes given to feed() that lie behind the last element taken
  std::optional<StreamFault> fault;  // failed: the stream error to answer with
};

class Parser {
 public:
  explicit Parser(Limits limits);
  ~Parser();
  Parser(Parser&&) noexcept;
  Parser& operator=(Parser&&) noexcept;

  // Any split of the input gives the same calls (XML-02). After `failed` or `closed` further calls return the same.
  Fed feed(std::string_view bytes, Sink& sink);
  // Goes on behind a `stopped`, with the bytes already given.
  Fed resume(Sink& sink);
  // A new stream begins (RFC 6120 §4.3.3): forgets everything, unconsumed bytes too.
  void restart();
  void set_stanza_size(std::size_t bytes, Oversize oversize) noexcept;
  // An element has begun that is over the limit and not kept.
  bool is_discarding() const noexcept;
  std::size_t buffered() const noexcept;  // bytes held of an unfinished element
  const Header& header() const noexcept;  // the last one seen

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// A small element as a tree, for stream-level elements only (features, SASL, dialback, errors); never for payloads that
// are passed on. Text is that of direct children, concatenated.
struct Node {
  std::string name, ns;
  struct Attribute {
    std::string name, ns, value;
  };
  std::vector<Attribute> attributes;
  std::string text;
  std::vector<Node> children;

  std::optional<std::string_view> attribute(std::string_view name) const noexcept;  // in no namespace
  const Node* child(std::string_view name, std::string_view ns) const noexcept;     // the first
};
// `declarations`: those of the stream header the element stood in. nullopt if it is not well-formed, deeper than 16 or
// has over 256 elements.
std::optional<Node> to_node(std::string_view bytes, const std::vector<Declaration>& declarations);

}  // namespace ligase::xml
