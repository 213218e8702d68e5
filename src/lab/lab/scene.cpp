// The order matters: ports before zones (an SRV record names them), the name server before configurations (they name it).
#include "lab/scene.hpp"

#include <openssl/rand.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "lab/authority.hpp"
#include "lab/configuration.hpp"
#include "lab/pages.hpp"
#include "lab/zones.hpp"

namespace ligase::lab {
namespace {

using namespace std::chrono_literals;

constexpr auto kStartPatience = 20s;

}  // namespace

Result<std::unique_ptr<Scene>> Scene::set(Plan plan, Duration broken_lifetime) {
  auto folder = Folder::make();
  if (!folder) return fail(folder.error());
  std::unique_ptr<Scene> scene(new Scene(std::move(plan), std::move(*folder)));
  if (auto built = scene->build(broken_lifetime); !built) return fail(built.error());
  return scene;
}

Result<void> Scene::build(Duration broken_lifetime) {
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
  if (plan_.needs_web()) {
    auto bound = WebServer::bind();
    if (!bound) return fail(bound.error());
    web_server_ = std::move(*bound);
    plan_.web_address = web_server_->address();
  }
  const auto identities = make_identities(plan_, *authority, broken_lifetime);
  if (!identities) return fail(identities.error());
  if (plan_.has(Harm::cert_expired)) broken_expires_ = (*identities)[1].broken->not_after;
  if (auto planted = plant_zones(make_zones(plan_, *identities)); !planted) return planted;
  if (web_server_)
    if (auto serves = open_web(*authority, *identities); !serves) return serves;
  if (auto written = write_file(plan_.anchors_file(), authority->certificate(), 0644); !written) return written;
  if (plan_.has(Harm::cert_revoked)) {
    const auto list = authority->revocation_list({(*identities)[1].broken->certificate});
    if (!list) return fail(list.error());
    if (auto written = write_file(plan_.revocation_list_file(), *list, 0644); !written) return written;
  }
  if (auto written = write_file(plan_.root_anchor_file(), tree_.trust_anchor(), 0644); !written) return written;
  for (std::size_t i = 0; i < plan_.providers.size(); ++i)
    if (auto written = write_provider(plan_.providers[i], (*identities)[i]); !written) return written;
  return {};
}

Result<void> Scene::open_web(const Authority& authority, const std::array<Identities, 2>& identities) {
  const auto identity = authority.issue({.hosts = web_hosts(plan_)});
  if (!identity) return fail(identity.error());
  auto pages = make_pages(plan_, identities);
  if (!pages) return fail(pages.error());
  return web_server_->serve(*identity, std::move(*pages));
}

Result<void> Scene::plant_zones(const std::vector<ZoneText>& zones) {
  for (const ZoneText& zone : zones) {
    const auto delegation = zone.is_signed ? dns::Delegation::secure : dns::Delegation::insecure;
    if (auto added = tree_.add_zone(zone.name, delegation); !added) return added;
    for (const std::string& record : zone.records)
      if (auto added = tree_.add(record); !added) return added;
  }
  if (auto spoilt = spoil(plan_, tree_); !spoilt) return spoilt;
  auto server = dns::Server::start(tree_);
  if (!server) return fail(server.error());
  name_server_ = std::move(*server);
  if (plan_.has(Harm::nameserver_silent)) name_server_->set_manner(plan_.broken_domain(), dns::Manner::silent);
  plan_.dns_port = name_server_->port();
  return {};
}

Result<void> Scene::write_provider(const Provider& provider, const Identities& identities) {
  if (auto made = make_folder(provider.folder); !made) return made;
  struct File {
    std::string name, text;
    unsigned mode;
  };
  std::vector<File> files{{provider.host + ".pem", identities.own.certificate, 0644},
                          {provider.host + ".key", identities.own.private_key, 0600},
                          {"component.secret", plan_.component_secret + "\n", 0600},
                          {"customers.txt", make_customer_list(provider), 0644},
                          {"ligase.toml", make_configuration(plan_, provider), 0644}};
  if (identities.broken && plan_.has_broken_certificate()) {
    files.push_back({provider.other_host + ".pem", identities.broken->certificate, 0644});
    files.push_back({provider.other_host + ".key", identities.broken->private_key, 0600});
  }
  for (const File& file : files)
    if (auto written = write_file(provider.file(file.name), file.text, file.mode); !written) return written;
  return {};
}

std::vector<std::string> Scene::certificate_files(const Provider& provider) const {
  std::vector<std::string> files{provider.file(provider.host + ".pem")};
  if (plan_.has_broken_certificate() && provider.host == plan_.providers[1].host)
    files.push_back(provider.file(provider.other_host + ".pem"));
  return files;
}

Result<void> Scene::start_gateway(const Provider& provider, const std::string& program) {
  auto child = Child::start({program, "serve", "--config", provider.file("ligase.toml")}, log_file(provider));
  if (!child) return fail(child.error());
  gateways_.push_back(std::make_unique<Child>(std::move(*child)));
  return {};
}

Result<void> Scene::start_gateways(const std::string& program, Loop& loop) {
  for (const Provider& provider : plan_.providers)
    if (auto started = start_gateway(provider, program); !started) return started;
  return wait_until_ready(loop);
}

Result<void> Scene::wait_until_ready(Loop& loop) {
  std::optional<std::string> dead;
  const auto outcome = loop.until(
      [&] {
        dead = dead_gateway();
        return dead || (gateways_[0]->has_logged("event=ready") && gateways_[1]->has_logged("event=ready"));
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
  const std::size_t slow = gateways_[0]->has_logged("event=ready") ? 1 : 0;
  return fail(Reason::setup_timeout, "gateway " + plan_.providers[slow].name +
                                         " is not ready after 20 s; its log ends:\n" + gateways_[slow]->last_lines(5));
}

// The log goes on in a file of its own: what the first one said stays readable, and "ready" is the second one's word.
Result<void> Scene::restart_gateway(std::size_t which, const std::string& program, Loop& loop,
                                    std::chrono::steady_clock::duration patience) {
  const Provider& provider = plan_.providers[which];
  gateways_[which]->ask_to_end();
  const auto outcome = loop.until([&] { return gateways_[which]->ended().has_value(); }, patience);
  if (outcome == Loop::Outcome::interrupted) return fail(Reason::cancelled, "interrupted");
  if (outcome == Loop::Outcome::out_of_time)
    return fail(Reason::setup_timeout, "gateway " + provider.name + " did not end when asked to");
  if (const std::string end = *gateways_[which]->ended(); end != "exit code 0")
    return fail(Reason::internal, "gateway " + provider.name + ", asked to end, ended with " + end);
  const std::string log = log_file(provider);
  if (std::rename(log.c_str(), (log + ".before").c_str()) != 0)
    return fail(Reason::file_unreadable, "cannot rename " + log + ": " + std::strerror(errno));
  auto child = Child::start({program, "serve", "--config", provider.file("ligase.toml")}, log);
  if (!child) return fail(child.error());
  gateways_[which] = std::make_unique<Child>(std::move(*child));
  return wait_until_ready(loop);
}

std::optional<std::string> Scene::dead_gateway() {
  for (std::size_t i = 0; i < gateways_.size(); ++i)
    if (const auto end = gateways_[i]->ended())
      return "gateway " + plan_.providers[i].name + " ended: " + *end + "; its log ends:\n" +
             gateways_[i]->last_lines(5);
  return std::nullopt;
}

void Scene::end_gateways(Loop& loop, std::chrono::steady_clock::duration patience) {
  loop.forget_signals();
  for (const auto& gateway : gateways_) gateway->ask_to_end();
  loop.until(
      [&] {
        bool all = true;
        for (const auto& gateway : gateways_) all = gateway->ended().has_value() && all;
        return all;
      },
      patience);
  gateways_.clear();
}

}  // namespace ligase::lab
