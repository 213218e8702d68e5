// Stanzas are made when a connection has room for them, so that any number of them needs little memory.
#include "lab/exchange.hpp"

#include <algorithm>

namespace ligase::lab {
namespace {

constexpr std::size_t kMostFailures = 5;

}  // namespace

Exchange::Exchange(const Plan& plan, unsigned stanzas, const Executor& executor)
    : plan_(plan), executor_(executor), stanzas_(stanzas), ledger_(plan, stanzas) {
  const std::size_t count = plan.providers[0].customers.size() + plan.providers[1].customers.size();
  for (std::size_t who = 0; who < count; ++who) components_.push_back(make_component(who));
  sent_.resize(count);
}

Component Exchange::make_component(std::size_t who) {
  const Provider& provider = plan_.providers[who < first_of(1) ? 0 : 1];
  Component made(executor_, provider.component_port, domain(who), plan_.component_secret, who, *this);
  if (plan_.has(Harm::slow_customer) && domain(who) == plan_.broken_domain()) made.read_slowly(kSlowBytesPerSecond);
  return made;
}

std::size_t Exchange::first_of(std::size_t provider) const noexcept {
  return provider == 0 ? 0 : plan_.providers[0].customers.size();
}

void Exchange::connect() {
  for (Component& component : components_) component.start();
}

void Exchange::send_first() {
  has_begun_ = true;
  components_.front().wake();
}

void Exchange::send_rest(unsigned for_each) {
  allowed_ = std::min(for_each, stanzas_);
  for (Component& component : components_) component.wake();
}

void Exchange::close() {
  for (Component& component : components_) component.close();
}

void Exchange::disconnect(std::size_t provider) {
  const std::size_t first = first_of(provider), count = plan_.providers[provider].customers.size();
  for (std::size_t who = first; who < first + count; ++who) components_[who].close();
  ready_ -= count;
}

void Exchange::reconnect(std::size_t provider) {
  const std::size_t first = first_of(provider), count = plan_.providers[provider].customers.size();
  for (std::size_t who = first; who < first + count; ++who) {
    components_[who] = make_component(who);
    components_[who].start();
  }
}

const std::string& Exchange::domain(std::size_t who) const noexcept {
  const std::size_t provider = who < first_of(1) ? 0 : 1;
  return plan_.providers[provider].customers[who - first_of(provider)];
}

std::size_t Exchange::targets(std::size_t who) const noexcept {
  return plan_.providers[who < first_of(1) ? 1 : 0].customers.size();
}

std::string Exchange::next_stanza(std::size_t who) {
  const std::size_t count = targets(who);
  const bool is_first_of_all = has_begun_ && who == 0 && sent_[0] == 0;
  if (sent_[who] >= count * allowed_ && !is_first_of_all) return {};
  const std::size_t provider = who < first_of(1) ? 0 : 1;
  const Flow flow{static_cast<unsigned>(provider), static_cast<unsigned>(who - first_of(provider)),
                  static_cast<unsigned>(sent_[who] % count)};
  const auto number = static_cast<unsigned>(sent_[who]++ / count);
  return ledger_.write(ledger_.index(flow), number, std::chrono::steady_clock::now());
}

void Exchange::on_message(std::size_t who, const Component::Message& message) {
  ledger_.arrived(
      {.at = domain(who), .from = message.from, .id = message.id, .text = message.error, .is_error = message.is_error},
      std::chrono::steady_clock::now());
}

void Exchange::on_failed(std::size_t who, std::string why) {
  if (failures_.size() < kMostFailures) failures_.push_back(domain(who) + ": " + why);
}

}  // namespace ligase::lab
