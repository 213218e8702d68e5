// What one stream's parser holds at most, expat's own memory counted: a stranger needs no proof to open many (CVE-2026-43506,
// -43507 were of this kind), and a proven peer no more than one stanza.
#include <gtest/gtest.h>
#include <malloc.h>

#include "xml/recorder_for_tests.hpp"

namespace ligase::xml {
namespace {

const std::string kHeader = "<stream:stream xmlns='jabber:server' xmlns:stream='http://etherx.jabber.org/streams'";

struct Nobody final : Sink {
  Take header(const Header&) override { return Take::more; }
  Take element(const ElementView&) override { return Take::more; }
  void close() override {}
};

std::size_t held_now() { return mallinfo2().uordblks; }

// The most that was held at any time while `text` came in pieces of 4000 bytes.
std::size_t most_held(std::string_view text, Limits limits) {
  Nobody sink;
  const std::size_t before = held_now();
  std::size_t most = 0;
  {
    Parser parser(limits);
    for (; !text.empty(); text.remove_prefix(std::min<std::size_t>(text.size(), 4000))) {
      parser.feed(text.substr(0, 4000), sink);
      most = std::max(most, held_now() - before);
    }
  }
  EXPECT_LE(held_now(), before + 64 * 1024);  // all of it goes with the stream
  return most;
}

std::string many(std::size_t bytes, auto make) {
  std::string out;
  for (std::size_t i = 0; out.size() < bytes; ++i) out += make(std::to_string(i));
  return out;
}

// AB-183
TEST(ParserMemory, StreamOfAStranger_HoldsLittle) {
  const auto attribute = [](const std::string& i) { return " a" + i + "=''"; };
  const auto declaration = [](const std::string& i) { return " xmlns:a" + i + "='" + i + "'"; };
  const auto element = [](const std::string& i) { return "<a" + i + "/>"; };
  const std::string deep = [] {
    std::string out;
    for (int i = 0; i < 16; ++i) out += "<" + std::string(1000, static_cast<char>('a' + i)) + ">";
    return out;
  }();
  for (const std::string& text : {
           kHeader + " a='" + std::string(65'000, 'x'),     // a header that does not end
           kHeader + " a='" + std::string(65'000, '&'),     //
           kHeader + many(65'000, attribute) + ">",         // one of attributes only
           kHeader + many(65'000, declaration) + ">",       //
           kHeader + many(65'000, attribute),               //
           kHeader + ">" + "<m>" + many(16'000, element),   // an element of new names
           kHeader + ">" + "<m>" + many(240'000, element),  // over the limit
           kHeader + ">" + many(300'000, element),          // as many elements
           kHeader + ">" + many(300'000, [](const std::string& i) { return "<m a" + i + "=''/>"; }),
           kHeader + ">" + many(300'000, [](const std::string& i) { return "<m xmlns:p" + i + "='u" + i + "'/>"; }),
           kHeader + ">" + deep,                                  // long names, open
           kHeader + "><m><![CDATA[" + std::string(16'000, '<'),  //
           kHeader + "><m>" + many(16'000, [](const std::string&) { return "&amp;"; }),
           std::string(100'000, ' '),
       })
    EXPECT_LE(most_held(text, {}), 1'250'000u) << text.substr(80, 60);
}

// AB-183, AB-010: what is discarded is not held, nor are more of its names than one stanza of the same stream may have.
TEST(ParserMemory, DiscardedStanza_HoldsNoMoreThanOneThatPasses) {
  const Limits proven{.stanza_size = 512 * 1024, .oversize = Oversize::costs_itself};
  const auto element = [](const std::string& i) { return "<a" + i + "/>"; };
  const std::string start = kHeader + "><m>";
  const std::size_t passing = most_held(start + many(500'000, element), proven);
  const std::size_t discarded = most_held(start + many(2'500'000, element), proven);
  const std::size_t text = most_held(start + std::string(2'500'000, 'x'), proven);
  EXPECT_LE(text, 3u << 20);
  EXPECT_LE(discarded, 4 * passing) << passing << " " << text;
}

}  // namespace
}  // namespace ligase::xml
