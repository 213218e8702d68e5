// The file of memos: one SQLite table, its version in user_version, and bounds on what it holds. Calls block on the disk.
#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <tl/expected.hpp>
#include <utility>
#include <vector>

#include "seams/store.hpp"

struct sqlite3;
struct sqlite3_stmt;

namespace ligase::store {

struct StoreLimits {
  std::size_t memos_per_kind = 50'000;            // in the file; beyond, what expires first goes
  std::size_t bytes_per_kind = 64 * 1024 * 1024;  // keys and values
  std::size_t loaded = 200'000;                   // at the start, of all kinds
  std::size_t queued = 50'000;                    // changes that wait for the thread; beyond, new ones are lost
  std::size_t queued_bytes = 32 * 1024 * 1024;
  Duration gather = 250ms;  // a batch waits so long for more: what kill -9 may lose
  Duration pause = 30s;     // after a failure to write
};

constexpr std::size_t kMostKind = 16, kMostKey = 1024, kMostValue = 64 * 1024;

enum class Trouble : std::uint8_t {
  damaged,   // not a file of ours, or not whole
  newer,     // of a version that this program does not know
  unusable,  // disk full, no rights, locked, I/O: it may pass
};
struct Failure {
  Trouble trouble;
  std::string text;
};
template <class T>
using Done = tl::expected<T, Failure>;

using Place = std::pair<std::string, std::string>;            // kind, key
using Changes = std::map<Place, std::optional<seams::Memo>>;  // nullopt: erased

class Database {
 public:
  // Opens `path`, made with mode 0600 if it is not there; looser modes are tightened.
  static Done<std::unique_ptr<Database>> open(const std::string& path);

  // Every memo that expires after `now`, those that live longest first where there are too many.
  Done<std::vector<seams::Memo>> read(WallTime now, const StoreLimits& limits);
  Done<void> write(const Changes& changes);  // all of them, or none
  // Deletes what has expired, and of a kind that is over its bounds what expires first.
  Done<void> prune(WallTime now, const StoreLimits& limits);

 private:
  struct Close {
    void operator()(sqlite3* handle) const noexcept;
  };
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const noexcept;
  };
  using Statement = std::unique_ptr<sqlite3_stmt, Finalize>;

  explicit Database(sqlite3* handle) : handle_(handle) {}
  Done<void> make_ready();
  Done<void> run(const char* sql);
  Done<Statement> prepare(const char* sql);
  Done<std::int64_t> number(const char* sql);
  Done<bool> step(Statement& statement);  // true: a row is there
  Done<void> write_one(const Place& place, const std::optional<seams::Memo>& memo);
  Done<void> cut(const std::string& kind, std::size_t count);
  tl::unexpected<Failure> failed(int code) const;

  std::unique_ptr<sqlite3, Close> handle_;
  Statement put_, erase_;  // before the handle goes
};

}  // namespace ligase::store
