// SQLite's C interface and nothing else of it leaves this file. What a file holds is not trusted: it may be anybody's.
#include "store/database.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace ligase::store {
namespace {

constexpr int kVersion = 1;
constexpr const char* kSchema =
    "BEGIN IMMEDIATE;"
    "CREATE TABLE memo (kind TEXT NOT NULL, key TEXT NOT NULL, value BLOB NOT NULL, expires INTEGER NOT NULL,"
    " PRIMARY KEY (kind, key));"
    "CREATE INDEX memo_expires ON memo (kind, expires);"
    "PRAGMA user_version = 1;"
    "COMMIT";
constexpr int kBusyMilliseconds = 1000;
constexpr int kLargestRow = 1 << 20;
constexpr std::size_t kLoadedBytes = std::size_t{256} << 20;

std::int64_t seconds(WallTime time) { return time.time_since_epoch().count(); }

std::string_view bytes_of(sqlite3_stmt* row, int column) {
  const void* bytes = sqlite3_column_blob(row, column);
  const auto size = static_cast<std::size_t>(sqlite3_column_bytes(row, column));
  return bytes == nullptr ? std::string_view() : std::string_view(static_cast<const char*>(bytes), size);
}

void bind_text(sqlite3_stmt* statement, int at, std::string_view text) {
  sqlite3_bind_text64(statement, at, text.data(), text.size(), SQLITE_STATIC, SQLITE_UTF8);
}

tl::unexpected<Failure> system_failure(Trouble trouble, std::string_view what, int error) {
  return tl::unexpected(Failure{trouble, fmt::format("{}: {}", what, std::strerror(error))});
}

// SQLite would make the file by the umask, and would follow a link.
Done<void> make_private(const std::string& path) {
  for (const char* suffix : {"", "-wal", "-shm"}) {
    const bool is_main = *suffix == '\0';
    const int file =
        ::open((path + suffix).c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | (is_main ? O_CREAT : 0), 0600);
    if (file < 0) {
      if (!is_main && errno == ENOENT) continue;
      const bool is_no_file = errno == ELOOP || errno == EISDIR || errno == ENXIO;
      return system_failure(is_no_file ? Trouble::damaged : Trouble::unusable, "it cannot be opened", errno);
    }
    struct stat facts {};
    const bool is_known = ::fstat(file, &facts) == 0;
    const bool is_loose = is_known && (facts.st_mode & 077) != 0;
    const bool is_tight = !is_loose || ::fchmod(file, 0600) == 0;
    const int error = errno;
    ::close(file);  // before SQLite has locks on it, which this would take away
    if (is_known && !S_ISREG(facts.st_mode))
      return tl::unexpected(Failure{Trouble::damaged, "it is not a regular file"});
    if (!is_tight) return system_failure(Trouble::unusable, "others may read it, and its mode cannot be set", error);
  }
  return {};
}

}  // namespace

void Database::Close::operator()(sqlite3* handle) const noexcept { sqlite3_close_v2(handle); }
void Database::Finalize::operator()(sqlite3_stmt* statement) const noexcept { sqlite3_finalize(statement); }

tl::unexpected<Failure> Database::failed(int code) const {
  const int kind = code & 0xff;
  const bool is_damaged = kind == SQLITE_CORRUPT || kind == SQLITE_NOTADB || kind == SQLITE_ERROR ||
                          kind == SQLITE_SCHEMA || kind == SQLITE_CONSTRAINT || kind == SQLITE_TOOBIG;
  return tl::unexpected(Failure{is_damaged ? Trouble::damaged : Trouble::unusable, sqlite3_errmsg(handle_.get())});
}

Done<std::unique_ptr<Database>> Database::open(const std::string& path) {
  if (Done<void> made = make_private(path); !made) return tl::unexpected(std::move(made.error()));
  sqlite3* handle = nullptr;
  const int code = sqlite3_open_v2(path.c_str(), &handle, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, nullptr);
  std::unique_ptr<Database> database(new Database(handle));
  if (handle == nullptr) return tl::unexpected(Failure{Trouble::unusable, "no memory"});
  if (code != SQLITE_OK) return database->failed(code);
  if (Done<void> ready = database->make_ready(); !ready) return tl::unexpected(std::move(ready.error()));
  return database;
}

Done<void> Database::make_ready() {
  sqlite3_extended_result_codes(handle_.get(), 1);
  sqlite3_busy_timeout(handle_.get(), kBusyMilliseconds);
  sqlite3_limit(handle_.get(), SQLITE_LIMIT_LENGTH, kLargestRow);
  sqlite3_db_config(handle_.get(), SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_db_config(handle_.get(), SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  // Before anything is changed: a newer version's file stays as it is.
  const Done<std::int64_t> version = number("PRAGMA user_version");
  if (!version) return tl::unexpected(version.error());
  if (*version > kVersion)
    return tl::unexpected(
        Failure{Trouble::newer, fmt::format("it has version {}, this program writes {}", *version, kVersion)});
  if (*version < 0) return tl::unexpected(Failure{Trouble::damaged, fmt::format("it has version {}", *version)});
  for (const char* sql : {"PRAGMA journal_mode = WAL", "PRAGMA synchronous = NORMAL", "PRAGMA cell_size_check = ON",
                          "PRAGMA journal_size_limit = 4194304"})
    if (Done<void> done = run(sql); !done) return done;
  if (*version == 0)
    if (Done<void> made = run(kSchema); !made) return made;
  Done<Statement> check = prepare("PRAGMA quick_check(1)");
  if (!check) return tl::unexpected(check.error());
  const Done<bool> row = step(*check);
  if (!row) return tl::unexpected(row.error());
  if (const std::string_view verdict = bytes_of(check->get(), 0); verdict != "ok")
    return tl::unexpected(Failure{Trouble::damaged, std::string(verdict.substr(0, 200))});
  Done<Statement> put = prepare(
      "INSERT INTO memo (kind, key, value, expires) VALUES (?1, ?2, ?3, ?4)"
      " ON CONFLICT (kind, key) DO UPDATE SET value = excluded.value, expires = excluded.expires");
  if (!put) return tl::unexpected(put.error());
  Done<Statement> erase = prepare("DELETE FROM memo WHERE kind = ?1 AND key = ?2");
  if (!erase) return tl::unexpected(erase.error());
  put_ = std::move(*put);
  erase_ = std::move(*erase);
  return {};
}

Done<void> Database::run(const char* sql) {
  const int code = sqlite3_exec(handle_.get(), sql, nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) return failed(code);
  return {};
}

Done<Database::Statement> Database::prepare(const char* sql) {
  sqlite3_stmt* statement = nullptr;
  const int code = sqlite3_prepare_v2(handle_.get(), sql, -1, &statement, nullptr);
  if (code != SQLITE_OK) return failed(code);
  return Statement(statement);
}

Done<bool> Database::step(Statement& statement) {
  const int code = sqlite3_step(statement.get());
  if (code != SQLITE_ROW && code != SQLITE_DONE) return failed(code);
  return code == SQLITE_ROW;
}

Done<std::int64_t> Database::number(const char* sql) {
  Done<Statement> statement = prepare(sql);
  if (!statement) return tl::unexpected(statement.error());
  const Done<bool> row = step(*statement);
  if (!row) return tl::unexpected(row.error());
  return sqlite3_column_int64(statement->get(), 0);
}

Done<std::vector<seams::Memo>> Database::read(WallTime now, const StoreLimits& limits) {
  Done<Statement> rows =
      prepare("SELECT kind, key, value, expires FROM memo WHERE expires > ?1 ORDER BY expires DESC LIMIT ?2");
  if (!rows) return tl::unexpected(rows.error());
  sqlite3_bind_int64(rows->get(), 1, seconds(now));
  sqlite3_bind_int64(rows->get(), 2, static_cast<std::int64_t>(limits.loaded));
  std::vector<seams::Memo> memos;
  std::size_t bytes = 0;
  while (bytes < kLoadedBytes) {
    const Done<bool> row = step(*rows);
    if (!row) return tl::unexpected(row.error());
    if (!*row) break;
    sqlite3_stmt* at = rows->get();
    seams::Memo memo{std::string(bytes_of(at, 0)), std::string(bytes_of(at, 1)), std::string(bytes_of(at, 2)),
                     WallTime(std::chrono::seconds(sqlite3_column_int64(at, 3)))};
    if (memo.kind.size() > kMostKind || memo.key.size() > kMostKey || memo.value.size() > kMostValue) continue;
    bytes += memo.key.size() + memo.value.size();
    memos.push_back(std::move(memo));
  }
  return memos;
}

Done<void> Database::write_one(const Place& place, const std::optional<seams::Memo>& memo) {
  Statement& statement = memo ? put_ : erase_;
  bind_text(statement.get(), 1, place.first);
  bind_text(statement.get(), 2, place.second);
  if (memo) {
    sqlite3_bind_blob64(statement.get(), 3, memo->value.data() == nullptr ? "" : memo->value.data(), memo->value.size(),
                        SQLITE_STATIC);
    sqlite3_bind_int64(statement.get(), 4, seconds(memo->expires));
  }
  const Done<bool> done = step(statement);
  sqlite3_reset(statement.get());
  sqlite3_clear_bindings(statement.get());
  if (!done) return tl::unexpected(done.error());
  return {};
}

Done<void> Database::write(const Changes& changes) {
  if (Done<void> begun = run("BEGIN IMMEDIATE"); !begun) return begun;
  Done<void> done;
  for (auto change = changes.begin(); done && change != changes.end(); ++change)
    done = write_one(change->first, change->second);
  if (done) done = run("COMMIT");
  if (!done && sqlite3_get_autocommit(handle_.get()) == 0) (void)run("ROLLBACK");
  return done;
}

Done<void> Database::cut(const std::string& kind, std::size_t count) {
  Done<Statement> statement =
      prepare("DELETE FROM memo WHERE rowid IN (SELECT rowid FROM memo WHERE kind = ?1 ORDER BY expires LIMIT ?2)");
  if (!statement) return tl::unexpected(statement.error());
  bind_text(statement->get(), 1, kind);
  sqlite3_bind_int64(statement->get(), 2, static_cast<std::int64_t>(count));
  const Done<bool> done = step(*statement);
  if (!done) return tl::unexpected(done.error());
  return {};
}

Done<void> Database::prune(WallTime now, const StoreLimits& limits) {
  if (Done<void> done = run(fmt::format("DELETE FROM memo WHERE expires <= {}", seconds(now)).c_str()); !done)
    return done;
  struct Kind {
    std::string name;
    std::size_t count, bytes;
  };
  std::vector<Kind> kinds;
  {
    Done<Statement> rows = prepare(
        "SELECT kind, COUNT(*), SUM(LENGTH(CAST(key AS BLOB)) + LENGTH(value)) FROM memo GROUP BY kind LIMIT 100");
    if (!rows) return tl::unexpected(rows.error());
    while (true) {
      const Done<bool> row = step(*rows);
      if (!row) return tl::unexpected(row.error());
      if (!*row) break;
      kinds.push_back({std::string(bytes_of(rows->get(), 0)),
                       static_cast<std::size_t>(sqlite3_column_int64(rows->get(), 1)),
                       static_cast<std::size_t>(sqlite3_column_int64(rows->get(), 2))});
    }
  }
  for (const Kind& kind : kinds) {
    std::size_t most = limits.memos_per_kind;
    if (kind.bytes > limits.bytes_per_kind)  // as many as fit if all were of the mean size
      most =
          std::min(most, static_cast<std::size_t>(static_cast<double>(limits.bytes_per_kind) /
                                                  static_cast<double>(kind.bytes) * static_cast<double>(kind.count)));
    if (kind.count <= most) continue;
    if (Done<void> done = cut(kind.name, kind.count - most); !done) return done;
  }
  return {};
}

}  // namespace ligase::store
