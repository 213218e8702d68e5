// Encrypts into the loop's shared block; only what the socket does not take at once is copied into our own.
#include "net/outbox.hpp"

#include <boost/asio/buffer.hpp>
#include <utility>

namespace ligase::net {
namespace {

constexpr std::size_t kBatch = 64 * 1024;          // plaintext of one system call: four full records
constexpr std::size_t kShare = 1024 * 1024;        // bytes of one connection in one turn of the loop
constexpr std::size_t kCompactAbove = 256 * 1024;  // sent bytes still in front of the unsent ones

}  // namespace

void Outbox::write(std::string_view bytes) {
  if (bytes.empty()) return;
  if (plain_.empty() && plain_.capacity() <= sizeof(std::string)) plain_ = loop_.take_storage();
  if (plain_sent_ > kCompactAbove && plain_sent_ > plain_.size() / 2) {
    plain_.erase(0, plain_sent_);
    plain_sent_ = 0;
  }
  plain_.append(bytes);
}

void Outbox::seal() {
  raw_.append(plain_, plain_sent_);
  release(plain_, plain_sent_);
}

void Outbox::clear() noexcept {
  plain_ = {};
  raw_ = {};
  plain_sent_ = raw_sent_ = 0;
}

void Outbox::release(std::string& storage, std::size_t& sent) {
  loop_.give_storage(std::exchange(storage, {}));
  sent = 0;
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

Outbox::Outcome Outbox::send(boost::asio::ip::tcp::socket& socket, tls::Session* session,
                             boost::system::error_code& error) {
  std::size_t share = 0;
  while (share < kShare) {
    std::size_t sent = 0;
    if (raw_sent_ < raw_.size()) {
      const Step step = put(socket, std::string_view(raw_).substr(raw_sent_), sent, error);
      raw_sent_ += sent;
      share += sent;
      if (step == Step::blocked) return Outcome::blocked;
      if (step == Step::broken) return Outcome::broken;
    }
    if (raw_.capacity() > sizeof(std::string)) release(raw_, raw_sent_);

    const std::string_view batch = std::string_view(plain_).substr(plain_sent_, kBatch);
    if (batch.empty()) {
      if (plain_.capacity() > sizeof(std::string)) release(plain_, plain_sent_);
      return Outcome::empty;
    }
    if (session == nullptr) {
      const Step step = put(socket, batch, sent, error);
      plain_sent_ += sent;
      share += sent;
      if (step == Step::blocked) return Outcome::blocked;
      if (step == Step::broken) return Outcome::broken;
      continue;
    }
    if (session->state() == tls::Session::State::handshaking) return Outcome::waiting;
    std::string& sealed = loop_.blocks().sealed;
    sealed.clear();
    if (!session->write(batch, sealed)) return Outcome::broken;
    plain_sent_ += batch.size();
    share += batch.size();
    const Step step = put(socket, sealed, sent, error);
    if (step == Step::broken) return Outcome::broken;
    if (step == Step::blocked) {
      raw_ = loop_.take_storage();
      raw_.assign(sealed, sent);
      raw_sent_ = 0;
      return Outcome::blocked;
    }
  }
  return queued() == 0 ? Outcome::empty : Outcome::more;
}

}  // namespace ligase::net
