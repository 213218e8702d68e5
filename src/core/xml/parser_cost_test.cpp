// The parser's cost is linear in the bytes, however they are cut and whatever they are (AB-013). expat scans an unfinished
// tag again from its start at every call, so what is counted is its calls: XML_Parse is replaced by one that counts.
#include <dlfcn.h>
#include <expat.h>
#include <gtest/gtest.h>

#include "xml/recorder_for_tests.hpp"

namespace {
std::size_t calls_of_expat = 0;
}

extern "C" XML_Status XML_Parse(XML_Parser parser, const char* text, int size, int is_final) {
  static const auto real = reinterpret_cast<decltype(&XML_Parse)>(dlsym(RTLD_NEXT, "XML_Parse"));
  ++calls_of_expat;
  return real(parser, text, size, is_final);
}

namespace ligase::xml {
namespace {

using namespace std::string_literals;

std::size_t calls_for(std::string_view text, std::size_t size, Fed::State end) {
  Parser parser({.stanza_size = 1 << 20});
  Recorder recorder;
  feed_through(parser, "<s xmlns='jabber:server'>", recorder);
  calls_of_expat = 0;
  Fed fed;
  for (std::size_t i = 0; i < text.size() && fed.state == Fed::State::more; i += size)
    fed = feed_through(parser, text.substr(i, size), recorder);
  EXPECT_EQ(fed.state, end);
  return calls_of_expat;
}

// AB-011, AB-013
TEST(ParserCost, UnfinishedTagInSingleBytes_IsScannedAFewTimes) {
  for (const auto& text : {"<m a='" + std::string(60'000, 'x'), "<m a='" + std::string(60'000, '>'),
                           "<m a='>" + std::string(60'000, 'x'), "<m>" + std::string(60'000, 'x'),
                           "<m><![CDATA[" + std::string(60'000, 'x'), "<m a=\"'>" + std::string(60'000, '>')}) {
    EXPECT_LT(calls_for(text, 1, Fed::State::more), 5u) << text.substr(0, 20);
    EXPECT_LT(calls_for(text, 64, Fed::State::more), 5u) << text.substr(0, 20);
  }
  for (const auto& text : {"<m a='" + std::string(70'000, '>'), "<m a='" + std::string(70'000, 'x')})
    EXPECT_LT(calls_for(text, 1, Fed::State::failed), 6u) << text.substr(0, 20);
}

// AB-013
TEST(ParserCost, WholeStanzasAtOnce_AreOneCallAChunk) {
  std::string text;
  for (int i = 0; i < 300; ++i) text += "<m><body>" + std::string(180, 'x') + "</body></m>";
  EXPECT_LT(calls_for(text, text.size(), Fed::State::more), text.size() / 6'000 + 3);
}

// AB-013: a stop after each of many small elements does not move all that lie behind it each time.
TEST(ParserCost, ManyStops_PassNothingTwice) {
  std::string text;
  for (int i = 0; i < 10'000; ++i) text += "<r/>";
  Parser parser{Limits{}};
  Recorder recorder;
  recorder.stops_each_time = true;
  feed_through(parser, "<s xmlns='jabber:server'>", recorder);
  calls_of_expat = 0;
  feed_through(parser, text, recorder);
  EXPECT_EQ(recorder.calls.size(), 10'001u);
  EXPECT_LT(calls_of_expat, 20u);
}

}  // namespace
}  // namespace ligase::xml
