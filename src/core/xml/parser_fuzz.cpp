// Fuzz target of the parser and the writer. What must hold of any bytes: whole and in pieces they give the same calls and
// end alike (XML-02); each element's bytes lie in the input, in order (XML-03); what is passed on is read in its new stream as
// what it was (XML-04, XML-06) and is hardly larger (AB-180); what is discarded is not held (AB-010).
#include <cstdint>
#include <cstdlib>
#include <string>

#include "xml/parser.hpp"
#include "xml/recorder_for_tests.hpp"
#include "xml/writer.hpp"

namespace {

using namespace ligase::xml;

void require(bool holds) {
  if (!holds) std::abort();
}

constexpr std::string_view kTarget = "jabber:component:accept";
const std::vector<Declaration> kTargetContext = {{"", std::string(kTarget)},
                                                 {"stream", "http://etherx.jabber.org/streams"}};

// True if `there` is `here` with the stream's own namespace replaced.
bool is_same(const Node& here, const Node& there, std::string_view own_ns) {
  const auto is_same_ns = [&](std::string_view a, std::string_view b) { return a == own_ns ? b == kTarget : a == b; };
  if (here.name != there.name || !is_same_ns(here.ns, there.ns) || here.text != there.text) return false;
  if (here.children.size() != there.children.size()) return false;
  for (const Node::Attribute& attribute : here.attributes) {
    bool is_there = false;
    for (const Node::Attribute& other : there.attributes)
      is_there |= attribute.name == other.name && attribute.value == other.value &&
                  (attribute.ns.empty() ? other.ns.empty() : is_same_ns(attribute.ns, other.ns));
    if (!is_there) return false;
  }
  for (std::size_t i = 0; i < here.children.size(); ++i)
    if (!is_same(here.children[i], there.children[i], own_ns)) return false;
  return true;
}

struct Checker : Recorder {
  std::string_view input;
  std::size_t position = 0;
  Header stream;

  Take header(const Header& header) override {
    stream = header;
    return Recorder::header(header);
  }
  Take element(const ElementView& element) override {
    if (element.bytes.empty()) {
      require(element.cannot_pass == ligase::Reason::stanza_too_big && !element.needs_rewriting);
      return Recorder::element(element);
    }
    const std::size_t found = input.find(element.bytes, position);
    require(found != std::string_view::npos);
    position = found + element.bytes.size();
    require(element.bytes.front() == '<' && element.bytes.back() == '>' && element.after_name < element.bytes.size());
    passes_on(element);
    return Recorder::element(element);
  }
  void passes_on(const ElementView& element) const {
    std::string out;
    const Passage passage{&stream, kTarget, std::nullopt};
    append_passed(out, element, passage);
    if (!element.cannot_pass) require(out.size() <= element.bytes.size() + Limits{}.inherited);
    if (passes_unchanged(element, passage)) require(out == element.bytes);
    // Where the target's namespace is named by the peer itself, two names may become one.
    if (element.bytes.find("jabber") != std::string_view::npos &&
        element.bytes.find("accept") != std::string_view::npos)
      return;
    if (stream.default_ns() == kTarget || stream.default_ns().empty()) return;
    std::optional<Node> here = to_node(element.bytes, stream.declarations);
    if (!here) return;  // too deep or too wide for a tree
    const std::optional<Node> there = to_node(out, kTargetContext);
    require(there.has_value());
    // A character reference may have spelt the name.
    if (out.find("&#") == std::string::npos) {
      if (!element.lang && stream.lang && !stream.lang->empty())
        here->attributes.push_back({"lang", "http://www.w3.org/XML/1998/namespace", *stream.lang});
      require(is_same(*here, *there, stream.default_ns()));
    }
  }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 3) return 0;
  const std::size_t most = data[0] + 1u;
  std::size_t varying = data[1];
  const bool stops = (data[2] & 1) != 0;
  Limits limits = (data[2] & 2) != 0
                      ? Limits{.stanza_size = 400, .depth = 8, .attributes = 8, .start_tag = 250, .name = 40}
                      : Limits{.stanza_size = 4'000, .depth = 128, .attributes = 20, .start_tag = 1'000};
  if ((data[2] & 4) != 0) limits.oversize = Oversize::costs_itself;
  limits.discarded = 6'000;
  limits.discarded_names = 40;
  const std::string_view input(reinterpret_cast<const char*>(data) + 3, size - 3);
  // Ends every unfinished token by one limit or the other.
  const std::string filler(9'000, 'x');
  const std::string all = std::string(input) + filler;

  Parser whole(limits), pieces(limits);
  Checker at_once;
  Recorder in_pieces;
  at_once.input = all;
  in_pieces.stops_each_time = stops;
  feed_through(whole, input, at_once);
  const Fed expected = feed_through(whole, filler, at_once);
  for (std::size_t i = 0; i < input.size();) {
    varying = varying * 75 + 74;
    const std::size_t count = std::min(varying % most + 1, input.size() - i);
    feed_through(pieces, std::string(input.substr(i, count)), in_pieces);
    require(pieces.buffered() <= std::max(limits.stanza_size, limits.start_tag));
    if (pieces.is_discarding()) require(pieces.buffered() <= limits.start_tag);
    i += count;
  }
  const Fed seen = feed_through(pieces, filler, in_pieces);
  require(at_once.calls == in_pieces.calls);
  require(expected.state == seen.state);
  require(expected.fault.has_value() == seen.fault.has_value());
  if (expected.fault) require(expected.fault->error == seen.fault->error);
  return 0;
}
