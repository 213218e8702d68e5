// The connections that are being made, by the address they lead to, whatever names lead there (AB-083): how many at once, and how
// those before ended. A claimant, at whose word we connect to somebody, has an account of its own at each address: what it
// brings about costs that claimant alone, and neither our own pairs nor anybody else's claims.
#pragma once
#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <optional>

#include "base/result.hpp"
#include "ground/gate.hpp"
#include "ground/world.hpp"
#include "name/address.hpp"

namespace ligase::ground {

// By whose word: nullopt, our own, a pair that has something to send; else a claimant's, by prefix_of() its address.
using Claimant = std::optional<Address>;

// One loop's object; it outlives the attempts and those who wait.
class Attempts {
 public:
  explicit Attempts(World world) : world_(world) {}
  Attempts(const Attempts&) = delete;
  Attempts& operator=(const Attempts&) = delete;

  // One that was let in: it is at work until it has arrived, or is gone. Gone without a result, it teaches nothing.
  class Attempt {
   public:
    Attempt(Attempts& all, Address to, Claimant by);  // at work when begin() says so, which needs no memory
    void begin() noexcept;
    ~Attempt();
    Attempt(const Attempt&) = delete;
    Attempt& operator=(const Attempt&) = delete;

    void arrived();  // somebody answered, TLS and all; the rest is a matter of the domain
    // The first of the two counts.
    void succeeded();  // it is whom we wanted
    // Our own is blamed on the address only before it arrived; a claimant's always: whom it led us to did not want us.
    void failed(const Error& why);

   private:
    Attempts& all_;
    Address to_;
    Claimant by_;
    Instant began_;
    bool is_at_work_ = false, is_decided_ = false;
  };

  // Ours wait for their turn until `deadline`; a claimant's are refused at once (limit_reached). Where the last ones failed: the last
  // one's error for ours, limit_reached for a claimant's, until the back-off is over.
  Task<Result<std::unique_ptr<Attempt>>> enter(Address to, Claimant by, Instant deadline);

  std::size_t size() const noexcept { return accounts_.size(); }
  // Addresses where something is being made, or waits for its turn. Scans.
  std::size_t at_work() const noexcept;

 private:
  struct Key {
    Address to;
    Claimant by;
    auto operator<=>(const Key&) const = default;
  };
  struct Account {
    unsigned at_work = 0;
    unsigned failures = 0;      // in a row; those that began before the last one was counted are one with it
    unsigned all_failures = 0;  // in a row, each by itself
    Instant last_try{}, counted_at{}, retry_at{};
    Error last;
    std::list<std::shared_ptr<Gate<bool>>> waiting;  // ours; who is woken has the place of who left
    std::list<Key> kept;  // its own place among those at rest, while it is not one of them: to rest needs no memory
    std::list<Key>::iterator place{};
    bool is_at_rest = false;
  };

  Result<void> admit(const Key& key, const Account& account) const;
  std::map<Key, Account>::iterator account_of(const Key& key);  // made where there is none
  void stir(Account& account) noexcept;                         // it is not at rest any more
  void leave(const Key& key) noexcept;
  void note_failure(const Key& key, Instant began, const Error& why);
  void note_success(const Key& key);
  void settle(std::map<Key, Account>::iterator account) noexcept;

  World world_;
  std::map<Key, Account> accounts_;  // those at work, and as many at rest as may be
  std::list<Key> resting_;           // nothing at work and something to remember; the one that ended first in front
  std::map<Address, unsigned> by_claims_;  // at work, of all claimants together
};

}  // namespace ligase::ground
