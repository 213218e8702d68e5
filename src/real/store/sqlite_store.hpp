// What the gateway remembers across restarts, in an SQLite file (state_dir/learned.sqlite). A thread of its own writes, so
// the loop never waits for a disk; the process may be killed at any moment. It never keeps ligase from starting or from
// working: a file that is damaged, or of a newer version, is moved aside, and without a usable one nothing is remembered.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "report/event.hpp"
#include "seams/store.hpp"
#include "store/database.hpp"

namespace ligase::store {

class SqliteStore final : public seams::Store {
 public:
  // Opens or makes the file, mode 0600, and reads what it has that expires after `now`; the rest is deleted. Says
  // `store_failed`, `store_moved_aside` and `store_restored` to `log`, also from its own thread; `log` outlives this.
  SqliteStore(std::string path, WallTime now, report::Log& log, StoreLimits limits = {});
  ~SqliteStore() override;  // writes what is queued

  void put(seams::Memo memo) override;
  void erase(std::string kind, std::string key) override;

  std::vector<seams::Memo> take_memos();  // what was read at the start; once

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace ligase::store
