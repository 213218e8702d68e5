// The s2s streams at work, by a number that is never used again: a stale StreamRef finds nothing.
#pragma once
#include <map>
#include <memory>

#include "streams/stream.hpp"

namespace ligase::streams {

class Streams {
 public:
  Streams(ground::Ground& ground, peers::Peers& peers, Owner& owner) : ground_(ground), peers_(peers), owner_(owner) {}

  Stream* find(pair::StreamRef ref) noexcept;  // null: it is over
  Stream& add(std::unique_ptr<seams::Connection> connection, stream::Machine machine);
  std::unique_ptr<Stream> take_out(pair::StreamRef ref);  // its connection is closed
  void clear() { streams_.clear(); }
  const auto& all() const noexcept { return streams_; }
  // One more incoming pair, or sender, on this stream: within pairs_total, and within a quarter of it for its site.
  bool may_remember(const Stream& stream) const;
  std::uint64_t next_number() noexcept { return next_number_++; }  // links are counted with them
  stream::Limits limits() const;

  // The stream that the peer opened, for both directions, on which the inverse of this outgoing pair was proven; null: none.
  Stream* find_inverse(const pairs::PairKey& out) noexcept;
  void add_inverse(const pairs::PairKey& out, pair::StreamRef ref) { inverse_.insert_or_assign(out, ref); }
  // The newest stream that may be asked in reverse on which this remote domain was proven; null: none.
  Stream* find_of_sender(const Domain& sender) noexcept;
  void add_of_sender(const Domain& sender, pair::StreamRef ref) { of_senders_.insert_or_assign(sender, ref); }
  void remove_of_sender(const Domain& sender, pair::StreamRef ref);
  void remove_inverse(const pairs::PairKey& out, pair::StreamRef ref);

  PairWindow::Due due_windows;      // credit is to be given for them
  ground::Tally<Address> of_sites;  // those that came, by site_of()
  ground::Tally<Address> unproven;  // those of them that are not proven yet, by prefix_of()
  ground::Tally<Address> unproven_of_sites;
  ground::Tally<Address> remembered;     // incoming pairs and senders, by site_of() the far end (AB-273)
  ground::Tally<pair::StreamRef> asked;  // db:results that no answer came to yet

 private:
  ground::Ground& ground_;
  peers::Peers& peers_;
  Owner& owner_;
  std::map<pair::StreamRef, std::unique_ptr<Stream>> streams_;
  std::unordered_map<pairs::PairKey, pair::StreamRef, pairs::PairHash, pairs::PairEqual> inverse_;
  std::map<Domain, pair::StreamRef> of_senders_;
  std::uint64_t next_number_ = 1;
};

bool is_peer_s_end(Reason reason);  // of a stream: the peer, or the network, ended it
// Who waits for an answer on this stream learns that none will come.
void release_waiters(Stream& stream, const Error& why);

}  // namespace ligase::streams
