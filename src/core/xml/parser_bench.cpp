// What finding a stanza costs: blocks as a socket gives them, stanzas of 200 bytes in them, nothing done with them.
#include <benchmark/benchmark.h>

#include <string>

#include "xml/parser.hpp"

namespace ligase::xml {
namespace {

struct Counting final : Sink {
  Take header(const Header&) override { return Take::more; }
  Take element(const ElementView& element) override {
    ++count;
    benchmark::DoNotOptimize(element.to);
    return Take::more;
  }
  void close() override {}
  std::size_t count = 0;
};

std::string stanza_of(std::size_t size) {
  const std::string start = "<message from='bench@sender1.tld/load' to='bench@target1.tld' type='chat'><body>";
  const std::string end = "</body></message>";
  return start + std::string(size - start.size() - end.size(), 'x') + end;
}

void BM_Parser_200ByteStanzas(benchmark::State& state) {
  Parser parser({});
  Counting sink;
  parser.feed(
      "<stream:stream xmlns='jabber:server' xmlns:stream='http://etherx.jabber.org/streams' id='1' version='1.0'>",
      sink);
  std::string stream;
  while (stream.size() < 1u << 20) stream += stanza_of(200);
  const std::size_t block = static_cast<std::size_t>(state.range(0)) * 1024;
  std::size_t at = 0;
  for (auto _ : state) {
    const std::string_view piece = std::string_view(stream).substr(at, block);
    if (parser.feed(piece, sink).state != Fed::State::more) state.SkipWithError("the parser stopped");
    at = at + piece.size() == stream.size() ? 0 : at + piece.size();
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(sink.count));
}
BENCHMARK(BM_Parser_200ByteStanzas)->Arg(4)->Arg(16)->Arg(64);  // KiB given at once

}  // namespace
}  // namespace ligase::xml
