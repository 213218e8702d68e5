// 400 pairs at the same moment: nothing stands but DNS answers, which both gateways have asked for before. The stream
// ends by its idle time-out between two runs, and every pair with it.
#include <fmt/format.h>

#include "benchmarks.hpp"
#include "crowd.hpp"

namespace ligase::bench {
namespace {

using namespace std::chrono_literals;

constexpr unsigned kDomains = 20;
constexpr double kGoal = 100;  // ms
constexpr const char* kShortIdle = "\n[limits]\nidle_timeout = \"1s\"\n";
constexpr auto kIdlePatience = 20s;

struct Times {
  double cold = 0;  // the first run: DNS is asked, too
  std::vector<double> warm;
};

Result<Times> measure(const Context& context, lab::Way way, unsigned runs) {
  Setting setting{kDomains, kDomains, way, kShortIdle, kShortIdle};
  auto world = World::start(setting, context.program, context.loop);
  if (!world) return fail(world.error());
  Crowd crowd(**world);
  if (auto connected = crowd.connect(); !connected) return fail(connected.error());
  const std::vector<Crowd::Way> ways = crowd.all_from_one();
  // By dialback each side asks the other's authority on a stream of its own.
  const std::size_t expected = way == lab::Way::dialback ? 2 : 1;
  Times times;
  for (unsigned run = 0; run <= runs; ++run) {
    const auto seconds = crowd.send(ways);
    if (!seconds) return fail(seconds.error());
    const auto connections = (*world)->connections();
    if (!connections) return fail(connections.error());
    if (*connections != expected)
      return fail(Reason::internal, fmt::format("{} connections instead of {}", *connections, expected));
    run == 0 ? void(times.cold = *seconds * 1000) : times.warm.push_back(*seconds * 1000);
    const auto is_over = [&] {
      const auto left = (*world)->connections();
      return left && *left == 0;
    };
    if (auto ended = (*world)->wait(is_over, kIdlePatience, "the stream did not end by its idle time-out"); !ended)
      return fail(ended.error());
  }
  return times;
}

}  // namespace

Figures measure_pairs(const Context& context) {
  std::vector<Figure> figures;
  for (const lab::Way way : {lab::Way::dnssec, lab::Way::dane, lab::Way::pkix, lab::Way::dialback}) {
    const auto times = measure(context, way, way == lab::Way::dnssec ? context.runs : std::min(context.runs, 5u));
    if (!times) return fail(times.error());
    const std::string name(lab::name_of(way));
    Figure figure{"pairs", fmt::format("400 pairs on one stream, {}, first stanza to the last one's arrival", name),
                  median(times->warm), "ms"};
    figure.note = spread(times->warm);
    if (way == lab::Way::dnssec) figure.goal = kGoal;
    figures.push_back(figure);
    if (way == lab::Way::dnssec)
      figures.push_back({"pairs", "the same with nothing asked of DNS before", times->cold, "ms"});
  }
  return figures;
}

}  // namespace ligase::bench
