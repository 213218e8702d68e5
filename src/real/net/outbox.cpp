// Encrypts into the loop's shared block; only what the socket does not take at once is copied into our own.
#include "net/outbox.hpp"

#include <linux/sockios.h>
#include <sys/ioctl.h>

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <utility>

namespace ligase::net {
namespace {

constexpr std::size_t kBatch = 64 * 1024;          // bytes of one system call
constexpr std::size_t kShare = 1024 * 1024;        // bytes of one connection in one turn of the loop
constexpr std::size_t kCompactAbove = 256 * 1024;  // sent bytes still in front of the unsent ones
constexpr std::size_t kEndsAtRest = 16;            // more are not kept by a connection that has nothing to say

}  // namespace

std::size_t unacknowledged(boost::asio::ip::tcp::socket& socket) noexcept {
  int count = 0;
  const bool is_known = socket.is_open() && ::ioctl(socket.native_handle(), SIOCOUTQ, &count) == 0 && count > 0;
  return is_known ? static_cast<std::size_t>(count) : 0;
}

void Outbox::write(std::string_view bytes) {
  if (bytes.empty()) return;
  if (plain_.empty() && plain_.capacity() <= sizeof(std::string)) plain_ = loop_.take_storage();
  compact();
  ends_.push_back(plain_.size() + bytes.size());
  try {
    plain_.append(bytes);
  } catch (...) {
    ends_.pop_back();
    throw;
  }
}

// A piece goes when it has left whole: where the end comes meanwhile, its beginning is wanted too.
void Outbox::compact() {
  if (plain_sent_ <= kCompactAbove || plain_sent_ <= plain_.size() / 2) return;
  const auto first = std::upper_bound(ends_.begin(), ends_.end(), plain_sent_);
  const std::size_t gone = first == ends_.begin() ? 0 : *std::prev(first);
  if (gone <= plain_sent_ / 2) return;
  plain_.erase(0, gone);
  plain_sent_ -= gone;
  ends_.erase(ends_.begin(), first);
  for (std::size_t& end : ends_) end -= gone;
}

void Outbox::seal() {
  raw_.append(plain_, plain_sent_);
  release_plain();
}

seams::Unsent Outbox::take_unsent(std::size_t unacknowledged) {
  const auto first = std::upper_bound(ends_.begin(), ends_.end(), plain_sent_);
  const std::size_t gone = first == ends_.begin() ? 0 : *std::prev(first);
  seams::Unsent unsent;
  unsent.unacknowledged = tail_.take(unacknowledged);
  if (first != ends_.end()) {
    ends_.erase(ends_.begin(), first);
    for (std::size_t& end : ends_) end -= gone;
    plain_.erase(0, gone);
    unsent.ends = std::move(ends_);
    unsent.bytes = std::move(plain_);
  }
  plain_ = {};
  raw_ = {};
  ends_ = {};
  plain_sent_ = raw_sent_ = sealed_ = sealed_left_ = records_count_ = records_passed_ = 0;
  return unsent;
}

void Outbox::release(std::string& storage, std::size_t& sent) {
  loop_.give_storage(std::exchange(storage, {}));
  sent = 0;
}

void Outbox::release_plain() {
  release(plain_, plain_sent_);
  if (ends_.capacity() > kEndsAtRest) {
    ends_ = {};
  } else {
    ends_.clear();
  }
}

Outbox::Step Outbox::put(boost::asio::ip::tcp::socket& socket, std::string_view bytes, std::size_t& sent,
                         boost::system::error_code& error) {
  sent = 0;
  while (sent < bytes.size()) {
    const std::size_t count = socket.write_some(boost::asio::buffer(bytes.data() + sent, bytes.size() - sent), error);
    if (error == boost::asio::error::would_block || error == boost::asio::error::try_again) return Step::blocked;
    if (error == boost::asio::error::interrupted) continue;
    if (error) return Step::broken;
    sent += count;
  }
  return Step::all;
}

void Outbox::has_sent(boost::asio::ip::tcp::socket& socket, std::size_t count) {
  const auto from = std::upper_bound(ends_.begin(), ends_.end(), plain_sent_);
  const auto to = std::upper_bound(from, ends_.end(), plain_sent_ + count);
  std::vector<std::size_t>& ends = loop_.blocks().ends;
  ends.assign(from, to);
  for (std::size_t& end : ends) end -= plain_sent_;
  tail_.add(std::string_view(plain_).substr(plain_sent_, count), ends);
  plain_sent_ += count;
  if (tail_.size() > Tail::kEnough) tail_.trim(unacknowledged(socket));
}

Outbox::Step Outbox::put_raw(boost::asio::ip::tcp::socket& socket, std::size_t& share,
                             boost::system::error_code& error) {
  if (raw_sent_ == raw_.size()) return Step::all;
  std::size_t sent = 0;
  const Step step = put(socket, std::string_view(raw_).substr(raw_sent_), sent, error);
  raw_sent_ += sent;
  share += sent;
  pass_records(sealed_left_ + raw_sent_);
  return step;
}

// A record each, so that it is known which of them has left when not all of them do.
bool Outbox::seal_batch(tls::Session& session, std::string& sealed) {
  records_count_ = records_passed_ = sealed_ = sealed_left_ = 0;
  sealed.clear();
  std::string_view left = std::string_view(plain_).substr(plain_sent_);
  while (!left.empty() && records_count_ < kRecordsOfBatch) {
    const std::string_view piece = left.substr(0, session.record_size());
    if (!session.write(piece, sealed)) return false;
    records_[records_count_++] = {sealed.size(), piece.size()};
    left.remove_prefix(piece.size());
    sealed_ += piece.size();
  }
  return true;
}

void Outbox::pass_records(std::size_t wire_bytes) {
  for (; records_passed_ < records_count_ && records_[records_passed_].wire_end <= wire_bytes; ++records_passed_) {
    plain_sent_ += records_[records_passed_].plain;
    sealed_ -= records_[records_passed_].plain;
  }
}

Outbox::Outcome Outbox::send(boost::asio::ip::tcp::socket& socket, tls::Session* session,
                             boost::system::error_code& error) {
  std::size_t share = 0;
  while (share < kShare) {
    const Step step = put_raw(socket, share, error);
    if (step == Step::blocked) return Outcome::blocked;
    if (step == Step::broken) return Outcome::broken;
    if (raw_.capacity() > sizeof(std::string)) release(raw_, raw_sent_);

    std::size_t sent = 0;
    const std::string_view batch = std::string_view(plain_).substr(plain_sent_, kBatch);
    if (batch.empty()) {
      if (plain_.capacity() > sizeof(std::string)) release_plain();
      return Outcome::empty;
    }
    if (session == nullptr) {
      const Step put_step = put(socket, batch, sent, error);
      has_sent(socket, sent);
      share += sent;
      if (put_step == Step::blocked) return Outcome::blocked;
      if (put_step == Step::broken) return Outcome::broken;
      continue;
    }
    if (session->state() == tls::Session::State::handshaking) return Outcome::waiting;
    std::string& sealed = loop_.blocks().sealed;
    if (!seal_batch(*session, sealed)) return Outcome::broken;
    const Step put_step = put(socket, sealed, sent, error);
    share += sent;
    pass_records(sent);
    if (put_step == Step::broken) return Outcome::broken;
    if (put_step == Step::blocked) {
      raw_ = loop_.take_storage();
      raw_.assign(sealed, sent);
      raw_sent_ = 0;
      sealed_left_ = sent;
      return Outcome::blocked;
    }
  }
  return queued() == 0 ? Outcome::empty : Outcome::more;
}

}  // namespace ligase::net
