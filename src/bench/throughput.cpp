// One gateway on a core of its own; the component that feeds it and the peer that takes, or the other way round, share
// another. Which of them was the bottleneck shows in the gateway's own processor time, told beside the rate.
#include <fmt/format.h>

#include <array>

#include "benchmarks.hpp"
#include "lab/folder.hpp"
#include "net/endpoint.hpp"
#include "net/listener.hpp"
#include "peer.hpp"
#include "world.hpp"

namespace ligase::bench {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

constexpr std::size_t kMessage = 200;     // bytes
constexpr std::uint64_t kPerBlock = 320;  // 64,000 bytes
constexpr auto kWarmUp = 1s, kWindow = 5s;
constexpr Clock::duration kPatience = 20s;
constexpr double kGoal = 300'000;
constexpr unsigned kRuns = 3;

std::string message(const std::string& from, const std::string& to) {
  std::string text = "<message from='bench@" + from + "/load' to='bench@" + to + "' type='chat'><body>";
  const std::string end = "</body></message>";
  return text + std::string(kMessage - text.size() - end.size(), 'x') + end;
}
std::string block_of(const std::string& one) {
  std::string block;
  for (std::uint64_t i = 0; i < kPerBlock; ++i) block += one;
  return block;
}

// The benchmark's own loop: connections as the program makes them, provider two's certificate.
class Ends {
 public:
  explicit Ends(World& world) : world_(world) {}

  Result<void> prepare() {
    const lab::Provider& two = world_.plan().providers[1];
    const auto certificate = lab::read_file(two.file(two.host + ".pem")),
               key = lab::read_file(two.file(two.host + ".key"));
    if (!certificate) return fail(certificate.error());
    if (!key) return fail(key.error());
    auto contexts =
        tls::Contexts::make({*certificate, *key, "the benchmark's certificate"}, {}, tls::MinimumVersion::tls12);
    if (!contexts) return fail(contexts.error());
    loop_.set_certificates(std::move(*contexts));
    return {};
  }

  Result<std::unique_ptr<seams::Connection>> dial(std::uint16_t port) {
    boost::asio::ip::tcp::socket socket(loop_.context());
    const boost::asio::ip::tcp::endpoint to(boost::asio::ip::make_address(lab::kLoopback), port);
    boost::system::error_code error;
    socket.connect(to, error);
    if (error) return fail(Reason::connect_refused, error.message());
    return std::make_unique<net::TcpConnection>(loop_, std::move(socket), net::from_asio(to));
  }

  // Runs both ends' loop, and the lab's, which knows of signals and of a gateway that died.
  Result<void> run_until(const std::function<bool()>& is_done, Clock::duration patience, const std::string& what) {
    const auto deadline = Clock::now() + patience;
    auto next_look = Clock::now() + 50ms;
    while (!is_done()) {
      const auto now = Clock::now();
      if (now >= deadline) return fail(Reason::setup_timeout, what);
      if (now >= next_look) {
        next_look = now + 50ms;
        if (const auto dead = world_.dead_gateway()) return fail(Reason::internal, *dead);
        if (world_.loop().until([] { return true; }, 0s) == lab::Loop::Outcome::interrupted)
          return fail(Reason::cancelled, "interrupted");
      }
      loop_.context().run_one_until(std::min(deadline, next_look));
    }
    return {};
  }

  net::Loop& loop() noexcept { return loop_; }

 private:
  World& world_;
  net::Loop loop_;
};

struct Rate {
  double per_second = 0, per_cpu_second = 0, busy = 0, user = 0;
};

// Pumps, and measures in the middle of it; at the end everything sent must have come.
Result<Rate> pump(World& world, Ends& ends, Pump& from, seams::Connection& connection, const Counter& at,
                  const std::string& one) {
  const std::uint64_t came_before = at.count(), sent_before = from.sent();
  from.start(connection, block_of(one), kPerBlock);
  const auto pass = [&](Clock::duration time) {
    const auto until = Clock::now() + time;
    return ends.run_until([&] { return Clock::now() >= until; }, time + kPatience, "the load did not go on");
  };
  if (auto warmed = pass(kWarmUp); !warmed) return fail(warmed.error());
  const auto before = world.usage(0);
  const auto start = Clock::now();
  const std::uint64_t first = at.count();
  if (auto passed = pass(kWindow); !passed) return fail(passed.error());
  const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
  const auto messages = static_cast<double>(at.count() - first);
  const auto after = world.usage(0);
  from.stop();
  if (!before) return fail(before.error());
  if (!after) return fail(after.error());
  const std::uint64_t sent = from.sent() - sent_before;
  auto drained = ends.run_until([&] { return at.count() - came_before == sent; }, kPatience, "messages were lost");
  if (!drained)
    return fail(drained.error().reason,
                fmt::format("{}: {} of {} came", drained.error().detail, at.count() - came_before, sent));
  const double cpu = after->cpu_seconds - before->cpu_seconds;
  return Rate{messages / seconds, messages / cpu, cpu / seconds, (after->user_seconds - before->user_seconds) / cpu};
}

std::vector<Figure> report(const std::string& name, const std::string& way, const std::vector<Rate>& rates) {
  std::vector<double> per_second, per_cpu_second, busy, user;
  for (const Rate& rate : rates) {
    per_second.push_back(rate.per_second);
    per_cpu_second.push_back(rate.per_cpu_second);
    busy.push_back(rate.busy * 100);
    user.push_back(rate.user * 100);
  }
  Figure wall{name,
              fmt::format("200-byte messages, {}, gateway on one core", way),
              median(per_second),
              "/s",
              kGoal,
              Better::more,
              fmt::format("gateway {:.0f} % of its core busy; {}", median(busy), spread(per_second, "{:.0f}"))};
  Figure cpu{name, "the same for each second of processor time that the gateway used", median(per_cpu_second), "/s"};
  cpu.note = fmt::format("{:.0f} ns a message, {:.0f} % of it in the program, the rest in the kernel",
                         1e9 / median(per_cpu_second), median(user));
  return {wall, cpu};
}

// The gateway (and all it starts) gets a core of its own, we another.
Result<std::unique_ptr<World>> start(const Context& context) {
  Setting setting;
  setting.is_two_ours = true;
  run_on_core(0);
  auto world = World::start(setting, context.program, context.loop);
  run_on_core(1);
  return world;
}

Figures measure_out_pinned(const Context& context) {
  auto world = start(context);
  if (!world) return fail(world.error());
  const lab::Plan& plan = (*world)->plan();
  const std::string &local = plan.providers[0].customers.front(), &remote = plan.providers[1].customers.front();
  Ends ends(**world);
  if (auto prepared = ends.prepare(); !prepared) return fail(prepared.error());
  std::unique_ptr<Peer> sink;
  auto listener = net::Listener::open(
      ends.loop(), *Endpoint::parse(fmt::format("{}:{}", lab::kLoopback, plan.providers[1].s2s_port)));
  if (!listener) return fail(listener.error());
  (*listener)->start({.take =
                          [&](std::unique_ptr<seams::Connection> connection) {
                            sink = std::make_unique<Peer>(Role::receiving, std::move(connection),
                                                          *Domain::parse(remote), *Domain::parse(local));
                            sink->start();
                          },
                      .admit = {},
                      .on_exhausted = {}});
  auto dialled = ends.dial(plan.providers[0].component_port);
  if (!dialled) return fail(dialled.error());
  PlainComponent component(std::move(*dialled), local, plan.component_secret);
  component.start();
  if (auto ready = ends.run_until([&] { return component.is_ready() || !component.failure().empty(); }, kPatience,
                                  "the component could not shake hands");
      !ready)
    return fail(ready.error());
  const std::string one = message(local, remote);
  component.connection().write(one);
  if (auto ready = ends.run_until(
          [&] { return (sink && (sink->is_ready() || !sink->failure().empty())) || component.counter().count() > 0; },
          kPatience, "the first message did not come");
      !ready)
    return fail(ready.error());
  if (!sink || !sink->is_ready())
    return fail(Reason::internal,
                "the pair could not be proven: " + (sink ? sink->failure() : std::string("no stream")));
  std::vector<Rate> rates;
  for (unsigned run = 0; run < kRuns; ++run) {
    const auto rate = pump(**world, ends, component.pump(), component.connection(), sink->counter(), one);
    if (!rate) return fail(rate.error());
    rates.push_back(*rate);
  }
  return report("out", "component in, TLS s2s out", rates);
}

Figures measure_in_pinned(const Context& context) {
  auto world = start(context);
  if (!world) return fail(world.error());
  const lab::Plan& plan = (*world)->plan();
  const std::string &local = plan.providers[0].customers.front(), &remote = plan.providers[1].customers.front();
  Ends ends(**world);
  if (auto prepared = ends.prepare(); !prepared) return fail(prepared.error());
  auto to_component = ends.dial(plan.providers[0].component_port), to_s2s = ends.dial(plan.providers[0].s2s_port);
  if (!to_component) return fail(to_component.error());
  if (!to_s2s) return fail(to_s2s.error());
  PlainComponent sink(std::move(*to_component), local, plan.component_secret);
  Peer source(Role::initiating, std::move(*to_s2s), *Domain::parse(remote), *Domain::parse(local));
  sink.start();
  source.start();
  const auto are_ready = [&] {
    return (sink.is_ready() && source.is_ready()) || !sink.failure().empty() || !source.failure().empty();
  };
  if (auto ready = ends.run_until(are_ready, kPatience, "the stream did not come up"); !ready)
    return fail(ready.error());
  if (!sink.is_ready() || !source.is_ready())
    return fail(Reason::internal, "the stream did not come up: " + sink.failure() + source.failure());
  const std::string one = message(remote, local);
  std::vector<Rate> rates;
  for (unsigned run = 0; run < kRuns; ++run) {
    const auto rate = pump(**world, ends, source.pump(), source.connection(), sink.counter(), one);
    if (!rate) return fail(rate.error());
    rates.push_back(*rate);
  }
  return report("in", "TLS s2s in, component out", rates);
}

}  // namespace

Figures measure_out(const Context& context) {
  Figures figures = measure_out_pinned(context);
  run_on_all_cores();
  return figures;
}
Figures measure_in(const Context& context) {
  Figures figures = measure_in_pinned(context);
  run_on_all_cores();
  return figures;
}

}  // namespace ligase::bench
