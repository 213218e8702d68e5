#include "streams/streams.hpp"

#include <algorithm>

namespace ligase::streams {
namespace {

constexpr std::uint64_t kShares = 4;  // of pairs_total: what the streams of one site may make us remember

}  // namespace

Stream* Streams::find(pair::StreamRef ref) noexcept {
  const auto found = streams_.find(ref);
  return found == streams_.end() || found->second->is_ending ? nullptr : found->second.get();
}

Stream& Streams::add(std::unique_ptr<seams::Connection> connection, stream::Machine machine) {
  const pair::StreamRef ref{next_number()};
  auto added =
      std::make_unique<Stream>(ground_, peers_, owner_, due_windows, ref, std::move(connection), std::move(machine));
  Stream& stream = *added;
  streams_.emplace(ref, std::move(added));
  return stream;
}

std::unique_ptr<Stream> Streams::take_out(pair::StreamRef ref) {
  const auto found = streams_.find(ref);
  if (found == streams_.end()) return nullptr;
  std::unique_ptr<Stream> out = std::move(found->second);
  streams_.erase(found);
  return out;
}

Stream* Streams::find_inverse(const pairs::PairKey& out) noexcept {
  const auto found = inverse_.find(out);
  return found == inverse_.end() ? nullptr : find(found->second);
}

Stream* Streams::find_of_sender(const Domain& sender) noexcept {
  const auto found = of_senders_.find(sender);
  return found == of_senders_.end() ? nullptr : find(found->second);
}

void Streams::remove_of_sender(const Domain& sender, pair::StreamRef ref) {
  if (const auto found = of_senders_.find(sender); found != of_senders_.end() && found->second == ref)
    of_senders_.erase(found);
}

void Streams::remove_inverse(const pairs::PairKey& out, pair::StreamRef ref) {
  if (const auto found = inverse_.find(out); found != inverse_.end() && found->second == ref) inverse_.erase(found);
}

bool Streams::may_remember(const Stream& stream) const {
  const std::uint64_t most = ground_.rules.limits().pairs_total;
  return remembered.total() < most && remembered.of(stream.site()) < std::max<std::uint64_t>(1, most / kShares);
}

stream::Limits Streams::limits() const {
  const config::Limits& limits = ground_.rules.limits();
  return {{limits.stanza_size_unproven, limits.depth, limits.attributes, limits.start_tag, limits.name},
          limits.stanza_size,
          limits.unproven_timeout,
          limits.idle_timeout,
          limits.keep_alive,
          3,
          64 * 1024,
          static_cast<std::uint32_t>(limits.window_per_pair)};
}

bool is_peer_s_end(Reason reason) {
  return reason == Reason::stream_error || reason == Reason::stream_closed || reason == Reason::network_closed ||
         reason == Reason::tls_truncated;
}

void release_waiters(Stream& stream, const Error& why) {
  *stream.last_word = why;
  if (stream.opened) stream.opened->open(fail(why));
  if (stream.wants_verdict) stream.wants_verdict->open(fail(why));
  for (const auto& [pair, question] : stream.asked) question.answer->open(DbAnswer(fail(why)));
  stream.asked.clear();
  for (const auto& turn : stream.wait_to_ask) turn->open(false);
  stream.wait_to_ask.clear();
  for (const auto& [question, gate] : stream.verifying) gate->open(DbAnswer(fail(why)));
  stream.verifying.clear();
  for (auto& [sender, record] : stream.senders)
    if (record.done) record.done->open(false);
}

}  // namespace ligase::streams
