// What waits, and the brake on those who fill it.
#include "route/router.hpp"

namespace ligase::route {
namespace {

constexpr Duration kBrake = 1s;                            // how long a source waits for a receiver at most (P8)
constexpr std::uint64_t kMostBeforeBraking = 1024 * 1024;  // bytes

// Beyond this many bytes of a queue that may hold `most`, whoever fills it waits; below a quarter of it all go on.
std::uint64_t brake_mark(std::uint64_t most) { return std::min(most / 2, kMostBeforeBraking); }

}  // namespace

bool Router::is_filling(const pair::Backlog& backlog, std::uint64_t most) {
  return backlog.queue.bytes() > brake_mark(most) || backlog.queue.budget().is_filling();
}

bool Router::keep_in(pair::Backlog& backlog, pair::Stanza& stanza, std::uint64_t most, pair::Source source, Find find) {
  if (!backlog.queue.push(stanza, most)) {
    if (pair::is_answerable(stanza)) return false;
    // It can be neither kept nor answered, and was taken: its source waits, as long as others on it may be made to wait. For a
    // receiver that takes nothing it is counted then (docs/decisions/011).
    if (backlog.brake.is_slow()) {
      owner_.count_drop(Reason::queue_full, "an error or an answer whose receiver does not read", nullptr);
      return true;
    }
    backlog.queue.push_owed(std::move(stanza));
    brake(backlog, source, pair::Brake::Hold::briefly, std::move(find));
    return true;
  }
  if (!backlog.brake.is_slow() && is_filling(backlog, most))
    brake(backlog, source, pair::Brake::Hold::briefly, std::move(find));
  return true;
}

template <class Action>
bool Router::at(pair::Source source, Action action) {
  const auto number = static_cast<std::uint64_t>(source);
  if (streams::Stream* stream = streams_.find({number})) {
    action(*stream);
    return true;
  }
  const auto link = links_.find(number);
  if (link == links_.end() || link->second->is_ending) return false;
  action(*link->second);
  return true;
}

void Router::brake(pair::Backlog& backlog, pair::Source source, pair::Brake::Hold how, Find find) {
  if (!at(source, [](auto& filling) { filling.hold(); }) || !backlog.brake.hold(source, how)) return;
  backlog.braked = ++braked_;
  ground_.scope.call_at(ground_.now() + kBrake, [this, find = std::move(find), which = braked_] {
    pair::Backlog* still = find();
    if (still != nullptr && still->braked == which) go_on(still->brake.time_is_over());
  });
}

void Router::eased(pair::Backlog& backlog, std::uint64_t most) {
  const bool matters = backlog.brake.is_holding() || backlog.brake.is_slow();
  if (matters && backlog.queue.bytes() < brake_mark(most) / 4) go_on(backlog.brake.has_emptied());
}

void Router::go_on(std::vector<pair::Source> sources) {
  if (sources.empty()) return;
  ground_.scope.post([this, sources = std::move(sources)] {
    for (const pair::Source source : sources) at(source, [](auto& held) { held.go_on(); });
  });
}

Router::Find Router::finder(const pairs::OutPair& pair) {
  return [this, key = pair.key]() -> pair::Backlog* {
    pairs::OutPair* found = out_pairs_.find(key);
    return found == nullptr ? nullptr : found->backlog.get();
  };
}

Router::Find Router::finder(const hosting::HostedDomain& domain) {
  return [this, of = domain.domain]() -> pair::Backlog* {
    hosting::HostedDomain* found = hosted_.find(of);
    return found == nullptr ? nullptr : found->waiting.get();
  };
}

}  // namespace ligase::route
