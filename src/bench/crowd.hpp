// All customers of both providers as components, and stanzas between them: one for each pair asked for, all at once or
// some at a time.
#pragma once
#include <chrono>
#include <deque>
#include <string>
#include <vector>

#include "lab/component.hpp"
#include "world.hpp"

namespace ligase::bench {

class Crowd final : private lab::Component::Owner {
 public:
  struct Way {  // one pair and direction, by the components' numbers: provider one's first, then provider two's
    std::size_t from, to;
  };

  explicit Crowd(World& world);
  Result<void> connect();

  std::size_t one() const noexcept { return world_.plan().providers[0].customers.size(); }
  std::size_t two() const noexcept { return world_.plan().providers[1].customers.size(); }
  // Every customer of provider one to every one of provider two.
  std::vector<Way> all_from_one() const;

  // Sends one stanza for each of `ways` and waits for all of them. Seconds from the first one written to the last one
  // read. An error if one came back or did not come in time.
  Result<double> send(const std::vector<Way>& ways);
  // The same in portions of `at_once`, each after the one before has arrived.
  Result<void> send(const std::vector<Way>& ways, std::size_t at_once);

 private:
  using Clock = std::chrono::steady_clock;

  void on_ready() override { ++ready_; }
  void on_message(std::size_t who, const lab::Component::Message& message) override;
  std::string next_stanza(std::size_t who) override;
  void on_failed(std::size_t who, std::string why) override;
  const std::string& domain(std::size_t who) const;

  World& world_;
  std::vector<lab::Component> components_;
  std::vector<std::deque<std::size_t>> to_send_;  // of each component: to whom
  std::size_t ready_ = 0, arrived_ = 0;
  std::optional<Clock::time_point> first_;
  Clock::time_point last_{};
  std::string failure_;
};

}  // namespace ligase::bench
