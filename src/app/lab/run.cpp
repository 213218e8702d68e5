// What is measured is measured from outside the gateways: stanzas at the components, connections in the kernel's table,
// certificates by reading them. Only the proofs are what the gateways say of themselves.
#include "lab/run.hpp"

#include <fmt/format.h>

#include <array>
#include <cstdio>

#include "base/bytes.hpp"
#include "http/client.hpp"
#include "lab/inspection.hpp"
#include "lab/kernel_table.hpp"

namespace ligase::lab {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

constexpr Clock::duration kConnectPatience = 20s, kFirstPatience = 60s, kRestPatience = 60s,
                          kRestPatienceOfAPair = 10ms;
constexpr Clock::duration kEndPatience = 3s, kAnswerPatience = 10s, kForever = 24h * 365;

double seconds_since(Clock::time_point start) { return Seconds(Clock::now() - start).count(); }

}  // namespace

Run::Run(Options options) : options_(std::move(options)), started_(Clock::now()) {}

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

Result<void> Run::set_up() {
  auto scene = Scene::set(make_plan(options_));
  if (!scene) return fail(scene.error());
  scene_ = std::move(*scene);
  progress_.step("certificates, signed zones and their name server in " + scene_->plan().folder);
  if (auto started = scene_->start_gateways(options_.program, loop_); !started) return started;
  progress_.step("two gateways: " + scene_->plan().providers[0].host + ", " + scene_->plan().providers[1].host);
  exchange_ = std::make_unique<Exchange>(scene_->plan(), options_.stanzas, loop_.executor());
  exchange_->connect();
  const auto connected = wait(
      [&] {
        progress_.update(fmt::format("{} of {} components", exchange_->connected(), exchange_->components()));
        return exchange_->is_connected();
      },
      kConnectPatience);
  if (!connected) {
    Error error = connected.error();
    if (error.reason == Reason::setup_timeout)
      error.detail = fmt::format("only {} of {} components could shake hands within 20 s", exchange_->connected(),
                                 exchange_->components());
    return fail(error);
  }
  setup_ = seconds_since(started_);
  progress_.step(fmt::format("{} customers' domains connected as components", exchange_->components()));
  return {};
}

// Out of time is no error here: what is missing then is what the report tells.
Result<void> Run::exchange_all() {
  const Ledger& ledger = exchange_->ledger();
  exchange_->send_first();
  auto waited = wait([&] { return ledger.delivered() + ledger.bounced() == 1; }, kFirstPatience);
  if (!waited) return waited.error().reason == Reason::setup_timeout ? Result<void>() : waited;
  progress_.step(ledger.bounced() == 1 ? "the first stanza came back" : "the first stanza has arrived");
  exchange_->send_rest();
  waited = wait(
      [&] {
        progress_.update(fmt::format("{} of {} pairs, {} of {} stanzas arrived, {} came back", ledger.flows_live(),
                                     ledger.flows(), ledger.delivered(), ledger.total(), ledger.bounced()));
        return ledger.is_complete();
      },
      kRestPatience + ledger.flows() * kRestPatienceOfAPair);
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

  PairCount pairs;
  std::vector<std::string> certificates;
  for (const Provider& provider : plan.providers) {
    const auto answer = http::get(scene_->control_socket(provider), "/api/v1/pairs", kAnswerPatience);
    if (!answer) return fail(answer.error());
    if (auto counted = count_pairs(answer->body, pairs); !counted) return counted;
    auto certificate = read_file(scene_->certificate_file(provider));
    if (!certificate) return fail(certificate.error());
    certificates.push_back(std::move(*certificate));
  }
  report.proofs = pairs.proven;
  for (const auto& [what, count] : pairs.others) report.faults.push_back(fmt::format("pairs {} ({})", what, count));
  const auto naming = count_naming_customers(certificates, plan);
  if (!naming) return fail(naming.error());
  report.certificates_with_customer_names = *naming;
  return {};
}

Result<Report> Run::make_report() {
  const Ledger& ledger = exchange_->ledger();
  Report report;
  report.domains = {options_.domains_one, options_.domains_two};
  report.way = options_.proof;
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
  for (const std::string& missing : ledger.missing(5)) report.faults.push_back("never came: " + missing);
  for (const auto& [text, count] : ledger.bounce_texts())
    report.faults.push_back(fmt::format("came back with \"{}\" ({})", escaped(text, 400), count));
  for (const auto& [kind, fault] : ledger.faults())
    report.faults.push_back(fmt::format("arrived {} ({}), such as {}", kind, fault.count, fault.example));
  if (ledger.sent() < ledger.total())
    report.faults.push_back(fmt::format("{} stanzas could not even be written", ledger.total() - ledger.sent()));
  return report;
}

Result<Report> Run::go() {
  if (auto set = set_up(); !set) return fail(set.error());
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
  text += fmt::format("  dig +dnssec @127.0.0.1 -p {} _xmpp-server._tcp.{} SRV\n", scene_->plan().dns_port,
                      scene_->plan().providers[1].customers.front());
  return text + "Ctrl-C ends it and removes " + scene_->plan().folder + ".\n";
}

}  // namespace ligase::lab
