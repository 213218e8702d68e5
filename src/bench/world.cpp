// As `ligase lab` does it, with configurations that a benchmark may add to.
#include "world.hpp"

#include <array>
#include <fstream>

#include "lab/kernel_table.hpp"

namespace ligase::bench {
namespace {

using namespace std::chrono_literals;

constexpr auto kStartPatience = 30s, kEndPatience = 5s;

}  // namespace

Result<std::unique_ptr<World>> World::start(const Setting& setting, const std::string& program, lab::Loop& loop) {
  lab::Options options;
  options.domains_one = setting.domains_one;
  options.domains_two = setting.domains_two;
  options.proof = setting.way;
  auto scene = lab::Scene::set(lab::make_plan(options));
  if (!scene) return fail(scene.error());
  std::unique_ptr<World> world(new World(std::move(*scene), loop));
  const std::size_t count = setting.is_two_ours ? 1 : 2;
  for (std::size_t i = 0; i < count; ++i) {
    const lab::Provider& provider = world->plan().providers[i];
    const std::string file = provider.file("ligase.toml");
    std::ofstream(file, std::ios::app) << (i == 0 ? setting.more_of_one : setting.more_of_two);
    auto child = lab::Child::start({program, "serve", "--config", file}, provider.file("ligase.log"));
    if (!child) return fail(child.error());
    world->gateways_.push_back(std::move(*child));
  }
  const auto are_ready = [&] {
    for (lab::Child& gateway : world->gateways_)
      if (!gateway.has_logged("event=ready")) return false;
    return true;
  };
  if (auto ready = world->wait(are_ready, kStartPatience, "the gateways did not become ready"); !ready)
    return fail(ready.error());
  return world;
}

World::~World() {
  for (const lab::Child& gateway : gateways_) gateway.ask_to_end();
  loop_.until(
      [&] {
        bool all = true;
        for (lab::Child& gateway : gateways_) all = gateway.ended().has_value() && all;
        return all;
      },
      kEndPatience);
}

std::optional<std::string> World::dead_gateway() {
  for (lab::Child& gateway : gateways_)
    if (const auto end = gateway.ended())
      return "a gateway ended: " + *end + "; its log ends:\n" + gateway.last_lines(5);
  return std::nullopt;
}

Result<void> World::wait(const std::function<bool()>& is_done, std::chrono::steady_clock::duration patience,
                         const std::string& what) {
  std::optional<std::string> dead;
  auto next_look = std::chrono::steady_clock::now();
  const auto outcome = loop_.until(
      [&] {
        if (const auto now = std::chrono::steady_clock::now(); now >= next_look) {
          dead = dead_gateway();
          next_look = now + 20ms;
        }
        return dead || is_done();
      },
      patience);
  if (dead) return fail(Reason::internal, *dead);
  switch (outcome) {
    case lab::Loop::Outcome::done:
      return {};
    case lab::Loop::Outcome::interrupted:
      return fail(Reason::cancelled, "interrupted");
    case lab::Loop::Outcome::out_of_time:
      break;
  }
  return fail(Reason::setup_timeout, what);
}

Result<std::size_t> World::connections() const {
  const auto sockets = lab::read_kernel_tables();
  if (!sockets) return fail(sockets.error());
  const std::array ports{plan().providers[0].s2s_port, plan().providers[1].s2s_port};
  return lab::count_connections(*sockets, ports);
}

}  // namespace ligase::bench
