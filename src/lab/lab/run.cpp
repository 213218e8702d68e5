// What is measured is measured from outside the gateways: stanzas at the components, connections in the kernel's table,
// certificates by reading them. Only the proofs are what the gateways say of themselves.
#include "lab/run.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <cstdio>

#include "base/bytes.hpp"
#include "http/client.hpp"
#include "lab/forger.hpp"
#include "lab/inspection.hpp"
#include "lab/kernel_table.hpp"
#include "lab/pages.hpp"

namespace ligase::lab {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

constexpr Clock::duration kConnectPatience = 20s, kFirstPatience = 60s, kRestPatience = 60s,
                          kRestPatienceOfAPair = 10ms;
constexpr std::uint64_t kMostOfAStanza = 300;  // bytes
constexpr Clock::duration kEndPatience = 3s, kAnswerPatience = 10s, kForever = 24h * 365;
constexpr Clock::duration kExpiryPatience = 30s, kRestartPatience = 40s;  // a gateway drains for 30 s at most

double seconds_since(Clock::time_point start) { return Seconds(Clock::now() - start).count(); }

WallTime wall_now() { return std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now()); }

}  // namespace

Run::Run(Options options, Network network) : options_(std::move(options)), network_(network), started_(Clock::now()) {}

Run::~Run() {
  progress_.clear();
  if (exchange_) exchange_->close();
  if (scene_) scene_->end_gateways(loop_, kEndPatience);
}

Result<void> Run::wait(const std::function<bool()>& is_done, Clock::duration patience) {
  std::optional<std::string> dead;
  auto next_look = Clock::now();
  const auto outcome = loop_.until(
      [&] {
        if (const auto now = Clock::now(); now >= next_look) {
          dead = scene_->dead_gateway();
          next_look = now + 20ms;
        }
        return dead || !exchange_->failures().empty() || is_done();
      },
      patience);
  if (outcome == Loop::Outcome::interrupted) return fail(Reason::cancelled, "interrupted");
  if (dead) return fail(Reason::internal, *dead);
  if (!exchange_->failures().empty()) return fail(Reason::link_down, "component " + exchange_->failures().front());
  if (outcome == Loop::Outcome::out_of_time) return fail(Reason::setup_timeout, "out of time");
  return {};
}

// A certificate that is to expire must outlive the start of the gateway that reads it: on a slow machine that takes longer.
Result<void> Run::start_scene() {
  Result<void> started;
  for (const Duration lifetime : {2s, 6s, 20s}) {
    auto scene = Scene::set(make_plan(options_), lifetime);
    if (!scene) return fail(scene.error());
    scene_ = std::move(*scene);
    progress_.step("certificates, signed zones and their name server in " + scene_->plan().folder);
    started = scene_->start_gateways(options_.program, loop_);
    const bool has_expired = scene_->broken_expires() && wall_now() >= *scene_->broken_expires();
    if (started || !has_expired) break;
    scene_->end_gateways(loop_, kEndPatience);
  }
  return started;
}

Result<void> Run::wait_for_components() {
  auto connected = wait(
      [&] {
        progress_.update(fmt::format("{} of {} components", exchange_->connected(), exchange_->components()));
        return exchange_->is_connected();
      },
      kConnectPatience);
  if (!connected && connected.error().reason == Reason::setup_timeout)
    connected.error().detail = fmt::format("only {} of {} components could shake hands within 20 s",
                                           exchange_->connected(), exchange_->components());
  return connected;
}

Result<void> Run::set_up() {
  if (auto started = start_scene(); !started) return started;
  progress_.step("two gateways: " + scene_->plan().providers[0].host + ", " + scene_->plan().providers[1].host);
  exchange_ = std::make_unique<Exchange>(scene_->plan(), options_.stanzas, loop_.executor());
  exchange_->connect();
  if (auto connected = wait_for_components(); !connected) return connected;
  setup_ = seconds_since(started_);
  progress_.step(fmt::format("{} customers' domains connected as components", exchange_->components()));
  return {};
}

Result<void> Run::wait_for_expiry() {
  const WallTime expires = *scene_->broken_expires();
  return wait([&] { return wall_now() > expires; }, kExpiryPatience);
}

Result<void> Run::forge() {
  auto forger = Forger::start(scene_->plan());
  if (!forger) return fail(forger.error());
  auto waited = wait(
      [&] {
        (*forger)->step();
        return (*forger)->answer().has_value() || (*forger)->failure().has_value();
      },
      kFirstPatience);
  if (!waited) return waited;
  if ((*forger)->failure())
    return fail((*forger)->failure()->reason, "the forger was cut off: " + (*forger)->failure()->detail);
  if ((*forger)->answer()->type == stream::DbType::valid)
    return fail(Reason::internal, "gateway one took a forged dialback key for good");
  progress_.step("a forged claim was refused");
  return {};
}

Result<void> Run::restart_peer() {
  const Ledger& ledger = exchange_->ledger();
  exchange_->send_rest(options_.stanzas / 2);
  if (auto waited = wait([&] { return ledger.is_complete_to(options_.stanzas / 2); }, rest_patience()); !waited)
    return waited.error().reason == Reason::setup_timeout ? Result<void>() : waited;
  exchange_->disconnect(1);
  if (auto restarted = scene_->restart_gateway(1, options_.program, loop_, kRestartPatience); !restarted)
    return restarted;
  exchange_->reconnect(1);
  if (auto connected = wait_for_components(); !connected) return connected;
  progress_.step("gateway two was restarted");
  return {};
}

Result<void> Run::do_harm() {
  if (scene_->broken_expires()) return wait_for_expiry();
  if (scene_->plan().has(Harm::dialback_forged)) return forge();
  return {};
}

// One that is slow reads for as long as it needs for everything.
Clock::duration Run::rest_patience() const {
  const Ledger& ledger = exchange_->ledger();
  const Clock::duration usual = kRestPatience + ledger.flows() * kRestPatienceOfAPair;
  if (!scene_->plan().has(Harm::slow_customer)) return usual;
  const std::uint64_t bytes = std::uint64_t{options_.stanzas} * options_.domains_one * kMostOfAStanza;
  return usual + std::chrono::seconds(bytes / kSlowBytesPerSecond);
}

// Out of time is no error here: what is missing then is what the report tells.
Result<void> Run::exchange_all() {
  const Ledger& ledger = exchange_->ledger();
  exchange_->send_first();
  auto waited = wait([&] { return ledger.delivered() + ledger.bounced() == 1; }, kFirstPatience);
  if (!waited) return waited.error().reason == Reason::setup_timeout ? Result<void>() : waited;
  progress_.step(ledger.bounced() == 1 ? "the first stanza came back" : "the first stanza has arrived");
  if (scene_->plan().has(Harm::peer_restart))
    if (auto restarted = restart_peer(); !restarted) return restarted;
  exchange_->send_rest();
  const auto began = Clock::now();
  waited = wait(
      [&] {
        if (!others_took_ && ledger.waits_for_slow_alone()) {
          others_took_ = Clock::now() - began;
          under_way_to_slow_ = ledger.lost();
        }
        progress_.update(fmt::format("{} of {} pairs, {} of {} stanzas arrived, {} came back", ledger.flows_live(),
                                     ledger.flows(), ledger.delivered(), ledger.total(), ledger.bounced()));
        return ledger.is_complete();
      },
      rest_patience());
  if (!waited && waited.error().reason != Reason::setup_timeout) return waited;
  progress_.step(fmt::format("{} of {} stanzas arrived", ledger.delivered(), ledger.total()));
  return {};
}

Result<void> Run::inspect(Report& report) {
  const Plan& plan = scene_->plan();
  const auto sockets = read_kernel_tables();
  if (!sockets) return fail(sockets.error());
  const std::array ports{plan.providers[0].s2s_port, plan.providers[1].s2s_port};
  report.connections = count_connections(*sockets, ports);

  PairCount otherwise;  // proven, but not by what their domains published
  std::vector<PairEntry> of_one;
  std::vector<std::string> certificates;
  for (const Provider& provider : plan.providers) {
    const auto answer = http::get(scene_->control_socket(provider), "/api/v1/pairs", kAnswerPatience);
    if (!answer) return fail(answer.error());
    const bool is_one = &provider == &plan.providers[0], is_shown = plan.way == Way::mixed || plan.breakage != nullptr;
    auto read = for_each_pair(answer->body, [&](const PairEntry& entry) {
      if (entry.state == "proven" || !may_be_refused(plan, entry.local, entry.remote)) report.proofs.add(entry);
      if (is_shown && entry.state == "proven") report.live.push_back(entry);
      if (is_shown && entry.state == "proven" && entry.proof != name_of(proof_due(plan, entry))) otherwise.add(entry);
      if (is_one && plan.breakage != nullptr) of_one.push_back(entry);
    });
    if (!read) return read;
    for (const std::string& file : scene_->certificate_files(provider)) {
      auto certificate = read_file(file);
      if (!certificate) return fail(certificate.error());
      certificates.push_back(std::move(*certificate));
    }
  }
  for (const auto& [what, count] : report.proofs.others)
    report.faults.push_back(fmt::format("pairs {} ({})", what, count));
  for (const auto& [proof, count] : otherwise.proven)
    report.faults.push_back(
        fmt::format("{} entries are proven by {}, though their domains publish something else", count, proof));
  const auto naming = count_naming_customers(certificates, plan);
  if (!naming) return fail(naming.error());
  report.naming = *naming;
  return plan.breakage == nullptr ? Result<void>() : judge(report, std::move(of_one));
}

Result<void> Run::judge(Report& report, std::vector<PairEntry> of_one) {
  const Plan& plan = scene_->plan();
  auto log = read_file(scene_->log_file(plan.providers[0]));
  if (!log) return fail(log.error());
  if (may_be_refused(plan, plan.broken_domain(), plan.providers[0].customers[0])) {
    report.to_be_bounced = 2ull * options_.domains_one * options_.stanzas;
    report.to_be_refused = 4ull * options_.domains_one;  // out and in, at either gateway
  }
  report.outcome =
      judge_outcome(plan, {exchange_->ledger(), std::move(of_one), std::move(*log), others_took_, under_way_to_slow_});
  return {};
}

// What is expected of a broken domain is no fault.
void Run::find_faults(Report& report) const {
  const Ledger& ledger = exchange_->ledger();
  for (const std::string& missing : ledger.missing(5)) report.faults.push_back("never came: " + missing);
  std::uint64_t unexpected = 0;
  for (std::size_t i = 0; i < ledger.flows(); ++i) {
    const Flow flow = ledger.flow(i);
    if (scene_->plan().has(Harm::slow_customer) && ledger.target(flow) == scene_->plan().broken_domain()) continue;
    if (!may_be_refused(scene_->plan(), ledger.sender(flow), ledger.target(flow))) unexpected += ledger.bounced(i);
  }
  if (unexpected != 0)
    for (const auto& [text, count] : ledger.bounce_texts())
      report.faults.push_back(fmt::format("came back with \"{}\" ({})", escaped(text, 400), count));
  for (const auto& [kind, fault] : ledger.faults())
    report.faults.push_back(fmt::format("arrived {} ({}), such as {}", kind, fault.count, fault.example));
  if (ledger.sent() < ledger.total())
    report.faults.push_back(fmt::format("{} stanzas could not even be written", ledger.total() - ledger.sent()));
}

Result<Report> Run::make_report() {
  const Ledger& ledger = exchange_->ledger();
  Report report;
  report.domains = {options_.domains_one, options_.domains_two};
  report.way = scene_->plan().way;
  report.pairs = ledger.flows();
  report.sent = ledger.sent();
  report.delivered = ledger.delivered();
  report.lost = ledger.lost();
  report.bounced = ledger.bounced();
  report.setup = setup_;
  report.first_connect = ledger.first_time(0).value_or(Seconds{}).count();
  report.subsequent_pair_median = ledger.median_of_further().value_or(Seconds{}).count();
  report.all_pairs = ledger.span_of_further().value_or(Seconds{}).count();
  if (auto inspected = inspect(report); !inspected) return fail(inspected.error());
  find_faults(report);
  return report;
}

Result<Report> Run::go() {
  if (auto set = set_up(); !set) return fail(set.error());
  if (auto harmed = do_harm(); !harmed) return fail(harmed.error());
  if (auto exchanged = exchange_all(); !exchanged) return fail(exchanged.error());
  auto report = make_report();
  progress_.clear();
  return report;
}

void Run::stay() {
  bool has_told = false;
  loop_.until(
      [&] {
        const auto dead = has_told ? std::nullopt : scene_->dead_gateway();
        if (dead) std::fprintf(stderr, "ligase: error: %s\n", dead->c_str());
        has_told = has_told || dead;
        return false;
      },
      kForever);
}

std::string Run::how_to_look() const {
  std::string text = "\nThe lab goes on. Look at it from another terminal:\n";
  for (const Provider& provider : scene_->plan().providers)
    for (const char* command : {"status", "streams", "pairs"})
      text += fmt::format("  {} ctl --control {} {}\n", options_.program, scene_->control_socket(provider), command);
  for (const Provider& provider : scene_->plan().providers)
    text += fmt::format("  less {}    # and its log: {}\n", provider.file("ligase.toml"), scene_->log_file(provider));
  // Files and sockets with paths are seen from everywhere, addresses of a network of its own only from inside.
  const std::string inside =
      network_ == Network::of_the_machine
          ? ""
          : fmt::format("nsenter --preserve-credentials {}-n -t {} ", geteuid() == 0 ? "" : "-U ", getpid());
  text += fmt::format("  {}dig +dnssec @127.0.0.1 -p {} _xmpp-server._tcp.{} SRV\n", inside, scene_->plan().dns_port,
                      scene_->plan().providers[1].customers.front());
  if (const auto hosts = web_hosts(scene_->plan()); !hosts.empty())
    text += fmt::format("  {}curl --cacert {} --resolve {}:443:{} https://{}/.well-known/posh/xmpp-server.json\n",
                        inside, scene_->plan().anchors_file(), hosts.back(), scene_->plan().web_address, hosts.back());
  return text + "Ctrl-C ends it and removes " + scene_->plan().folder + ".\n";
}

}  // namespace ligase::lab
