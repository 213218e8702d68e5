// The queue in which the newest word on a place wins, and the thread that carries it to the file in batches.
#include "store/sqlite_store.hpp"

#include <condition_variable>
#include <cstdio>
#include <mutex>
#include <thread>

namespace ligase::store {
namespace {

using report::Event;
using report::Level;
constexpr std::size_t kPruneEvery = 1024;  // changes

WallTime wall_now() { return std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now()); }

std::size_t size_of(const Place& place, const std::optional<seams::Memo>& memo) {
  return place.first.size() + place.second.size() + (memo ? memo->value.size() : 0);
}

}  // namespace

class SqliteStore::Impl {
 public:
  Impl(std::string path, WallTime now, report::Log& log, StoreLimits limits)
      : path_(std::move(path)), limits_(limits), log_(log) {
    load(now);
    thread_ = std::thread([this] { run(); });
  }

  ~Impl() {
    {
      const std::lock_guard lock(mutex_);
      is_ending_ = true;
    }
    wake_.notify_one();
    thread_.join();
  }

  void change(Place place, std::optional<seams::Memo> memo) {
    bool is_first = false, is_lost = false;
    {
      const std::lock_guard lock(mutex_);
      is_first = pending_.empty();
      is_lost = !enqueue(std::move(place), std::move(memo)) && !std::exchange(is_behind_, true);
    }
    if (is_first) wake_.notify_one();
    if (is_lost)
      log_.write(Event(Level::warning, "store_failed")
                     .with("file", path_)
                     .with("text", "more is learned than can be written; some of it is not remembered"));
  }

  std::vector<seams::Memo> memos;

 private:
  // Takes the place of an earlier word; false: there is no room.
  bool enqueue(Place place, std::optional<seams::Memo> memo) {
    const std::size_t size = size_of(place, memo);
    const auto found = pending_.find(place);
    const std::size_t before = found == pending_.end() ? 0 : size_of(place, found->second);
    if (pending_bytes_ - before + size > limits_.queued_bytes ||
        (found == pending_.end() && pending_.size() >= limits_.queued))
      return false;
    pending_bytes_ += size - before;
    pending_.insert_or_assign(std::move(place), std::move(memo));
    return true;
  }

  void load(WallTime now) {
    open();
    if (!database_) return;
    if (Done<void> pruned = database_->prune(now, limits_); !pruned) report(pruned.error());
    if (!database_) return;
    if (Done<std::vector<seams::Memo>> read = database_->read(now, limits_)) {
      memos = std::move(*read);
    } else {
      report(read.error());
    }
  }

  // Tries once more after moving away what is in the way.
  void open() {
    for (const bool may_move : {true, false}) {
      Done<std::unique_ptr<Database>> opened = Database::open(path_);
      if (opened) {
        database_ = std::move(*opened);
        return;
      }
      if (opened.error().trouble == Trouble::unusable || !may_move || !move_aside(opened.error()))
        return report_unusable(opened.error().text);
    }
  }

  void report(const Failure& failure) {
    if (failure.trouble == Trouble::unusable) return report_unusable(failure.text);
    database_.reset();
    if (move_aside(failure)) return open();
    report_unusable(failure.text);
  }

  bool move_aside(const Failure& failure) {
    const std::string aside = path_ + (failure.trouble == Trouble::newer ? ".newer" : ".damaged");
    for (const char* suffix : {"-wal", "-shm"}) {
      std::remove((aside + suffix).c_str());  // an earlier one's, which would be taken for this one's
      std::rename((path_ + suffix).c_str(), (aside + suffix).c_str());
    }
    if (std::rename(path_.c_str(), aside.c_str()) != 0) return false;
    log_.write(
        Event(Level::warning, "store_moved_aside").with("file", path_).with("to", aside).with("text", failure.text));
    return true;
  }

  void report_unusable(const std::string& text) {
    if (std::exchange(is_failing_, true)) return;  // said once
    log_.write(Event(Level::warning, "store_failed").with("file", path_).with("text", text));
  }

  bool write(const Changes& changes) {
    if (!database_) open();
    if (!database_) return false;
    if (Done<void> written = database_->write(changes); !written) {
      report(written.error());
      if (written.error().trouble == Trouble::unusable || !database_) return false;
      if (Done<void> again = database_->write(changes); !again) {  // into the new file
        report_unusable(again.error().text);
        return false;
      }
    }
    since_pruned_ += changes.size();
    if (since_pruned_ >= kPruneEvery) {
      since_pruned_ = 0;
      if (Done<void> pruned = database_->prune(wall_now(), limits_); !pruned) report(pruned.error());
    }
    if (std::exchange(is_failing_, false)) log_.write(Event(Level::info, "store_restored").with("file", path_));
    return true;
  }

  void run() {
    std::unique_lock lock(mutex_);
    while (true) {
      wake_.wait(lock, [this] { return is_ending_ || !pending_.empty(); });
      wake_.wait_for(lock, limits_.gather, [this] { return is_ending_; });
      if (pending_.empty()) return;
      Changes batch = std::exchange(pending_, {});
      pending_bytes_ = 0;
      is_behind_ = false;
      const bool is_last = is_ending_;
      lock.unlock();
      const bool is_written = write(batch);
      lock.lock();
      if (is_written) continue;
      if (is_last) return;
      for (auto& [place, memo] : batch)  // what was said since is newer
        if (!pending_.contains(place)) (void)enqueue(place, std::move(memo));
      wake_.wait_for(lock, limits_.pause, [this] { return is_ending_; });
    }
  }

  const std::string path_;
  const StoreLimits limits_;
  report::Log& log_;
  std::unique_ptr<Database> database_;  // the thread's, once it runs
  bool is_failing_ = false;             // the thread's too
  std::size_t since_pruned_ = 0;        // the thread's too

  std::mutex mutex_;
  std::condition_variable wake_;
  Changes pending_;  // at most limits_.queued
  std::size_t pending_bytes_ = 0;
  bool is_behind_ = false;  // something was lost since the last batch
  bool is_ending_ = false;
  std::thread thread_;
};

SqliteStore::SqliteStore(std::string path, WallTime now, report::Log& log, StoreLimits limits)
    : impl_(std::make_unique<Impl>(std::move(path), now, log, limits)) {}
SqliteStore::~SqliteStore() = default;

void SqliteStore::put(seams::Memo memo) {
  if (memo.kind.size() > kMostKind || memo.key.size() > kMostKey || memo.value.size() > kMostValue) return;
  Place place{memo.kind, memo.key};
  impl_->change(std::move(place), std::move(memo));
}

void SqliteStore::erase(std::string kind, std::string key) { impl_->change({std::move(kind), std::move(key)}, {}); }

std::vector<seams::Memo> SqliteStore::take_memos() { return std::exchange(impl_->memos, {}); }

}  // namespace ligase::store
