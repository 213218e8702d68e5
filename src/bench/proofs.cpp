// What each prooftype costs: a first connection with nothing known of the peer, then one more domain at that peer, and
// another. Bytes and turns come from the packets themselves, so the benchmark has a network of its own.
#include <fmt/format.h>

#include <boost/json.hpp>

#include "benchmarks.hpp"
#include "crowd.hpp"
#include "http/client.hpp"
#include "lab/own_network.hpp"
#include "lab/web.hpp"
#include "wire.hpp"

namespace ligase::bench {
namespace {

constexpr unsigned kFurther = 20;    // pairs after the first
constexpr unsigned kExplained = 10;  // and those of which only the DNS answers are timed

struct Cost {
  std::vector<double> ms, cpu_ms, stream_bytes, stream_turns, dns_bytes, dns_questions, web_bytes, web_turns;
};

struct Ports {
  std::set<std::uint16_t> streams, dns, web;
};

class Meter {
 public:
  Meter(World& world, Wire& wire) : world_(world), wire_(wire) {
    for (const lab::Provider& provider : world.plan().providers) ports_.streams.insert(provider.s2s_port);
    ports_.dns.insert(world.plan().dns_port);
    ports_.web.insert(lab::kHttpsPort);
  }

  Result<void> measure(Crowd& crowd, std::size_t target, Cost& cost) {
    wire_.forget();
    const auto before = cpu();
    if (!before) return fail(before.error());
    const auto seconds = crowd.send({Crowd::Way{0, crowd.one() + target}});
    if (!seconds) return fail(seconds.error());
    const auto after = cpu();
    if (!after) return fail(after.error());
    cost.ms.push_back(*seconds * 1000);
    cost.cpu_ms.push_back((*after - *before) * 1000);
    const Traffic streams = wire_.take(ports_.streams), dns = wire_.take(ports_.dns), web = wire_.take(ports_.web);
    cost.stream_bytes.push_back(static_cast<double>(streams.bytes));
    cost.stream_turns.push_back(static_cast<double>(streams.turns));
    cost.dns_bytes.push_back(static_cast<double>(dns.bytes));
    cost.dns_questions.push_back(static_cast<double>(dns.datagrams) / 2);
    cost.web_bytes.push_back(static_cast<double>(web.bytes));
    cost.web_turns.push_back(static_cast<double>(web.turns));
    return {};
  }

 private:
  // Of both gateways, all their threads.
  Result<double> cpu() const {
    double seconds = 0;
    for (std::size_t provider : {0u, 1u}) {
      const auto used = world_.cpu(provider);
      if (!used) return fail(used.error());
      seconds += *used;
    }
    return seconds;
  }

  World& world_;
  Wire& wire_;
  Ports ports_;
};

// How long DNS takes for one more domain: SRV, then addresses and TLSA, as the gateway itself saw it. Milliseconds.
Result<double> dns_time(const World& world, const std::string& local, const std::string& remote) {
  const auto got = http::get(world.control_socket(0), fmt::format("/api/v1/explain?local={}&remote={}", local, remote),
                             std::chrono::seconds(30));
  if (!got) return fail(got.error());
  double ms = 0;
  try {
    const boost::json::value told = boost::json::parse(got->body);
    for (const boost::json::value& step : told.at("steps").as_array())
      if (step.at("what") == "out: SRV" || step.at("what") == "out: addresses") ms += step.at("ms").to_number<double>();
  } catch (const std::exception& error) {
    return fail(Reason::internal, fmt::format("what explain says of {} cannot be read: {}", remote, error.what()));
  }
  return ms;
}

void report(std::vector<Figure>& figures, std::string_view way, std::string_view what, const Cost& cost) {
  const auto add = [&](std::string_view of, const std::vector<double>& values, const char* unit) {
    if (const double value = median(values); value > 0 || unit == std::string_view("ms"))
      figures.push_back({"proofs", fmt::format("{}, {}: {}", way, what, of), value, unit, std::nullopt, Better::less,
                         spread(values)});
  };
  add("stanza written to its arrival", cost.ms, "ms");
  add("processor time of both gateways", cost.cpu_ms, "ms");
  add("on s2s connections", cost.stream_bytes, "B");
  add("turns on s2s connections", cost.stream_turns, "");
  add("DNS", cost.dns_bytes, "B");
  add("DNS questions", cost.dns_questions, "");
  add("web", cost.web_bytes, "B");
  add("turns to the web", cost.web_turns, "");
}

}  // namespace

Figures measure_proofs(const Context& context) {
  if (const auto network = lab::network_with(lab::kHttpsPort); !network) return fail(network.error());
  auto wire = Wire::open();
  if (!wire) return fail(wire.error());
  std::vector<Figure> figures;
  for (const lab::Way way : {lab::Way::dane, lab::Way::dnssec, lab::Way::pkix, lab::Way::posh, lab::Way::dialback}) {
    Cost first, further;
    std::vector<double> dns;
    for (unsigned run = 0; run < context.runs; ++run) {
      auto world = World::start(Setting{1, 1 + kFurther + kExplained, way}, context.program, context.loop);
      if (!world) return fail(world.error());
      Crowd crowd(**world);
      if (auto connected = crowd.connect(); !connected) return fail(connected.error());
      Meter meter(**world, **wire);
      for (std::size_t target = 0; target <= kFurther; ++target)
        if (auto done = meter.measure(crowd, target, target == 0 ? first : further); !done) return fail(done.error());
      const auto& providers = (*world)->plan().providers;
      for (std::size_t target = kFurther + 1; target <= kFurther + kExplained; ++target) {
        const auto ms = dns_time(**world, providers[0].customers[0], providers[1].customers[target]);
        if (!ms) return fail(ms.error());
        dns.push_back(*ms);
      }
    }
    report(figures, lab::name_of(way), "first connection", first);
    report(figures, lab::name_of(way), "one more domain at that peer", further);
    figures.push_back({"proofs",
                       fmt::format("{}, one more domain at that peer: its DNS answers alone", lab::name_of(way)),
                       median(dns), "ms", std::nullopt, Better::less, spread(dns)});
  }
  return figures;
}

}  // namespace ligase::bench
