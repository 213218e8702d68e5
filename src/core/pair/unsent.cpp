#include "pair/unsent.hpp"

#include <fmt/format.h>

#include "stream/words.hpp"

namespace ligase::pair {
namespace {

class Reader final : public xml::Sink {
 public:
  Reader(std::vector<Stanza>& to, std::string_view content_ns, Instant now)
      : to_(to), content_ns_(content_ns), now_(now) {}

  // What was written by us is well-formed by itself; the end of the stream is the last piece that says anything.
  void read(std::string_view piece) {
    const bool is_element = piece.starts_with('<') && !piece.starts_with("<?") && !piece.starts_with("</") &&
                            !piece.starts_with("<stream:");
    if (!is_element) return;
    xml::Parser parser{xml::Limits{.stanza_size = piece.size() + 1}};
    const std::string header = fmt::format("<stream:stream xmlns='{}' xmlns:stream='{}' xmlns:db='{}'>", content_ns_,
                                           ns::kStreams, ns::kDialback);
    if (parser.feed(header, *this).fault) return;
    parser.feed(piece, *this);
  }

 private:
  xml::Take header(const xml::Header&) override { return xml::Take::more; }
  xml::Take element(const xml::ElementView& element) override {
    if (const auto kind = element.ns == content_ns_ ? stream::stanza_kind(element.name) : std::nullopt)
      to_.push_back(keep(element, *kind, std::string(element.bytes), now_));
    return xml::Take::more;
  }
  void close() override {}

  std::vector<Stanza>& to_;
  std::string_view content_ns_;
  Instant now_;
};

}  // namespace

std::vector<Stanza> stanzas_among(std::string_view pieces, std::span<const std::size_t> ends,
                                  std::string_view content_ns, Instant now) {
  std::vector<Stanza> stanzas;
  Reader reader(stanzas, content_ns, now);
  std::size_t from = 0;
  for (const std::size_t end : ends) {
    reader.read(pieces.substr(from, end - from));
    from = end;
  }
  return stanzas;
}

}  // namespace ligase::pair
