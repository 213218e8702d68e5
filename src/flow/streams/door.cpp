#include "streams/door.hpp"

#include <algorithm>

namespace ligase::streams {
namespace {

constexpr std::uint64_t kWaitingPerPlace = 16;  // connections that wait for one place among the unproven of a prefix

bool is_same_prefix(const Address& a, const Address& b) { return prefix_of(a) == prefix_of(b); }

}  // namespace

void Door::accept(std::unique_ptr<seams::Connection> connection) {
  const config::Limits& limits = ground_.rules.limits();
  if (is_closed_ || streams_.all().size() + waiting_.size() >= limits.streams_total) return;  // accept and close
  const Address from = connection->remote().address;
  if (has_room_for(from)) return let_in(std::move(connection));
  // A stock server opens a connection a pair: a burst of them waits, unread, for the streams before it to be proven. What
  // is more than a stock server's burst is closed (AB-016, docs/decisions).
  const auto same = std::ranges::count_if(
      waiting_, [&](const Waiting& other) { return is_same_prefix(from, other.connection->remote().address); });
  if (static_cast<std::uint64_t>(same) >= kWaitingPerPlace * limits.unproven_per_prefix) return turned_away_();
  waiting_.push_back({std::move(connection), ground_.now()});
}

bool Door::has_room_for(const Address& from) const {
  std::uint64_t unproven = 0, expected = 0;
  for (const auto& [ref, other] : streams_.all()) {
    if (other->is_ending) continue;
    if (other->machine.role() == Role::receiving && !other->machine.is_proven() &&
        is_same_prefix(from, other->connection->remote().address))
      ++unproven;
    // A db:result of ours makes the peer dial back, an ejabberd or Prosody over a connection for each pair, and from
    // an address that nobody announced: as many more may come as answers are waited for (at most proving_per_stream
    // a stream), lest 400 pairs asked for at once shut out the very questions that prove them.
    expected += other->asked.size();
  }
  return unproven < ground_.rules.limits().unproven_per_prefix + expected;
}

void Door::let_in(std::unique_ptr<seams::Connection> connection) {
  streams_
      .add(std::move(connection),
           stream::Machine::receive(
               streams_.limits(), hosting_, [this] { return ground_.world.new_id(); }, ground_.now()))
      .start();
}

void Door::admit_waiting() {
  if (waiting_.empty() || admission_is_posted_) return;
  admission_is_posted_ = true;
  ground_.scope.post([this] {
    admission_is_posted_ = false;
    std::vector<Waiting> waiting(std::make_move_iterator(waiting_.begin()), std::make_move_iterator(waiting_.end()));
    waiting_.clear();
    for (Waiting& next : waiting) {
      if (is_closed_ || ground_.now() - next.since >= ground_.rules.limits().unproven_timeout) continue;  // closed
      if (has_room_for(next.connection->remote().address)) {
        let_in(std::move(next.connection));
      } else {
        waiting_.push_back(std::move(next));
      }
    }
  });
}

void Door::close() {
  is_closed_ = true;
  waiting_.clear();
}

}  // namespace ligase::streams
