// Stanzas are made when a connection has room for them, so that any number of them needs little memory.
#include "lab/exchange.hpp"

namespace ligase::lab {
namespace {

constexpr std::size_t kMostFailures = 5;

}  // namespace

Exchange::Exchange(const Plan& plan, unsigned stanzas, const Executor& executor)
    : plan_(plan), stanzas_(stanzas), ledger_(plan, stanzas) {
  for (const Provider& provider : plan.providers)
    for (const std::string& customer : provider.customers)
      components_.push_back(
          Component(executor, provider.component_port, customer, plan.component_secret, components_.size(), *this));
  sent_.resize(components_.size());
}

void Exchange::connect() {
  for (Component& component : components_) component.start();
}

void Exchange::send_first() {
  allowed_ = 1;
  components_.front().wake();
}

void Exchange::send_rest() {
  all_allowed_ = true;
  for (Component& component : components_) component.wake();
}

void Exchange::close() {
  for (Component& component : components_) component.close();
}

const std::string& Exchange::domain(std::size_t who) const noexcept {
  const std::size_t first = plan_.providers[0].customers.size();
  return who < first ? plan_.providers[0].customers[who] : plan_.providers[1].customers[who - first];
}

std::size_t Exchange::targets(std::size_t who) const noexcept {
  return plan_.providers[who < plan_.providers[0].customers.size() ? 1 : 0].customers.size();
}

std::string Exchange::next_stanza(std::size_t who) {
  const std::size_t count = targets(who);
  if (sent_[who] == count * stanzas_ || (!all_allowed_ && (who != 0 || sent_[0] >= allowed_))) return {};
  const std::size_t first = plan_.providers[0].customers.size();
  const Flow flow{who < first ? 0u : 1u, static_cast<unsigned>(who < first ? who : who - first),
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
