// The questions that strangers' claims may have at the resolver at once (AB-228): fewer than it has places, so that our own
// pairs' always find one, and shared by the claimants' address prefixes in turn, so that one of them stops nobody else.
#pragma once
#include <deque>
#include <map>
#include <memory>
#include <optional>

#include "ground/gate.hpp"
#include "ground/tally.hpp"
#include "name/address.hpp"

namespace ligase::dns {

struct ClaimShares {
  std::size_t all = 200;        // of the resolver's 500
  std::size_t of_prefix = 64;   // however few others ask
  std::size_t waiting = 2'000;  // of a prefix; more are refused at once
  Duration patience = 10s;      // of who waits
};

// One loop's object; it outlives its places and who waits for them.
class ClaimPlaces {
 public:
  ClaimPlaces(Executor executor, seams::Clock& clock, ClaimShares shares = {})
      : executor_(std::move(executor)), clock_(clock), shares_(shares) {}

  class Place {  // given back when it goes
   public:
    Place(ClaimPlaces& places, ground::Tally<Address>::Token taken) : places_(&places), taken_(std::move(taken)) {}
    Place(Place&& other) noexcept : places_(std::exchange(other.places_, nullptr)), taken_(std::move(other.taken_)) {}
    Place& operator=(Place&&) = delete;
    ~Place() {
      if (places_ == nullptr) return;
      taken_.release();
      places_->hand_on();
    }

   private:
    ClaimPlaces* places_;
    ground::Tally<Address>::Token taken_;
  };
  // A place for one question of a claimant at `prefix`, at once or in its turn. nullopt: too many wait, or it took too long.
  Task<std::optional<Place>> take(Address prefix);

  std::size_t taken() const noexcept { return taken_.total(); }

 private:
  struct Waiter {
    Waiter(Executor executor, ground::Tally<Address>::Token room) : came(std::move(executor)), taken(std::move(room)) {}
    ground::Gate<bool> came;
    ground::Tally<Address>::Token taken;  // counts when the place is given: handing on needs no memory
    std::optional<Place> place;
    bool is_gone = false;  // its patience is over
  };
  using Line = std::deque<std::shared_ptr<Waiter>>;  // the oldest first, so who is gone stands in front

  bool may_take(const Address& prefix) const {
    return taken_.total() < shares_.all && taken_.of(prefix) < shares_.of_prefix;
  }
  void join(const Address& prefix, const std::shared_ptr<Waiter>& waiter);
  void hand_on() noexcept;

  Executor executor_;
  seams::Clock& clock_;
  const ClaimShares shares_;
  ground::Tally<Address> taken_;
  std::map<Address, Line> lines_;  // never an empty one
  Address last_{};                 // whose turn it was
};

}  // namespace ligase::dns
