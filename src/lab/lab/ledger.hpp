// What was sent, what came, and when: one entry a stanza. The lab's counts come from here alone, fed by what was read
// at the components; a stanza counts as delivered once, at the right domain, from the right one, and in its pair's
// order.
#pragma once
#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lab/plan.hpp"

namespace ligase::lab {

using Moment = std::chrono::steady_clock::time_point;
using Seconds = std::chrono::duration<double>;

// One pair and direction: a customer of one provider sends to one of the other.
struct Flow {
  unsigned from_provider = 0, sender = 0, target = 0;  // indices: of the sender's provider, and of the customers
};

class Ledger {
 public:
  Ledger(const Plan& plan, unsigned stanzas);

  std::size_t flows() const noexcept { return written_.size(); }
  Flow flow(std::size_t index) const noexcept;
  std::size_t index(const Flow& flow) const noexcept;
  const std::string& sender(const Flow& flow) const noexcept;
  const std::string& target(const Flow& flow) const noexcept;

  // The stanza's text in the component's namespace; counts it as sent, the first of a flow with its time.
  std::string write(std::size_t flow, unsigned number, Moment now);

  // A message read at the component of `at`. `is_error`: type='error'; `text`: what it says.
  struct Arrival {
    std::string_view at, from, id, text = {};
    bool is_error = false;
  };
  void arrived(const Arrival& arrival, Moment now);

  // What became of one flow's stanzas.
  std::uint64_t delivered(std::size_t flow) const { return count(flow, Fate::delivered); }
  std::uint64_t bounced(std::size_t flow) const { return count(flow, Fate::bounced); }

  std::uint64_t sent() const noexcept { return sent_; }
  std::uint64_t delivered() const noexcept { return delivered_; }
  std::uint64_t bounced() const noexcept { return bounced_; }
  std::uint64_t lost() const noexcept { return sent_ - delivered_ - bounced_; }
  bool is_complete() const noexcept { return is_complete_to(stanzas_); }
  // The stanzas of every flow up to this many for each were sent, and none is under way.
  bool is_complete_to(unsigned for_each) const noexcept { return sent_ == flows() * for_each && lost() == 0; }
  // All that is still to come is for the domain that is slow: everything else has arrived, or came back.
  bool waits_for_slow_alone() const noexcept { return sent_ == total_ && lost() == to_slow_; }
  std::uint64_t total() const noexcept { return total_; }
  std::uint64_t flows_live() const noexcept { return flows_live_; }  // with a stanza delivered

  // First stanza of `flow`: written to arrived; nullopt while it has not.
  std::optional<Seconds> first_time(std::size_t flow) const noexcept;
  // Over all flows but number 0, which was alone. nullopt if none has arrived.
  std::optional<Seconds> median_of_further() const;

  // Over the same flows: the first written to the last arrived.
  std::optional<Seconds> span_of_further() const;

  // What must not be: twice, out of order, at a wrong place. Each kind with its number and one example.
  struct Fault {
    std::uint64_t count = 0;
    std::string example;
  };
  const std::map<std::string, Fault>& faults() const noexcept { return faults_; }
  // Texts of bounces, at most 5 different ones, with their numbers.
  const std::map<std::string, std::uint64_t>& bounce_texts() const noexcept { return bounce_texts_; }
  // Up to `most` stanzas that neither came nor bounced, as "sender1.tld → target2.tld, stanza 1".
  std::vector<std::string> missing(std::size_t most) const;

 private:
  enum class Fate : std::uint8_t { unsent, under_way, delivered, bounced };
  bool is_to_slow(const Flow& flow) const noexcept { return flow.from_provider == 0 && flow.target == slow_; }
  Fate& fate(std::size_t flow, unsigned number) { return fates_[flow * stanzas_ + number]; }
  std::uint64_t count(std::size_t flow, Fate fate) const;
  void note(const char* kind, const Arrival& arrival);

  const Plan& plan_;
  unsigned stanzas_;
  std::uint64_t total_;
  std::vector<Fate> fates_;
  std::vector<unsigned> next_;  // of each flow: the lowest number not yet seen
  std::vector<Moment> written_, arrived_;
  std::size_t slow_ = SIZE_MAX;  // provider two's customer that is slow, if any
  std::uint64_t to_slow_ = 0;    // under way to it
  std::uint64_t sent_ = 0, delivered_ = 0, bounced_ = 0, flows_live_ = 0;
  std::map<std::string, Fault> faults_;
  std::map<std::string, std::uint64_t> bounce_texts_;
};

}  // namespace ligase::lab
