// What waits, and the brake on those who fill it.
#include <algorithm>

#include "route/router.hpp"

namespace ligase::route {
namespace {

constexpr Duration kBrake = 1s;              // how long a source waits for a receiver at most (P8)
constexpr std::uint64_t kMoves = 64 * 1024;  // bytes in that time: then a link waits on for what it sent itself
constexpr std::uint64_t kMostBeforeBraking = 1024 * 1024;  // bytes

// Beyond this many bytes of a queue that may hold `most`, whoever fills it waits; below a quarter of it all go on.
std::uint64_t brake_mark(std::uint64_t most) { return std::min(most / 2, kMostBeforeBraking); }

}  // namespace

bool Router::is_filling(const pair::Backlog& backlog, std::uint64_t most) {
  return backlog.queue.bytes() > brake_mark(most) || backlog.queue.budget().is_filling();
}

// What its receiver has no room for is kept all the same where its source is made to wait for it: one stanza of each at most. Who
// may not be made to wait for it (any more) has it answered; where that may not be, it is counted (docs/decisions/011).
bool Router::keep_in(pair::Backlog& backlog, pair::Stanza& stanza, std::uint64_t most, pair::Source source, Find find) {
  const bool is_on_credit = static_cast<bool>(stanza.receipt), may_be_answered = pair::is_answerable(stanza);
  const bool may_wait = !backlog.brake.is_slow() && !backlog.queue.budget().is_stuck();
  if (backlog.queue.push(stanza, most)) {
    // On credit its own pair waits, and nobody else: its stream need not (FLOW-03).
    if (!is_on_credit && may_wait && is_filling(backlog, most))
      brake(backlog, source, pair::Brake::Hold::briefly, std::move(find));
    return true;
  }
  if (may_wait && (!may_be_answered || at(source, [](const auto&) {}))) {
    backlog.queue.push_owed(std::move(stanza));
    brake(backlog, source, pair::Brake::Hold::briefly, std::move(find));
    return true;
  }
  if (may_be_answered) return false;
  owner_.count_drop(Reason::queue_full, "an error or an answer whose receiver does not read", nullptr);
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

void Router::brake(pair::Backlog& backlog, pair::Source source, pair::Brake::Hold how, Find find) noexcept {
  if (!at(source, [](auto&) {})) return;
  // The time first: nobody is held who would not be let go. Where there is no memory for it, nobody is held.
  try {
    hold_at(backlog, source, how, std::move(find));
  } catch (const std::bad_alloc&) {
  }
}

void Router::hold_at(pair::Backlog& backlog, pair::Source source, pair::Brake::Hold how, Find find) {
  if (how == pair::Brake::Hold::briefly && !backlog.brake.is_holding_briefly()) {
    backlog.braked = ++braked_;
    look_at_brake(backlog, std::move(find));
  }
  backlog.brake.hold(source, how);
  at(source, [](auto& filling) { filling.hold(); });
}

// What has left of that for which it waits: of the peer, whose turns it waits for with all others; or of its own.
std::uint64_t Router::moved(const pair::Backlog& backlog) const {
  const pair::Budget& at = backlog.queue.budget();
  return &at == &waiting_ ? backlog.queue.sent() : at.gone();
}

// A stream is shared, and goes on (P8). A link is its own domain's, and what it waits for is slow only if hardly anything moves.
void Router::look_at_brake(const pair::Backlog& backlog, Find find) {
  ground_.scope.call_at(ground_.now() + kBrake, [this, find = std::move(find), which = backlog.braked,
                                                 before = moved(backlog)]() mutable {
    pair::Backlog* still = find();
    if (still == nullptr || still->braked != which || !still->brake.is_holding_briefly()) return;
    const bool holds_links = std::ranges::all_of(still->brake.held_briefly(), [this](pair::Source source) {
      return links_.contains(static_cast<std::uint64_t>(source));
    });
    if (holds_links && moved(*still) - before >= kMoves) {
      try {
        return look_at_brake(*still, std::move(find));
      } catch (const std::bad_alloc&) {  // then they have waited long enough
      }
    }
    if (&still->queue.budget() != &waiting_) still->queue.budget().is_found_stuck();
    go_on(still->brake.time_is_over());
  });
}

void Router::eased(pair::Backlog& backlog, std::uint64_t most) {
  const bool matters = backlog.brake.is_holding() || backlog.brake.is_slow();
  if (matters && backlog.queue.bytes() < brake_mark(most) / 4) go_on(backlog.brake.has_emptied());
}

// In a turn of its own; where there is no memory for that, at the next sweep.
void Router::go_on(std::list<pair::Source> sources) noexcept {
  going_on_.splice(going_on_.end(), sources);
  if (going_on_.empty() || go_on_is_posted_) return;
  try {
    ground_.scope.post([this] {
      go_on_is_posted_ = false;
      let_go_on();
    });
    go_on_is_posted_ = true;
  } catch (const std::bad_alloc&) {
  }
}

void Router::let_go_on() {
  // Who is held and may go on while these do so has the next turn.
  for (std::size_t left = going_on_.size(); left > 0 && !going_on_.empty(); --left) {
    const pair::Source source = going_on_.front();
    going_on_.pop_front();
    at(source, [](auto& held) { held.go_on(); });
  }
  go_on({});
}

Router::Keeping::~Keeping() {
  if (at_ == nullptr || !at_->queue.is_empty()) return;
  router_.go_on(at_->brake.has_emptied());
  at_.reset();
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
