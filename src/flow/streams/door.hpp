// Who may still be unproven: so many streams of one prefix, and a waiting room, unread, for those that come in a burst (AB-016).
#pragma once
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>

#include "streams/streams.hpp"

namespace ligase::streams {

class Door {
 public:
  // `turned_away` is told of what is closed at once.
  Door(ground::Ground& ground, const stream::Hosting& hosting, Streams& streams, std::function<void()> turned_away)
      : ground_(ground),
        hosting_(hosting),
        streams_(streams),
        turned_away_(std::move(turned_away)),
        unproven_(streams.unproven) {}

  void accept(std::unique_ptr<seams::Connection> connection);
  void leaves(Stream& stream);  // it was proven, or is over: its place goes to one that waits
  void admit_waiting();         // room may have come without anybody's leaving, and some wait too long
  void close();                 // nobody comes in any more
  bool is_empty() const noexcept { return waits_ == 0; }

 private:
  struct Waiting {
    std::unique_ptr<seams::Connection> connection;  // accepted and not read
    Instant since;
  };
  bool has_room_for(const Address& prefix) const;  // among its unproven streams
  void let_in(const Address& prefix, std::unique_ptr<seams::Connection> connection);
  void admit(std::set<Address> prefixes);

  ground::Ground& ground_;
  const stream::Hosting& hosting_;
  Streams& streams_;
  std::function<void()> turned_away_;
  ground::Tally<Address>& unproven_;
  std::map<Address, std::deque<Waiting>> waiting_;  // by prefix_of(), never an empty one; the oldest first
  std::size_t waits_ = 0;                           // of all prefixes, bounded by streams_total
  std::set<Address> due_;                           // prefixes where somebody may come in
  bool admission_is_posted_ = false, is_closed_ = false;
};

}  // namespace ligase::streams
