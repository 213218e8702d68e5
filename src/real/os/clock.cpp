// A binary heap ordered by time and number; cancelling forgets the action, and the heap is rebuilt when most of it is
// forgotten. An action that asks for "now" again waits for the next turn; one that throws takes no other with it.
#include "os/clock.hpp"

#include <time.h>

#include <algorithm>
#include <boost/asio/steady_timer.hpp>
#include <unordered_map>
#include <vector>

namespace ligase::os {
namespace {

struct Entry {
  Instant when;
  std::uint64_t number;
  bool operator>(const Entry& other) const noexcept {
    return when != other.when ? when > other.when : number > other.number;
  }
};
constexpr std::size_t kRebuildAbove = 64;  // below this a forgotten entry costs nothing worth a rebuild

std::chrono::steady_clock::time_point as_steady(Instant instant) {
  return std::chrono::steady_clock::time_point(
      std::chrono::duration_cast<std::chrono::steady_clock::duration>(instant.time_since_epoch()));
}

}  // namespace

struct SystemClock::Timers : std::enable_shared_from_this<Timers> {
  explicit Timers(boost::asio::io_context& context) : alarm(context) {}

  boost::asio::steady_timer alarm;
  Instant alarm_at = Instant::max();  // max: the alarm is not set
  std::vector<Entry> heap;
  std::unordered_map<std::uint64_t, std::function<void()>> actions;
  std::uint64_t last_number = 0;

  void drop_forgotten() {
    while (!heap.empty() && !actions.contains(heap.front().number)) {
      std::pop_heap(heap.begin(), heap.end(), std::greater<>());
      heap.pop_back();
    }
    if (heap.size() > kRebuildAbove && heap.size() > 2 * actions.size()) {
      std::erase_if(heap, [&](const Entry& entry) { return !actions.contains(entry.number); });
      std::make_heap(heap.begin(), heap.end(), std::greater<>());
    }
  }

  void set_alarm() {
    drop_forgotten();
    if (heap.empty() || heap.front().when >= alarm_at) return;  // an alarm too early finds nothing due and sets itself
    alarm_at = Instant::max();                                  // until the alarm stands
    alarm.expires_at(as_steady(heap.front().when));
    alarm.async_wait([weak = weak_from_this()](boost::system::error_code error) {
      if (error) return;
      if (const auto self = weak.lock()) self->ring();
    });
    alarm_at = heap.front().when;
  }

  void ring() {
    alarm_at = Instant::max();
    const Instant now(std::chrono::steady_clock::now().time_since_epoch());
    const std::uint64_t last = last_number;
    try {
      while (!heap.empty() && heap.front().when <= now && heap.front().number <= last) {
        auto node = actions.extract(heap.front().number);  // none: cancelled, perhaps by an action before
        std::pop_heap(heap.begin(), heap.end(), std::greater<>());
        heap.pop_back();
        if (node) node.mapped()();
      }
    } catch (...) {
      set_alarm();
      throw;
    }
    set_alarm();
  }
};

SystemClock::SystemClock(boost::asio::io_context& context) : timers_(std::make_shared<Timers>(context)) {}
SystemClock::~SystemClock() { timers_->actions.clear(); }

Instant SystemClock::now() const { return Instant(std::chrono::steady_clock::now().time_since_epoch()); }
// Asked for each stanza, and only in seconds: the kernel's tick says it for a fraction of the price.
WallTime SystemClock::wall() const {
  timespec time{};
  ::clock_gettime(CLOCK_REALTIME_COARSE, &time);
  return WallTime(std::chrono::seconds(time.tv_sec));
}

seams::TimerId SystemClock::call_at(Instant when, std::function<void()> action) {
  const std::uint64_t number = ++timers_->last_number;
  timers_->heap.push_back({when, number});  // first: one without an action is forgotten
  std::push_heap(timers_->heap.begin(), timers_->heap.end(), std::greater<>());
  timers_->actions.emplace(number, std::move(action));
  try {
    timers_->set_alarm();
  } catch (...) {
    timers_->actions.erase(number);  // nobody will know its number
    throw;
  }
  return seams::TimerId{number};
}

void SystemClock::cancel(seams::TimerId timer) {
  if (timers_->actions.erase(static_cast<std::uint64_t>(timer)) == 0) return;
  timers_->drop_forgotten();
}

void SystemClock::wake() {
  timers_->alarm_at = Instant::max();
  timers_->set_alarm();
}

std::size_t SystemClock::waiting() const noexcept { return timers_->actions.size(); }

}  // namespace ligase::os
