// Ids are "FLOW-NUMBER": what an id says is checked against where and from whom the stanza came.
#include "lab/ledger.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

#include "base/bytes.hpp"
#include "name/domain.hpp"

namespace ligase::lab {
namespace {

constexpr std::size_t kMostTexts = 5;

std::optional<std::pair<std::size_t, unsigned>> parse_id(std::string_view id) {
  std::size_t flow = 0;
  unsigned number = 0;
  const char* last = id.data() + id.size();
  const auto first = std::from_chars(id.data(), last, flow);
  if (first.ec != std::errc() || first.ptr == last || *first.ptr != '-') return std::nullopt;
  const auto second = std::from_chars(first.ptr + 1, last, number);
  if (second.ec != std::errc() || second.ptr != last) return std::nullopt;
  return std::pair(flow, number);
}

}  // namespace

Ledger::Ledger(const Plan& plan, unsigned stanzas) : plan_(plan), stanzas_(stanzas), total_(0) {
  const std::size_t flows = 2 * plan.providers[0].customers.size() * plan.providers[1].customers.size();
  total_ = flows * stanzas;
  fates_.resize(flows * stanzas, Fate::unsent);
  next_.resize(flows);
  written_.resize(flows);
  arrived_.resize(flows);
  if (plan.has(Harm::slow_customer)) slow_ = plan.providers[1].customers.size() - 1;
}

Flow Ledger::flow(std::size_t index) const noexcept {
  const std::size_t half = flows() / 2;
  const unsigned provider = index < half ? 0 : 1;
  const std::size_t within = index - provider * half, targets = plan_.providers[1 - provider].customers.size();
  return {provider, static_cast<unsigned>(within / targets), static_cast<unsigned>(within % targets)};
}

std::size_t Ledger::index(const Flow& flow) const noexcept {
  return flow.from_provider * (flows() / 2) + flow.sender * plan_.providers[1 - flow.from_provider].customers.size() +
         flow.target;
}

const std::string& Ledger::sender(const Flow& flow) const noexcept {
  return plan_.providers[flow.from_provider].customers[flow.sender];
}
const std::string& Ledger::target(const Flow& flow) const noexcept {
  return plan_.providers[1 - flow.from_provider].customers[flow.target];
}

std::string Ledger::write(std::size_t index, unsigned number, Moment now) {
  const Flow of = flow(index);
  fate(index, number) = Fate::under_way;
  ++sent_;
  if (is_to_slow(of)) ++to_slow_;
  if (number == 0) written_[index] = now;
  return "<message from='lab@" + sender(of) + "/lab' to='lab@" + target(of) + "' id='" + std::to_string(index) + "-" +
         std::to_string(number) + "' type='normal'><body>stanza " + std::to_string(number + 1) + " of " +
         std::to_string(stanzas_) + "</body></message>";
}

std::uint64_t Ledger::count(std::size_t flow, Fate fate) const {
  const auto first = fates_.begin() + static_cast<std::ptrdiff_t>(flow * stanzas_);
  return static_cast<std::uint64_t>(std::count(first, first + static_cast<std::ptrdiff_t>(stanzas_), fate));
}

void Ledger::note(const char* kind, const Arrival& arrival) {
  Fault& fault = faults_[kind];
  if (fault.count++ == 0)
    fault.example =
        "id " + escaped(arrival.id, 40) + " from " + escaped(arrival.from, 80) + " at " + std::string(arrival.at);
}

void Ledger::arrived(const Arrival& arrival, Moment now) {
  const auto id = parse_id(arrival.id);
  if (!id || id->first >= flows() || id->second >= stanzas_) return note("of unknown id", arrival);
  const auto [index, number] = *id;
  const Flow of = flow(index);
  const std::string_view from_domain = split_jid(arrival.from).domain;
  // A bounce comes back to the sender, in the name of the target.
  const bool is_expected = arrival.is_error ? arrival.at == sender(of) && from_domain == target(of)
                                            : arrival.at == target(of) && from_domain == sender(of);
  if (!is_expected) return note("at a wrong place", arrival);
  Fate& now_is = fate(index, number);
  if (now_is != Fate::under_way) return note(now_is == Fate::unsent ? "never sent" : "twice", arrival);
  if (is_to_slow(of)) --to_slow_;
  if (arrival.is_error) {
    now_is = Fate::bounced;
    ++bounced_;
    if (bounce_texts_.size() < kMostTexts || bounce_texts_.contains(std::string(arrival.text)))
      ++bounce_texts_[std::string(arrival.text)];
    return;
  }
  now_is = Fate::delivered;
  ++delivered_;
  if (number == 0) arrived_[index] = now;
  if (number < next_[index]) return note("out of order", arrival);
  if (next_[index] == 0) ++flows_live_;
  next_[index] = number + 1;
}

std::optional<Seconds> Ledger::first_time(std::size_t flow) const noexcept {
  if (flow >= flows() || arrived_[flow] == Moment{}) return std::nullopt;
  return arrived_[flow] - written_[flow];
}

std::optional<Seconds> Ledger::median_of_further() const {
  std::vector<Seconds> times;
  for (std::size_t i = 1; i < flows(); ++i)
    if (const auto time = first_time(i)) times.push_back(*time);
  if (times.empty()) return std::nullopt;
  const auto middle = times.begin() + static_cast<std::ptrdiff_t>(times.size() / 2);
  std::ranges::nth_element(times, middle);
  if (times.size() % 2 == 1) return *middle;
  return (*middle + *std::max_element(times.begin(), middle)) / 2;
}

std::optional<Seconds> Ledger::span_of_further() const {
  Moment first = Moment::max(), last = Moment::min();
  for (std::size_t i = 1; i < flows(); ++i) {
    if (!first_time(i)) continue;
    first = std::min(first, written_[i]);
    last = std::max(last, arrived_[i]);
  }
  if (first == Moment::max()) return std::nullopt;
  return last - first;
}

std::vector<std::string> Ledger::missing(std::size_t most) const {
  std::vector<std::string> list;
  for (std::size_t i = 0; i < fates_.size() && list.size() < most; ++i) {
    if (fates_[i] != Fate::under_way) continue;
    const Flow of = flow(i / stanzas_);
    list.push_back(sender(of) + " → " + target(of) + ", stanza " + std::to_string(i % stanzas_ + 1));
  }
  return list;
}

}  // namespace ligase::lab
