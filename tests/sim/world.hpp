// The simulated world: a virtual clock, seeded randomness, DNS from a table, and a network with delays, fragments and
// cuts. One thread, one seed, one run: what failed with a seed fails with it again. The gateways in it are the real ones.
#pragma once
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "gateway.hpp"
#include "ground/gate.hpp"
#include "proof/certificate.hpp"
#include "sim/at_work.hpp"

namespace ligase::sim {

class Dice {  // splitmix64
 public:
  explicit Dice(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next() {
    std::uint64_t z = (state_ += 0x9E3779B97F4A7C15ull);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ull;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBull;
    return z ^ (z >> 31);
  }
  std::uint64_t below(std::uint64_t n) { return n == 0 ? 0 : next() % n; }
  bool chance(double probability) { return static_cast<double>(next() >> 11) * 0x1.0p-53 < probability; }
  Duration between(Duration least, Duration most) {
    return least + Duration(static_cast<std::int64_t>(below(static_cast<std::uint64_t>((most - least).count()) + 1)));
  }

 private:
  std::uint64_t state_;
};

struct Weather {
  Duration least_delay = 1ms, most_delay = 40ms;
  double connect_fails = 0, cut = 0;  // cut: per delivery, the connection ends without a word
  double dns_fails = 0;               // per question
  Duration dns_takes = 0s;            // more than the network's delay
  std::size_t largest_fragment = 4096;
};

// Remembers at once and for as long as the world lasts.
class SimStore final : public seams::Store {
 public:
  void put(seams::Memo memo) override;
  void erase(std::string kind, std::string key) override { kept_.erase({std::move(kind), std::move(key)}); }
  std::vector<seams::Memo> memos(WallTime now) const;  // those that have not expired
  const seams::Memo* find(const std::string& kind, const std::string& key) const;
  std::size_t size() const noexcept { return kept_.size(); }

 private:
  std::map<std::pair<std::string, std::string>, seams::Memo> kept_;
};

class World {
 public:
  explicit World(std::uint64_t seed, Weather w = {});
  ~World();

  Instant now() const { return now_; }
  WallTime wall() const;
  std::uint64_t call_at(Instant when, std::function<void()> action);
  void cancel(std::uint64_t id) { events_by_id_.erase(id); }
  // What nobody else took the blame for, as the real loop does: told, and the world goes on. Empty: it is thrown on.
  std::function<void(std::string_view what)> on_fault;
  // Runs until `done` says so or virtual `limit` has passed; true: done.
  bool run_until(const std::function<bool()>& done, Duration limit);
  void run_for(Duration time);

  Executor executor() { return context_.get_executor(); }
  Dice dice;
  Weather weather;
  bool is_patient = false;              // close() waits for who does not read, as the real one does
  std::chrono::seconds wall_offset{0};  // somebody set the clock; timers know nothing of it
  std::set<Address> forbidden;          // the address guard's, for every dialer
  std::set<Endpoint> vanished;          // whose machine died without a word: nothing leaves it, nothing reaches it
  bool has_caches = false;  // providers made from now on keep DNS answers for their TTL, as the real ones do

  // DNS: owner and type to an answer; what is not there is a denial, secure if the name ends in a signed suffix.
  std::map<std::pair<std::string, proof::RrType>, proof::Answer> records;
  std::vector<std::string> unsigned_zones;
  void add_srv(const std::string& domain, const std::string& target, std::uint16_t port, proof::Security security);
  void add_srv_target(const std::string& domain, const std::string& target, std::uint16_t port, std::uint16_t priority);
  void add_address(const std::string& host, const std::string& address);
  void add_tlsa(const std::string& host, std::uint16_t port, const proof::Chain& chain);  // 3 0 1

  // Asked every so many events: the whole state of whoever lives at that address.
  std::map<Endpoint, std::function<void()>> checks;
  unsigned check_every = 64;

  using Accept = std::function<void(std::unique_ptr<seams::Connection>)>;
  struct Listening {
    Accept accept;
  };
  // As a listener does: who cannot take it loses that connection, and no other.
  void hand_over(const Accept& accept, std::unique_ptr<seams::Connection> connection);
  std::map<Endpoint, Listening> listeners;
  // Two ends of one connection; `client_certificate` and the listener's are what start_tls() will show.
  struct Ends {
    std::unique_ptr<seams::Connection> client, server;
  };
  Ends connect(Endpoint from, Endpoint to);
  std::size_t connections_made = 0;  // to s2s listeners, through a dialer
  // Which chain the owner of an address shows, in either role.
  std::map<Address, std::shared_ptr<const proof::Chain>> chains;
  // What the TLS of the owner of an address does with a client's certificate; nothing: it keeps it for judgement.
  enum class Bears : std::uint8_t { alert_within, alert_behind, reset_behind };
  std::map<Address, Bears> bears;
  std::map<Address, std::string> staples;  // and which OCSP response it staples, as server
  // What the owner of an address remembers: a provider that is started again finds it.
  std::map<Address, SimStore> stores;

 private:
  friend class SimConnection;
  struct Event {
    Whose whose;
    std::function<void()> action;
  };
  void take_turns();
  void blame_nobody(const std::function<void()>& turn);

  boost::asio::io_context context_{1};
  Instant now_{};
  std::uint64_t next_id_ = 1, events_ = 0;
  std::map<std::pair<Instant, std::uint64_t>, std::uint64_t> queue_;
  std::map<std::uint64_t, Event> events_by_id_;
  std::uint16_t next_port_ = 20000;
};

// The seams, as one gateway sees them.
class SimClock final : public seams::Clock {
 public:
  explicit SimClock(World& world) : world_(world) {}
  Instant now() const override { return world_.now(); }
  WallTime wall() const override { return world_.wall(); }
  seams::TimerId call_at(Instant when, std::function<void()> action) override {
    return static_cast<seams::TimerId>(world_.call_at(when, std::move(action)));
  }
  void cancel(seams::TimerId timer) override { world_.cancel(static_cast<std::uint64_t>(timer)); }

 private:
  World& world_;
};

class SimRandom final : public seams::Random {
 public:
  explicit SimRandom(std::uint64_t seed) : dice_(seed) {}
  void fill(std::uint8_t* bytes, std::size_t count) override {
    for (std::size_t i = 0; i < count; ++i) bytes[i] = static_cast<std::uint8_t>(dice_.next());
  }

 private:
  Dice dice_;
};

// Answers from elsewhere than the world's table; asked while virtual time stands still.
using Dns = std::function<proof::Answer(const std::string& name, proof::RrType type)>;

class SimResolver final : public seams::Resolver {
 public:
  explicit SimResolver(World& world, Dns dns = {}) : world_(world), dns_(std::move(dns)) {}
  Task<proof::Answer> ask(std::string name, proof::RrType type) override;
  bool knows(const std::string& name, proof::RrType type) const override { return asked_.contains({name, type}); }
  std::size_t different() const noexcept { return asked_.size(); }
  std::size_t questions = 0, question_bytes = 0;

 private:
  World& world_;
  Dns dns_;
  std::set<std::pair<std::string, proof::RrType>> asked_;
};

class SimDialer final : public seams::Dialer {
 public:
  SimDialer(World& world, Address own) : world_(world), own_(own) {}
  Task<Result<std::unique_ptr<seams::Connection>>> connect(Endpoint endpoint, Instant deadline, Ports ports) override;

 private:
  World& world_;
  Address own_;
};

class SimLog final : public report::Log {
 public:
  bool wants(report::Level) const noexcept override { return true; }
  void write(report::Event event) override;  // to stderr as well, where LIGASE_TRACE is set
  std::size_t count(std::string_view name) const;
  std::vector<report::Event> events;
  std::string of;  // whose it is
};

}  // namespace ligase::sim
