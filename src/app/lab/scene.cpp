// The order matters: ports before zones (an SRV record names them), the name server before configurations (they name it).
#include "lab/scene.hpp"

#include <openssl/rand.h>

#include <array>

#include "lab/authority.hpp"
#include "lab/configuration.hpp"
#include "lab/zones.hpp"

namespace ligase::lab {
namespace {

using namespace std::chrono_literals;

constexpr auto kStartPatience = 20s;

}  // namespace

Result<std::unique_ptr<Scene>> Scene::set(Plan plan) {
  auto folder = Folder::make();
  if (!folder) return fail(folder.error());
  std::unique_ptr<Scene> scene(new Scene(std::move(plan), std::move(*folder)));
  if (auto built = scene->build(); !built) return fail(built.error());
  return scene;
}

Result<void> Scene::build() {
  plan_.folder = folder_.path();
  std::array<unsigned char, 24> random{};
  if (RAND_bytes(random.data(), random.size()) != 1) return fail(Reason::internal, "no randomness to be had");
  plan_.component_secret = hex(random);
  for (Provider& provider : plan_.providers) {
    provider.folder = folder_.path() + "/" + provider.name;
    for (std::uint16_t* port : {&provider.s2s_port, &provider.component_port}) {
      auto held = HeldPort::take();
      if (!held) return fail(held.error());
      *port = held->number();
      ports_.push_back(std::move(*held));
    }
  }
  const auto authority = Authority::make();
  if (!authority) return fail(authority.error());
  const auto identities = make_identities(plan_, *authority);
  if (!identities) return fail(identities.error());
  if (auto planted = plant_zones(make_zones(plan_, *identities)); !planted) return planted;
  if (auto written = write_file(plan_.anchors_file(), authority->certificate(), 0644); !written) return written;
  if (auto written = write_file(plan_.root_anchor_file(), tree_.trust_anchor(), 0644); !written) return written;
  for (std::size_t i = 0; i < plan_.providers.size(); ++i)
    if (auto written = write_provider(plan_.providers[i], (*identities)[i]); !written) return written;
  return {};
}

Result<void> Scene::plant_zones(const std::vector<ZoneText>& zones) {
  for (const ZoneText& zone : zones) {
    const auto delegation = zone.is_signed ? dns::Delegation::secure : dns::Delegation::insecure;
    if (auto added = tree_.add_zone(zone.name, delegation); !added) return added;
    for (const std::string& record : zone.records)
      if (auto added = tree_.add(record); !added) return added;
  }
  auto server = dns::Server::start(tree_);
  if (!server) return fail(server.error());
  name_server_ = std::move(*server);
  plan_.dns_port = name_server_->port();
  return {};
}

Result<void> Scene::write_provider(const Provider& provider, const Identity& identity) {
  if (auto made = make_folder(provider.folder); !made) return made;
  struct {
    std::string name, text;
    unsigned mode;
  } const files[] = {{provider.host + ".pem", identity.certificate, 0644},
                     {provider.host + ".key", identity.private_key, 0600},
                     {"component.secret", plan_.component_secret + "\n", 0600},
                     {"customers.txt", make_customer_list(provider), 0644},
                     {"ligase.toml", make_configuration(plan_, provider), 0644}};
  for (const auto& file : files)
    if (auto written = write_file(provider.file(file.name), file.text, file.mode); !written) return written;
  return {};
}

Result<void> Scene::start_gateways(const std::string& program, Loop& loop) {
  for (const Provider& provider : plan_.providers) {
    auto child = Child::start({program, "serve", "--config", provider.file("ligase.toml")}, log_file(provider));
    if (!child) return fail(child.error());
    gateways_.push_back(std::move(*child));
  }
  std::optional<std::string> dead;
  const auto outcome = loop.until(
      [&] {
        dead = dead_gateway();
        return dead || (gateways_[0].has_logged("event=ready") && gateways_[1].has_logged("event=ready"));
      },
      kStartPatience);
  if (dead) return fail(Reason::internal, *dead);
  switch (outcome) {
    case Loop::Outcome::done:
      return {};
    case Loop::Outcome::interrupted:
      return fail(Reason::cancelled, "interrupted");
    case Loop::Outcome::out_of_time:
      break;
  }
  const std::size_t slow = gateways_[0].has_logged("event=ready") ? 1 : 0;
  return fail(Reason::setup_timeout, "gateway " + plan_.providers[slow].name +
                                         " is not ready after 20 s; its log ends:\n" + gateways_[slow].last_lines(5));
}

std::optional<std::string> Scene::dead_gateway() {
  for (std::size_t i = 0; i < gateways_.size(); ++i)
    if (const auto end = gateways_[i].ended())
      return "gateway " + plan_.providers[i].name + " ended: " + *end + "; its log ends:\n" +
             gateways_[i].last_lines(5);
  return std::nullopt;
}

void Scene::end_gateways(Loop& loop, std::chrono::steady_clock::duration patience) {
  loop.forget_signals();
  for (const Child& gateway : gateways_) gateway.ask_to_end();
  loop.until(
      [&] {
        bool all = true;
        for (Child& gateway : gateways_) all = gateway.ended().has_value() && all;
        return all;
      },
      patience);
  gateways_.clear();
}

}  // namespace ligase::lab
