// Who may come in: so many unproven streams of one prefix, a waiting room, unread, for those that come in a burst (AB-016), and no
// more streams of one site than a share of all, proven ones too (AB-271).
#pragma once
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string_view>

#include "streams/streams.hpp"

namespace ligase::streams {

class Door {
 public:
  // `turned_away` is told of what is closed at once, and of the limit that it was too much for.
  using TurnedAway = std::function<void(std::string_view limit)>;
  Door(ground::Ground& ground, const stream::Hosting& hosting, Streams& streams, TurnedAway turned_away)
      : ground_(ground), hosting_(hosting), streams_(streams), turned_away_(std::move(turned_away)) {}

  void accept(std::unique_ptr<seams::Connection> connection);
  void leaves(Stream& stream);  // it was proven, or is over: its place goes to one that waits
  void admit_waiting();         // room may have come without anybody's leaving, and some wait too long
  void close();                 // nobody comes in any more
  bool is_empty() const noexcept { return waits_ == 0; }
  std::size_t waiting() const noexcept { return waits_; }

 private:
  struct Waiting {
    std::unique_ptr<seams::Connection> connection;  // accepted and not read
    Instant since;
  };
  bool has_room_for(const Address& prefix) const;                 // among the unproven streams, its own and its site's
  std::string_view full_for(const Address& site) const noexcept;  // the limit that one more would pass; "": none
  void let_in(const Address& prefix, std::unique_ptr<seams::Connection> connection);
  void admit(std::set<Address> prefixes);

  ground::Ground& ground_;
  const stream::Hosting& hosting_;
  Streams& streams_;
  TurnedAway turned_away_;
  std::map<Address, std::deque<Waiting>> waiting_;  // by prefix_of(), never an empty one; the oldest first
  std::size_t waits_ = 0;                           // of all prefixes, a share of streams_total
  std::set<Address> due_;                           // prefixes where somebody may come in
  bool admission_is_posted_ = false, is_closed_ = false;
};

}  // namespace ligase::streams
