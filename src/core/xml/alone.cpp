#include "xml/alone.hpp"

#include <limits>
#include <string>

#include "base/ensure.hpp"
#include "xml/escape.hpp"
#include "xml/parser.hpp"

namespace ligase::xml {
namespace {

struct Count final : Sink {
  std::size_t elements = 0;
  Take header(const Header&) override { return Take::more; }
  Take element(const ElementView& element) override {
    ++elements;
    is_whole = element.bytes == expected;
    return Take::more;
  }
  void close() override {}
  std::string_view expected;
  bool is_whole = false;
};

}  // namespace

bool stands_alone(std::string_view bytes, std::string_view content_ns) {
  // Sizes were judged where it came in; it may be larger now by what it inherited.
  constexpr std::size_t any = std::numeric_limits<std::int32_t>::max();
  Parser parser({.stanza_size = any, .attributes = any, .start_tag = any, .name = any, .inherited = any});
  Count count;
  count.expected = bytes;
  parser.feed("<stream xmlns='" + escaped(content_ns) + "'>", count);
  const Fed::State behind = parser.feed(bytes, count).state;
  return behind == Fed::State::more && count.elements == 1 && count.is_whole;
}

void ensure_stands_alone([[maybe_unused]] std::string_view bytes, [[maybe_unused]] std::string_view content_ns) {
#ifdef LIGASE_CHECK_OUTPUT
  ensure(stands_alone(bytes, content_ns), "what leaves is one element that is well-formed by itself");
#endif
}

}  // namespace ligase::xml
