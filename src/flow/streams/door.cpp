#include "streams/door.hpp"

#include <algorithm>

#include "base/work.hpp"

namespace ligase::streams {
namespace {

constexpr std::uint64_t kWaitingPerPlace = 16;  // connections that wait for one place among the unproven of a prefix
constexpr std::uint64_t kPrefixesOfASite = 4;   // whose unproven streams together one site may have at once
// Of streams_total: what one site may have, and what may wait of all, beside them. Whoever comes first does not shut out everybody
// else, be his streams proven or not (AB-271).
constexpr std::uint64_t kShares = 4;
constexpr std::string_view kTotal = "streams_total", kTotalOfASite = "streams_total, of one address or /48";

std::uint64_t share_of(std::uint64_t total) { return std::max<std::uint64_t>(1, total / kShares); }

}  // namespace

void Door::accept(std::unique_ptr<seams::Connection> connection) {
  const config::Limits& limits = ground_.rules.limits();
  if (is_closed_) return;  // accept and close
  const Address prefix = prefix_of(connection->remote().address);
  if (const std::string_view limit = full_for(site_of(prefix)); !limit.empty()) return turned_away_(limit);
  const auto before = waiting_.find(prefix);
  if (before == waiting_.end() && has_room_for(prefix)) return let_in(prefix, std::move(connection));
  // A stock server opens a connection a pair: a burst of them waits, unread, for the streams before it to be proven. What
  // is more than a stock server's burst is closed (AB-016, docs/decisions).
  if (before != waiting_.end() && before->second.size() >= kWaitingPerPlace * limits.unproven_per_prefix)
    return turned_away_("unproven_per_prefix");
  if (waits_ >= share_of(limits.streams_total)) return turned_away_(kTotal);
  std::deque<Waiting>& line = waiting_[prefix];
  try {
    line.push_back({std::move(connection), ground_.now()});
  } catch (...) {
    if (line.empty()) waiting_.erase(prefix);
    throw;
  }
  ++waits_;
}

bool Door::has_room_for(const Address& prefix) const {
  count_work();
  // A db:result of ours makes the peer dial back, an ejabberd or Prosody over a connection for each pair, and from an
  // address that nobody announced: as many more may come as answers are waited for (at most proving_per_stream a stream),
  // lest 400 pairs asked for at once shut out the very questions that prove them.
  const std::uint64_t expected = streams_.asked.total();
  const std::uint64_t most = ground_.rules.limits().unproven_per_prefix;
  if (streams_.unproven.of(prefix) >= most + expected) return false;
  return streams_.unproven_of_sites.of(site_of(prefix)) < most * kPrefixesOfASite + expected;
}

std::string_view Door::full_for(const Address& site) const noexcept {
  const std::uint64_t most = ground_.rules.limits().streams_total;
  if (streams_.all().size() >= most) return kTotal;
  return streams_.of_sites.of(site) >= share_of(most) ? kTotalOfASite : std::string_view();
}

void Door::let_in(const Address& prefix, std::unique_ptr<seams::Connection> connection) {
  const Address site = site_of(prefix);
  auto seat = streams_.of_sites.count(site), place = streams_.unproven.count(prefix),
       place_of_site = streams_.unproven_of_sites.count(site);
  Stream& stream = streams_.add(std::move(connection), stream::Machine::receive(
                                                           streams_.limits(), hosting_,
                                                           [this] { return ground_.world.new_id(); }, ground_.now()));
  stream.seat = std::move(seat);
  stream.place = std::move(place);
  stream.place_of_site = std::move(place_of_site);
  stream.start();
}

void Door::leaves(Stream& stream) {
  stream.place.release();
  stream.place_of_site.release();
  const Address prefix = prefix_of(stream.connection->remote().address), site = site_of(prefix);
  ground_.scope.attempt([&] {  // else the sweep sees that there is room
    if (waiting_.contains(prefix)) return admit({prefix});
    const auto neighbour = waiting_.lower_bound(site);
    if (neighbour != waiting_.end() && site_of(neighbour->first) == site) admit({neighbour->first});
  });
}

void Door::admit_waiting() {
  std::set<Address> all;
  for (const auto& [prefix, those] : waiting_) all.insert(prefix);
  admit(std::move(all));
}

void Door::admit(std::set<Address> prefixes) {
  if (prefixes.empty()) return;
  due_.merge(prefixes);
  if (admission_is_posted_) return;
  ground_.scope.post([this] {
    admission_is_posted_ = false;
    for (const Address& prefix : std::exchange(due_, {})) {
      const auto found = waiting_.find(prefix);
      if (found == waiting_.end()) continue;
      std::deque<Waiting>& waiting = found->second;
      while (!waiting.empty()) {
        const bool is_late = ground_.now() - waiting.front().since >= ground_.rules.limits().unproven_timeout;
        if (!is_late && !(has_room_for(prefix) && full_for(site_of(prefix)).empty())) break;
        std::unique_ptr<seams::Connection> next = std::move(waiting.front().connection);
        waiting.pop_front();
        --waits_;
        // Else it is closed; as is one that there is no memory for.
        if (!is_late) ground_.scope.attempt([&] { let_in(prefix, std::move(next)); });
      }
      if (waiting.empty()) waiting_.erase(found);
    }
  });
  admission_is_posted_ = true;
}

void Door::close() {
  is_closed_ = true;
  waiting_.clear();
  waits_ = 0;
}

}  // namespace ligase::streams
