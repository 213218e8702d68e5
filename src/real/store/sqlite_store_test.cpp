// The file of memos: what comes back after a restart, and that nothing about the file keeps ligase from starting.
#include "store/sqlite_store.hpp"

#include <gmock/gmock.h>
#include <sqlite3.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <condition_variable>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <thread>

#include "support/folder.hpp"

namespace ligase::store {
namespace {

using seams::Memo;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
namespace fs = std::filesystem;

const WallTime kNow = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
const WallTime kLater = kNow + std::chrono::hours(24);

class TestLog final : public report::Log {
 public:
  bool wants(report::Level) const noexcept override { return true; }
  void write(report::Event event) override {
    const std::lock_guard lock(mutex_);
    names_.emplace_back(event.name);
    came_.notify_all();
  }
  std::vector<std::string> names() {
    const std::lock_guard lock(mutex_);
    return names_;
  }
  bool await(const std::string& name) {
    std::unique_lock lock(mutex_);
    return came_.wait_for(lock, 60s, [&] { return std::ranges::find(names_, name) != names_.end(); });
  }

 private:
  std::mutex mutex_;
  std::condition_variable came_;
  std::vector<std::string> names_;
};

class SqliteStoreTest : public ::testing::Test {
 protected:
  std::vector<Memo> reopened(WallTime now = kNow, StoreLimits limits = {}) {
    SqliteStore store(path, now, log, limits);
    std::vector<Memo> memos = store.take_memos();
    std::ranges::sort(memos, {}, [](const Memo& memo) { return memo.kind + memo.key; });
    return memos;
  }
  void remember(const std::vector<Memo>& memos, StoreLimits limits = {}) {
    SqliteStore store(path, kNow, log, limits);
    for (const Memo& memo : memos) store.put(memo);
  }
  // As another program would.
  void change_file(const char* sql) const {
    sqlite3* handle = nullptr;
    ASSERT_EQ(sqlite3_open(path.c_str(), &handle), SQLITE_OK);
    EXPECT_EQ(sqlite3_exec(handle, sql, nullptr, nullptr, nullptr), SQLITE_OK) << sqlite3_errmsg(handle);
    sqlite3_close(handle);
  }

  test::Folder folder;
  TestLog log;
  const std::string path = folder / "learned.sqlite";
  const Memo peer{"peer", "xmpp1.target.tld:5269", "targets", kLater};
};

TEST_F(SqliteStoreTest, WhatIsPut_IsThereAfterARestart) {
  const Memo bytes{"ocsp", std::string("\0\xff", 2), std::string("a\0b", 3), kLater};
  const Memo empty{"posh", "target1.tld", "", kLater + 1s};
  remember({peer, bytes, empty});
  EXPECT_THAT(reopened(), ElementsAre(bytes, peer, empty));
  EXPECT_THAT(reopened(), ElementsAre(bytes, peer, empty)) << "reading takes nothing away";
  EXPECT_THAT(log.names(), IsEmpty());
}

TEST_F(SqliteStoreTest, TheNewestWordOnAPlace_IsTheOneThatStays) {
  Memo other = peer;
  other.value = "none";
  other.expires += 60s;
  {
    SqliteStore store(path, kNow, log);
    store.put(peer);
    store.put(other);
    store.put({"key", "gone", "x", kLater});
    store.erase("key", "gone");
    store.erase("key", "never there");
    EXPECT_THAT(store.take_memos(), IsEmpty());
  }
  EXPECT_THAT(reopened(), ElementsAre(other));
  {
    SqliteStore store(path, kNow, log);
    EXPECT_THAT(store.take_memos(), ElementsAre(other));
    EXPECT_THAT(store.take_memos(), IsEmpty());
    store.erase("peer", peer.key);
  }
  EXPECT_THAT(reopened(), IsEmpty());
}

TEST_F(SqliteStoreTest, WhatHasExpired_IsNeitherReadNorKept) {
  Memo brief = peer;
  brief.key = "brief";
  brief.expires = kNow + 10s;
  remember({peer, brief});
  EXPECT_THAT(reopened(kNow + 10s), ElementsAre(peer));
  EXPECT_THAT(reopened(kNow), ElementsAre(peer)) << "it was deleted, so an earlier clock does not bring it back";
}

std::string key_of(int number) { return "k" + std::to_string(1000 + number); }

TEST_F(SqliteStoreTest, OverItsBounds_AKindLosesWhatExpiresFirstAndTheOthersNothing) {
  StoreLimits limits;
  limits.memos_per_kind = 10;
  std::vector<Memo> many{peer};
  for (int i = 0; i < 30; ++i) many.push_back({"key", key_of(i), "v", kLater + std::chrono::seconds(i)});
  remember(many);
  const std::vector<Memo> left = reopened(kNow, limits);
  ASSERT_EQ(left.size(), 11u);
  EXPECT_EQ(left.front(), many[21]);
  EXPECT_EQ(left.back(), peer);

  limits = {};
  limits.bytes_per_kind = 4 * (key_of(0).size() + 1);
  EXPECT_EQ(reopened(kNow, limits).size(), 4u) << "four of the keys, and the peer is longer than all of them";
  limits = {};
  limits.loaded = 3;
  EXPECT_EQ(reopened(kNow, limits).size(), 3u);
  EXPECT_EQ(reopened().size(), 4u) << "what is not loaded stays in the file";
}

TEST_F(SqliteStoreTest, WhatIsTooLong_IsNotRemembered) {
  remember({{"peer", std::string(kMostKey + 1, 'k'), "v", kLater},
            {"peer", "k", std::string(kMostValue + 1, 'v'), kLater},
            {std::string(kMostKind + 1, 'p'), "k", "v", kLater},
            {std::string(kMostKind, 'p'), std::string(kMostKey, 'k'), std::string(kMostValue, 'v'), kLater}});
  EXPECT_EQ(reopened().size(), 1u);
}

TEST_F(SqliteStoreTest, TheQueueIsFull_NewOnesAreLostAndItIsSaidOnce) {
  StoreLimits limits;
  limits.queued = 10;
  limits.gather = std::chrono::hours(1);  // the thread takes nothing before the end
  {
    SqliteStore store(path, kNow, log, limits);
    for (int i = 0; i < 20; ++i) store.put({"key", key_of(i), "v", kLater});
    store.put({"key", key_of(0), "newer", kLater});  // takes the place of its first
  }
  EXPECT_THAT(log.names(), ElementsAre("store_failed"));
  const std::vector<Memo> memos = reopened();
  ASSERT_EQ(memos.size(), 10u);
  EXPECT_EQ(memos[0].value, "newer");

  limits.queued = 1000;
  limits.queued_bytes = 100;
  {
    SqliteStore store(path, kNow, log, limits);
    for (int i = 0; i < 20; ++i) store.put({"peer", key_of(i), "0123456789", kLater});
  }
  EXPECT_EQ(reopened().size(), 15u) << "five of 19 or 20 bytes";
}

TEST_F(SqliteStoreTest, PutsWhileTheThreadWrites_AreAllThere) {
  StoreLimits limits;
  limits.gather = 0s;
  {
    SqliteStore store(path, kNow, log, limits);
    std::vector<std::thread> threads;
    for (int t = 0; t < 3; ++t)
      threads.emplace_back([&store, t] {
        for (int i = 0; i < 2000; ++i) {
          store.put({"key", std::to_string(t) + key_of(i), "v", kLater});
          if (i % 2 == 1) store.erase("key", std::to_string(t) + key_of(i));
        }
      });
    for (std::thread& thread : threads) thread.join();
  }
  EXPECT_EQ(reopened().size(), 3000u);
  EXPECT_THAT(log.names(), IsEmpty());
}

TEST_F(SqliteStoreTest, TheFile_IsNobodyElses) {
  const mode_t before = ::umask(0);
  {
    SqliteStore store(path, kNow, log);
    EXPECT_EQ(folder.mode("learned.sqlite"), 0600u);
    EXPECT_EQ(folder.mode("learned.sqlite-wal"), 0600u);
  }
  ::umask(before);
  ::chmod(path.c_str(), 0664);
  EXPECT_THAT(reopened(), IsEmpty());
  EXPECT_EQ(folder.mode("learned.sqlite"), 0600u);
  EXPECT_THAT(log.names(), IsEmpty());
}

TEST_F(SqliteStoreTest, TwoAtOnce_BothAreRemembered) {
  {
    SqliteStore one(path, kNow, log), other(path, kNow, log);
    one.put({"key", "one", "v", kLater});
    other.put({"key", "other", "v", kLater});
  }
  EXPECT_EQ(reopened().size(), 2u);
  EXPECT_THAT(log.names(), IsEmpty());
}

// ---- the file is not what it should be

class DamagedFile : public SqliteStoreTest {
 protected:
  void expect_a_new_beginning(const std::string& aside = "learned.sqlite.damaged") {
    remember({peer});
    EXPECT_EQ(log.names().at(0), "store_moved_aside");
    EXPECT_TRUE(fs::exists(fs::symlink_status(folder / aside)));
    EXPECT_THAT(reopened(), ElementsAre(peer));
    EXPECT_EQ(log.names().size(), 1u) << "the new file is good";
  }
};

TEST_F(DamagedFile, OfOtherBytes_IsMovedAside) {
  folder.put("learned.sqlite", std::string(10'000, 'x'), 0600);
  expect_a_new_beginning();
  EXPECT_EQ(fs::file_size(folder / "learned.sqlite.damaged"), 10'000u);
}

TEST_F(DamagedFile, CutShort_IsMovedAside) {
  std::vector<Memo> many;
  for (int i = 0; i < 500; ++i) many.push_back({"key", key_of(i), std::string(100, 'v'), kLater});
  remember(many);
  fs::resize_file(path, fs::file_size(path) / 2);
  expect_a_new_beginning();
}

TEST_F(DamagedFile, WithABrokenPage_IsMovedAside) {
  std::vector<Memo> many;
  for (int i = 0; i < 500; ++i) many.push_back({"key", key_of(i), std::string(100, 'v'), kLater});
  remember(many);
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(4096 * 5);
  file << std::string(4096, '\xff');
  file.close();
  expect_a_new_beginning();
}

TEST_F(DamagedFile, OfAnotherProgram_IsMovedAside) {
  change_file("CREATE TABLE memo (name TEXT); PRAGMA user_version = 1");
  expect_a_new_beginning();
}

TEST_F(DamagedFile, ThatIsALink_IsNotFollowed) {
  folder.put("elsewhere", "", 0644);
  fs::create_symlink(folder / "elsewhere", path);
  expect_a_new_beginning();
  EXPECT_EQ(fs::file_size(folder / "elsewhere"), 0u);
  EXPECT_EQ(folder.mode("elsewhere"), 0644u);
}

TEST_F(DamagedFile, ThatIsAFolder_IsMovedAside) {
  fs::create_directory(path);
  expect_a_new_beginning();
}

TEST_F(DamagedFile, OfANewerVersion_IsKeptAsItWas) {
  change_file("CREATE TABLE memo (future TEXT); INSERT INTO memo VALUES ('kept'); PRAGMA user_version = 2");
  const auto size = fs::file_size(path);
  expect_a_new_beginning("learned.sqlite.newer");
  EXPECT_EQ(fs::file_size(folder / "learned.sqlite.newer"), size);
}

TEST_F(DamagedFile, WhileItIsInUse_IsMovedAsideAndNothingNewIsLost) {
  {
    SqliteStore store(path, kNow, log);
    change_file("DROP TABLE memo");
    store.put(peer);
  }
  EXPECT_THAT(log.names(), ElementsAre("store_moved_aside"));
  EXPECT_THAT(reopened(), ElementsAre(peer));
}

TEST_F(SqliteStoreTest, WithoutAFolder_NothingIsRememberedAndItIsSaidOnce) {
  StoreLimits limits;
  limits.gather = 0s;
  limits.pause = 0s;
  {
    SqliteStore store(folder / "none/learned.sqlite", kNow, log, limits);
    for (int i = 0; i < 100; ++i) store.put({"key", key_of(i), "v", kLater});
    EXPECT_THAT(store.take_memos(), IsEmpty());
  }
  EXPECT_THAT(log.names(), ElementsAre("store_failed"));
}

TEST_F(SqliteStoreTest, DiskFull_IsSaidOnceAndWhatWaitedIsWrittenLater) {
  std::signal(SIGXFSZ, SIG_IGN);
  StoreLimits limits;
  limits.gather = 0s;
  limits.pause = 1ms;
  rlimit room{};
  ::getrlimit(RLIMIT_FSIZE, &room);
  {
    SqliteStore store(path, kNow, log, limits);
    const rlimit none{64 * 1024, room.rlim_max};
    ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &none), 0);
    for (int i = 0; i < 100; ++i) store.put({"key", key_of(i), std::string(8000, 'v'), kLater});
    EXPECT_TRUE(log.await("store_failed"));
    store.put({"key", key_of(7), "newer", kLater});
    ::setrlimit(RLIMIT_FSIZE, &room);
    EXPECT_TRUE(log.await("store_restored"));
  }
  EXPECT_THAT(log.names(), ElementsAre("store_failed", "store_restored"));
  const std::vector<Memo> memos = reopened();
  ASSERT_EQ(memos.size(), 100u);
  EXPECT_EQ(memos[7].value, "newer");
}

TEST_F(SqliteStoreTest, KilledWhileWriting_TheFileIsWhole) {
  for (int round = 0; round < 5; ++round) {
    int ends[2];
    ASSERT_EQ(::pipe(ends), 0);
    const pid_t child = ::fork();
    if (child == 0) {
      StoreLimits limits;
      limits.gather = 0s;
      remember({{"peer", key_of(round), "v", kLater}});
      SqliteStore store(path, kNow, log, limits);
      (void)!::write(ends[1], "!", 1);
      for (int i = 0;; ++i) store.put({"key", key_of(i % 5000), std::string(500, 'v'), kLater});
    }
    char byte = 0;
    ASSERT_EQ(::read(ends[0], &byte, 1), 1);
    ::kill(child, SIGKILL);
    ASSERT_EQ(::waitpid(child, nullptr, 0), child);
    ::close(ends[0]);
    ::close(ends[1]);
  }
  const std::vector<Memo> memos = reopened();
  EXPECT_EQ(std::ranges::count(memos, "peer", &Memo::kind), 5);
  EXPECT_THAT(log.names(), IsEmpty());
}

}  // namespace
}  // namespace ligase::store
