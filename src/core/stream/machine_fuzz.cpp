// Any bytes, in any pieces, in either role and with any verdicts: the machine ends or goes on, and no stanza comes out of a
// stream that is not open, nor after its end.
#include <cstdlib>

#include "stream/machine.hpp"

namespace {

using namespace ligase;

struct Hosting final : stream::Hosting {
  bool is_hosted(const Domain& domain) const override { return domain.text() == "target1.tld"; }
  Encryption encryption_towards(const Domain*) const override { return encryption; }
  bool offers_bidi(const Domain&) const override { return true; }
  Encryption encryption = Encryption::required;
};

struct Sink final : stream::StanzaSink {
  xml::Take stanza(const xml::ElementView&, stream::StanzaKind) override {
    if (machine == nullptr || !machine->is_open()) std::abort();
    return xml::Take::more;
  }
  stream::Machine* machine = nullptr;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const std::uint8_t choices = data[0];
  const std::size_t piece = 1 + data[1];
  Hosting hosting;
  if ((choices & 1) != 0) hosting.encryption = Encryption::preferred;
  Instant now{};
  stream::Machine machine = (choices & 2) != 0
                                ? stream::Machine::initiate({}, *Domain::parse("sender1.tld"),
                                                            *Domain::parse("target1.tld"), hosting.encryption, now)
                                : stream::Machine::receive(
                                      {}, hosting, [] { return std::string("0123456789abcdef"); }, now);
  Sink sink;
  sink.machine = &machine;
  const auto take = [&](stream::Actions actions) {
    for (int rounds = 0; rounds < 10000; ++rounds) {
      for (const stream::Action& action : actions) {
        if (std::holds_alternative<stream::StartTls>(action)) machine.on_tls(now);
        if (std::holds_alternative<stream::AskServerVerdict>(action))
          machine.go_on(static_cast<stream::External>((choices >> 2) & 3),
                        static_cast<stream::Bidi>((choices >> 6) & 1), now);
        if (std::holds_alternative<stream::AskClientVerdict>(action)) machine.offer_features((choices & 16) != 0, now);
        if (std::holds_alternative<stream::AskAuthentication>(action)) {
          machine.authenticate((choices & 32) != 0 ? Result<void>{} : fail(Reason::pkix_name), now);
          machine.pair_proven(now);
        }
      }
      if (!machine.has_more()) return;
      actions = machine.resume(sink, now);
    }
    std::abort();  // it must come to an end
  };
  take(machine.start());
  std::string_view rest(reinterpret_cast<const char*>(data) + 2, size - 2);
  while (!rest.empty()) {
    take(machine.feed(rest.substr(0, piece), sink, now));
    rest.remove_prefix(std::min(piece, rest.size()));
    now += std::chrono::seconds(1);
  }
  return 0;
}
