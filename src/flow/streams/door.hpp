// Who may still be unproven: so many streams of one prefix, and a waiting room, unread, for those that come in a burst (AB-016).
#pragma once
#include <deque>
#include <functional>
#include <memory>

#include "streams/streams.hpp"

namespace ligase::streams {

class Door {
 public:
  // `turned_away` is told of what is closed at once.
  Door(ground::Ground& ground, const stream::Hosting& hosting, Streams& streams, std::function<void()> turned_away)
      : ground_(ground), hosting_(hosting), streams_(streams), turned_away_(std::move(turned_away)) {}

  void accept(std::unique_ptr<seams::Connection> connection);
  void admit_waiting();  // a stream was proven, or is over
  void close();          // nobody comes in any more
  bool is_empty() const noexcept { return waiting_.empty(); }

 private:
  struct Waiting {
    std::unique_ptr<seams::Connection> connection;  // accepted and not read
    Instant since;
  };
  bool has_room_for(const Address& from) const;  // among the unproven streams of its prefix
  void let_in(std::unique_ptr<seams::Connection> connection);

  ground::Ground& ground_;
  const stream::Hosting& hosting_;
  Streams& streams_;
  std::function<void()> turned_away_;
  std::deque<Waiting> waiting_;  // bounded by prefix and by streams_total
  bool admission_is_posted_ = false, is_closed_ = false;
};

}  // namespace ligase::streams
