// The customers of both providers as components, and the stanzas between them. First one stanza alone, which finds nothing
// prepared; then everything else at once: for every other pair its first stanza, then the second ones, and so on.
#pragma once
#include <functional>
#include <string>
#include <vector>

#include "lab/component.hpp"
#include "lab/ledger.hpp"
#include "task.hpp"

namespace ligase::lab {

constexpr std::size_t kSlowBytesPerSecond = 10'000;  // Harm::slow_customer

class Exchange final : private Component::Owner {
 public:
  Exchange(const Plan& plan, unsigned stanzas, const Executor& executor);

  void connect();
  bool is_connected() const noexcept { return ready_ == components_.size(); }
  std::size_t connected() const noexcept { return ready_; }
  std::size_t components() const noexcept { return components_.size(); }

  void send_first();  // flow 0, one stanza
  // The stanzas of every pair up to this many for each; all of them by default.
  void send_rest(unsigned for_each = kMostStanzas);
  void close();
  // For a gateway that is to be restarted: its customers hang up, and come again.
  void disconnect(std::size_t provider);
  void reconnect(std::size_t provider);

  const Ledger& ledger() const noexcept { return ledger_; }
  // What connections failed with, the first few: "sender1.tld: …". Empty: all live.
  const std::vector<std::string>& failures() const noexcept { return failures_; }

 private:
  void on_ready() override { ++ready_; }
  void on_message(std::size_t who, const Component::Message& message) override;
  std::string next_stanza(std::size_t who) override;
  void on_failed(std::size_t who, std::string why) override;
  const std::string& domain(std::size_t who) const noexcept;
  std::size_t targets(std::size_t who) const noexcept;  // how many pairs it is the sender of
  std::size_t first_of(std::size_t provider) const noexcept;
  Component make_component(std::size_t who);

  const Plan& plan_;
  Executor executor_;
  unsigned stanzas_;
  Ledger ledger_;
  std::vector<Component> components_;  // provider one's customers, then provider two's
  std::vector<std::size_t> sent_;      // of each component: how many of its stanzas were written
  std::size_t ready_ = 0;
  unsigned allowed_ = 0;  // stanzas of each pair; 0: only the first of all, if has_begun_
  bool has_begun_ = false;
  std::vector<std::string> failures_;
};

}  // namespace ligase::lab
