// For tests and fuzzers of xml/: a sink that writes down every call, so that two runs can be compared.
#pragma once
#include <cstdlib>
#include <string>
#include <vector>

#include "xml/parser.hpp"

namespace ligase::xml {

struct Call {
  std::string what;   // "header", "element", "close"
  std::string bytes;  // of an element
  std::string values;
  bool operator==(const Call&) const = default;
};

// A first-level element with `n` declarations on each of a hundred nested elements, all of them used, and `last` in the innermost.
inline std::string with_many_prefixes(const std::string& name, std::size_t n, const std::string& last = "") {
  std::string element = "<" + name + ">", ends = "</" + name + ">";
  for (std::size_t i = 0; i < 100; ++i) {
    element += "<x";
    for (std::size_t j = 0; j < n; ++j) element += " xmlns:p" + std::to_string(i * n + j) + "='u'";
    element += ">";
    ends = "</x>" + ends;
  }
  for (std::size_t i = 0; i < 100 * n; ++i) element += "<p" + std::to_string(i) + ":a/>";
  return element + last + ends;
}

class Recorder : public Sink {
 public:
  std::vector<Call> calls;
  std::vector<bool> was_in_place;  // of elements: the view pointed into `fed`
  std::string_view fed;
  bool stops_each_time = false;

  Take header(const Header& header) override {
    const auto value = [](const std::optional<std::string>& given) { return given ? *given : "(none)"; };
    std::string values = header.name + "|" + header.ns + "|" + value(header.to) + "|" + value(header.from) + "|" +
                         value(header.id) + "|" + value(header.version) + "|" + value(header.lang);
    for (const Declaration& declaration : header.declarations)
      values += "|" + declaration.prefix + "=" + declaration.uri;
    calls.push_back({"header", "", values});
    return stops_each_time ? Take::stop : Take::more;
  }
  Take element(const ElementView& element) override {
    const auto value = [](std::optional<std::string_view> given) { return given ? std::string(*given) : "(none)"; };
    calls.push_back({"element", std::string(element.bytes),
                     std::string(element.name) + "|" + std::string(element.ns) + "|" + value(element.to) + "|" +
                         value(element.from) + "|" + value(element.id) + "|" + value(element.type) + "|" +
                         value(element.lang) + "|" + std::to_string(element.after_name) +
                         (element.needs_rewriting ? "|rewrite" : "") +
                         (element.cannot_pass == Reason::stanza_too_big ? "|too big" : "")});
    const auto* start = element.bytes.data();
    was_in_place.push_back(start >= fed.data() && start + element.bytes.size() <= fed.data() + fed.size());
    return stops_each_time ? Take::stop : Take::more;
  }
  void close() override { calls.push_back({"close", "", ""}); }
};

// Feeds one piece, and goes on behind every stop.
inline Fed feed_through(Parser& parser, std::string_view piece, Recorder& recorder) {
  recorder.fed = piece;
  Fed fed = parser.feed(piece, recorder);
  recorder.fed = {};
  while (fed.state == Fed::State::stopped) fed = parser.resume(recorder);
  return fed;
}

}  // namespace ligase::xml
