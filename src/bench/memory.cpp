// Memory at rest by what the kernel counts as resident: the growth between few and many, divided. Pairs come some at a
// time, so that what only a pair's beginning needs is used again and not counted as many times.
#include <fmt/format.h>

#include <array>

#include "benchmarks.hpp"
#include "crowd.hpp"

namespace ligase::bench {
namespace {

using namespace std::chrono_literals;

constexpr auto kRest = 1500ms;  // a sweep has come by since
constexpr double kPairGoal = 1024, kStreamGoal = 80;

struct Growth {
  std::array<double, 2> resident{}, own{};  // bytes, of provider one's gateway and of provider two's
  std::size_t streams = 0;                  // at the end
};

// What `further` adds to two gateways that have carried `first`.
Result<Growth> measure(World& world, Crowd& crowd, const std::vector<Crowd::Way>& first,
                       const std::vector<Crowd::Way>& further, std::size_t at_once) {
  Growth growth;
  std::array<Usage, 2> before;
  for (const auto* ways : {&first, &further}) {
    if (auto sent = crowd.send(*ways, at_once); !sent) return fail(sent.error());
    world.loop().until([] { return false; }, kRest);
    for (std::size_t i = 0; i < before.size(); ++i) {
      const auto usage = world.usage(i);
      if (!usage) return fail(usage.error());
      growth.resident[i] = static_cast<double>(usage->resident_bytes) - static_cast<double>(before[i].resident_bytes);
      growth.own[i] = static_cast<double>(usage->private_bytes) - static_cast<double>(before[i].private_bytes);
      before[i] = *usage;
    }
  }
  const auto connections = world.connections();
  if (!connections) return fail(connections.error());
  growth.streams = *connections;
  return growth;
}

Figures report(const Growth& growth, const std::string& benchmark, const std::string& what, double count, double unit,
               const std::string& unit_name, double goal) {
  std::vector<Figure> figures;
  for (std::size_t i = 0; i < 2; ++i) {
    Figure figure{benchmark, fmt::format("{}, {}", what, i == 0 ? "where it is asked for" : "where it is accepted"),
                  growth.resident[i] / count / unit, unit_name, goal};
    figure.note = fmt::format("resident memory grew by {:.1f} MiB for {:.0f} ({:.1f} MiB of it private)",
                              growth.resident[i] / 1048576, count, growth.own[i] / 1048576);
    figures.push_back(std::move(figure));
  }
  return figures;
}

}  // namespace

Figures measure_pair_memory(const Context& context) {
  constexpr unsigned kDomains = 120;
  auto world = World::start({kDomains, kDomains}, context.program, context.loop);
  if (!world) return fail(world.error());
  Crowd crowd(**world);
  if (auto connected = crowd.connect(); !connected) return fail(connected.error());
  // The first ones bring every domain's DNS answers and every sender's judgement along.
  std::vector<Crowd::Way> first, further;
  for (const Crowd::Way& way : crowd.all_from_one())
    (way.from == 0 || way.to == crowd.one() ? first : further).push_back(way);
  const auto growth = measure(**world, crowd, first, further, 120);
  if (!growth) return fail(growth.error());
  if (growth->streams != 1) return fail(Reason::internal, fmt::format("{} streams instead of 1", growth->streams));
  return report(*growth, "pair-memory", "a pair at rest", static_cast<double>(further.size()), 1, "B", kPairGoal);
}

Figures measure_stream_memory(const Context& context) {
  Setting setting{26, 20};
  setting.more_of_one = "multiplex = false\n";
  auto world = World::start(setting, context.program, context.loop);
  if (!world) return fail(world.error());
  Crowd crowd(**world);
  if (auto connected = crowd.connect(); !connected) return fail(connected.error());
  std::vector<Crowd::Way> first, further;
  for (const Crowd::Way& way : crowd.all_from_one()) (way.from == 0 ? first : further).push_back(way);
  const auto growth = measure(**world, crowd, first, further, 20);
  if (!growth) return fail(growth.error());
  if (growth->streams != first.size() + further.size())
    return fail(Reason::internal,
                fmt::format("{} streams instead of {}", growth->streams, first.size() + further.size()));
  return report(*growth, "stream-memory", "a TLS stream at rest with its pair", static_cast<double>(further.size()),
                1024, "KiB", kStreamGoal);
}

}  // namespace ligase::bench
