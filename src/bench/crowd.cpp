// The stanza is as small as the lab's; what a pair costs is not in its bytes.
#include "crowd.hpp"

#include <span>

namespace ligase::bench {
namespace {

using namespace std::chrono_literals;
constexpr auto kConnectPatience = 60s, kPatience = 60s;

}  // namespace

Crowd::Crowd(World& world) : world_(world) {
  for (const lab::Provider& provider : world.plan().providers)
    for (const std::string& customer : provider.customers)
      components_.push_back(lab::Component(world.loop().executor(), provider.component_port, customer,
                                           world.plan().component_secret, components_.size(), *this));
  to_send_.resize(components_.size());
}

Result<void> Crowd::connect() {
  for (lab::Component& component : components_) component.start();
  auto waited = world_.wait([&] { return ready_ == components_.size() || !failure_.empty(); }, kConnectPatience,
                            "not every component could shake hands");
  if (waited && !failure_.empty()) return fail(Reason::link_down, failure_);
  return waited;
}

std::vector<Crowd::Way> Crowd::all_from_one() const {
  std::vector<Way> ways;
  for (std::size_t from = 0; from < one(); ++from)
    for (std::size_t to = 0; to < two(); ++to) ways.push_back({from, one() + to});
  return ways;
}

Result<double> Crowd::send(const std::vector<Way>& ways) {
  for (const Way& way : ways) to_send_[way.from].push_back(way.to);
  arrived_ = 0;
  first_.reset();
  for (std::size_t who = 0; who < components_.size(); ++who)
    if (!to_send_[who].empty()) components_[who].wake();
  auto waited =
      world_.wait([&] { return arrived_ == ways.size() || !failure_.empty(); }, kPatience, "not every stanza arrived");
  if (!waited) return fail(waited.error());
  if (!failure_.empty()) return fail(Reason::internal, failure_);
  return std::chrono::duration<double>(last_ - *first_).count();
}

Result<void> Crowd::send(const std::vector<Way>& ways, std::size_t at_once) {
  for (std::size_t at = 0; at < ways.size(); at += at_once) {
    const auto portion = std::span(ways).subspan(at, std::min(at_once, ways.size() - at));
    if (auto sent = send(std::vector<Way>(portion.begin(), portion.end())); !sent) return fail(sent.error());
  }
  return {};
}

const std::string& Crowd::domain(std::size_t who) const {
  return who < one() ? world_.plan().providers[0].customers[who] : world_.plan().providers[1].customers[who - one()];
}

std::string Crowd::next_stanza(std::size_t who) {
  if (to_send_[who].empty()) return {};
  const std::size_t to = to_send_[who].front();
  to_send_[who].pop_front();
  if (!first_) first_ = Clock::now();
  return "<message from='bench@" + domain(who) + "/bench' to='bench@" + domain(to) +
         "' type='normal'><body>one</body></message>";
}

void Crowd::on_message(std::size_t, const lab::Component::Message& message) {
  if (message.is_error && failure_.empty()) failure_ = "a stanza came back: " + message.error;
  ++arrived_;
  last_ = Clock::now();
}

void Crowd::on_failed(std::size_t who, std::string why) {
  if (failure_.empty()) failure_ = domain(who) + ": " + why;
}

}  // namespace ligase::bench
