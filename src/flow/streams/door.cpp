#include "streams/door.hpp"

#include "base/work.hpp"

namespace ligase::streams {
namespace {

constexpr std::uint64_t kWaitingPerPlace = 16;  // connections that wait for one place among the unproven of a prefix

}  // namespace

void Door::accept(std::unique_ptr<seams::Connection> connection) {
  const config::Limits& limits = ground_.rules.limits();
  if (is_closed_ || streams_.all().size() + waits_ >= limits.streams_total) return;  // accept and close
  const Address prefix = prefix_of(connection->remote().address);
  const auto before = waiting_.find(prefix);
  if (before == waiting_.end() && has_room_for(prefix)) return let_in(prefix, std::move(connection));
  // A stock server opens a connection a pair: a burst of them waits, unread, for the streams before it to be proven. What
  // is more than a stock server's burst is closed (AB-016, docs/decisions).
  if (before != waiting_.end() && before->second.size() >= kWaitingPerPlace * limits.unproven_per_prefix)
    return turned_away_();
  waiting_[prefix].push_back({std::move(connection), ground_.now()});
  ++waits_;
}

bool Door::has_room_for(const Address& prefix) const {
  count_work();
  // A db:result of ours makes the peer dial back, an ejabberd or Prosody over a connection for each pair, and from an
  // address that nobody announced: as many more may come as answers are waited for (at most proving_per_stream a stream),
  // lest 400 pairs asked for at once shut out the very questions that prove them.
  const std::uint64_t expected = streams_.asked.total();
  return unproven_.of(prefix) < ground_.rules.limits().unproven_per_prefix + expected;
}

void Door::let_in(const Address& prefix, std::unique_ptr<seams::Connection> connection) {
  Stream& stream = streams_.add(std::move(connection), stream::Machine::receive(
                                                           streams_.limits(), hosting_,
                                                           [this] { return ground_.world.new_id(); }, ground_.now()));
  stream.place = unproven_.count(prefix);
  stream.start();
}

void Door::leaves(Stream& stream) {
  stream.place.release();
  const Address prefix = prefix_of(stream.connection->remote().address);
  if (waiting_.contains(prefix)) admit({prefix});
}

void Door::admit_waiting() {
  std::set<Address> all;
  for (const auto& [prefix, those] : waiting_) all.insert(prefix);
  admit(std::move(all));
}

void Door::admit(std::set<Address> prefixes) {
  if (prefixes.empty()) return;
  due_.merge(prefixes);
  if (std::exchange(admission_is_posted_, true)) return;
  ground_.scope.post([this] {
    admission_is_posted_ = false;
    for (const Address& prefix : std::exchange(due_, {})) {
      const auto found = waiting_.find(prefix);
      if (found == waiting_.end()) continue;
      std::deque<Waiting>& waiting = found->second;
      while (!waiting.empty()) {
        const bool is_late = ground_.now() - waiting.front().since >= ground_.rules.limits().unproven_timeout;
        if (!is_late && !has_room_for(prefix)) break;
        std::unique_ptr<seams::Connection> next = std::move(waiting.front().connection);
        waiting.pop_front();
        --waits_;
        if (!is_late) let_in(prefix, std::move(next));  // else it is closed
      }
      if (waiting.empty()) waiting_.erase(found);
    }
  });
}

void Door::close() {
  is_closed_ = true;
  waiting_.clear();
  waits_ = 0;
}

}  // namespace ligase::streams
