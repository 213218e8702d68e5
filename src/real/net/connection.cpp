// Waits for the socket to be readable, reads into the loop's shared block without blocking, and hands on from there.
// Any callback may close, abort or destroy the connection: after each, `is_live()` is asked before the next step.
// What the loop calls is guarded: an exception ends this connection and goes no further (AB-161).
#include "net/connection.hpp"

#include <netinet/tcp.h>
#include <sys/socket.h>

#include <boost/asio/post.hpp>
#include <cassert>
#include <cerrno>
#include <exception>
#include <new>
#include <optional>
#include <utility>

#include "net/endpoint.hpp"
#include "net/heard.hpp"
#include "net/linger.hpp"
#include "net/outbox.hpp"
#include "tls/session.hpp"

namespace ligase::net {
namespace {

using boost::asio::ip::tcp;
using boost::system::error_code;

constexpr int kReadRounds = 4;                  // blocks of one connection in one turn of the loop
constexpr std::size_t kSplitUntil = 64 * 1024;  // clear bytes given element by element
constexpr Duration kLinger = 1s;                // for the last alert to arrive
constexpr int kUnsentInKernel = 128 * 1024;     // bytes that wait in the kernel to be sent; what is more waits with us

void set_options(tcp::socket& socket) {
  error_code ignored;  // none of them is needed for the connection to be right
  socket.non_blocking(true, ignored);
  socket.set_option(tcp::no_delay(true), ignored);
  socket.set_option(boost::asio::socket_base::keep_alive(true), ignored);
  const int handle = socket.native_handle();
  const int idle = 60, interval = 15, count = 4;  // seconds, seconds, probes
  const unsigned unacknowledged = 60'000;         // milliseconds
  ::setsockopt(handle, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof idle);
  ::setsockopt(handle, IPPROTO_TCP, TCP_KEEPINTVL, &interval, sizeof interval);
  ::setsockopt(handle, IPPROTO_TCP, TCP_KEEPCNT, &count, sizeof count);
  ::setsockopt(handle, IPPROTO_TCP, TCP_USER_TIMEOUT, &unacknowledged, sizeof unacknowledged);
  ::setsockopt(handle, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &kUnsentInKernel, sizeof kUnsentInKernel);
}

bool would_block(const error_code& error) {
  return error == boost::asio::error::would_block || error == boost::asio::error::try_again ||
         error == boost::asio::error::interrupted;
}

}  // namespace

class TcpConnection::Impl : public std::enable_shared_from_this<Impl> {
 public:
  Impl(Loop& loop, tcp::socket socket, const Endpoint& remote, Duration handshake_timeout)
      : loop_(loop), socket_(std::move(socket)), handshake_timeout_(handshake_timeout), outbox_(loop), remote_(remote) {
    error_code error;
    local_ = from_asio(socket_.local_endpoint(error));
    set_options(socket_);
  }

  void start(seams::Receiver& receiver) {
    receiver_ = &receiver;
    wait_readable();
  }

  void write(std::string_view bytes) {
    if (!is_live() || is_closing_ || failure_) return;
    try {
      outbox_.write(bytes);
      if (outbox_.queued() > seams::kHighMark) is_over_high_mark_ = true;
      flush_soon();
    } catch (const std::bad_alloc&) {  // not the writer's fault: it may be another connection that is at work
      lose_memory();
    }
  }

  void start_tls(seams::TlsRequest request) {
    if (!is_live() || is_closing_) return;
    assert(!session_ && "TLS is started once");
    if (is_injected()) {
      post_failure({Reason::tls_injection, "bytes in clear came behind the STARTTLS negotiation"},
                   &Impl::report_tls_failure);
      return;
    }
    auto session =
        loop_.certificates()
            ? tls::Session::make(loop_.certificates(), request)
            : Result<std::unique_ptr<tls::Session>>(fail(Reason::tls_failed, "no certificate is configured"));
    if (!session) {
      post_failure(std::move(session.error()), &Impl::report_tls_failure);
      return;
    }
    session_ = std::move(*session);
    outbox_.seal();
    flush_soon();
    is_handshaking_ = true;
    set_timer(handshake_timeout_, [](Impl& self) {
      self.fail_tls({Reason::tls_timeout, "the handshake took too long"});
    });
    if (request.role == Role::initiating) {
      std::string_view nothing;
      session_->feed(nothing, loop_.clock().now(), outbox_.raw(), loop_.blocks().plain, {});
    }
  }

  void pause(seams::Pause why) { pauses_ |= bit(why); }
  void resume(seams::Pause why) {
    const bool was_paused = is_paused();
    pauses_ &= ~bit(why);
    if (!was_paused || is_paused() || !is_live() || is_closing_) return;
    post_soon(is_resume_posted_, &Impl::go_on_reading);
  }

  void close(Duration patience) {
    if (!is_live() || is_closing_) return;
    is_closing_ = true;
    leftover_ = {};
    if (is_handshaking_) keep_unsent();  // nothing may leave in clear that was meant for the session
    set_timer(patience, [](Impl& self) {
      self.finish({Reason::network_closed, "closed; the peer did not close in time"});
    });
    flush_soon();
    wait_readable();
  }

  void abort() {
    if (!is_live()) return;
    end();
    error_code ignored;
    socket_.set_option(boost::asio::socket_base::linger(true, 0), ignored);
    socket_.close(ignored);
  }

  std::size_t queued() const { return outbox_.queued(); }
  seams::Unsent take_unsent() { return is_live() ? seams::Unsent{} : std::exchange(unsent_, {}); }
  // Where the kernel cannot say it, nobody is taken for dead.
  std::uint64_t heard() const {
    auto& socket = const_cast<tcp::socket&>(socket_);
    return socket_.is_open() ? segments_received(socket.native_handle()) : 0;
  }
  Duration round_trip() const {
    auto& socket = const_cast<tcp::socket&>(socket_);
    return socket_.is_open() ? round_trip_of(socket.native_handle()) : Duration::zero();
  }
  const Endpoint& remote() const { return remote_; }
  const Endpoint& local() const { return local_; }

 private:
  bool is_live() const noexcept { return !is_ended_; }

  // ---- the loop ----

  // Whatever the loop calls. What is thrown here, by the receiver too, is the end of this connection and of nothing else.
  template <class Step>
  void guarded(Step step) {
    if (!is_live()) return;
    try {
      step(*this);
    } catch (const std::bad_alloc&) {
      if (!is_live()) throw;                     // the receiver's last call, or it ended us before: the loop reports it
      break_off({Reason::memory, "no memory"});  // short: the text itself needs none
    } catch (const std::exception& error) {
      if (!is_live()) throw;
      break_off({Reason::internal, error.what()});
    }
  }
  void break_off(const Error& why) {
    abort();
    if (receiver_ != nullptr) receiver_->on_closed(why);
  }
  void lose_memory() noexcept {
    try {
      post_failure({Reason::memory, "no memory"}, &Impl::report_memory);
    } catch (const std::exception&) {  // not even that: what waits for the socket finds it ended
      failure_.reset();
      ::shutdown(socket_.native_handle(), SHUT_RDWR);
    }
  }

  void post_soon(bool& is_posted, void (Impl::*step)()) {
    if (is_posted) return;
    boost::asio::post(loop_.context(), [weak = weak_from_this(), &is_posted, step] {
      const auto self = weak.lock();
      if (!self) return;
      is_posted = false;  // a member: lives with self
      self->guarded([step](Impl& live) { (live.*step)(); });
    });
    is_posted = true;
  }
  void flush_soon() { post_soon(is_flush_posted_, &Impl::flush); }
  void post_failure(Error error, void (Impl::*report)()) {
    failure_ = std::move(error);
    keep_unsent();
    post_soon(is_failure_posted_, report);
  }
  void report_tls_failure() {
    if (!is_closing_) fail_tls(*std::exchange(failure_, std::nullopt));
  }
  void report_memory() { break_off(*std::exchange(failure_, std::nullopt)); }

  void set_timer(Duration after, void (*action)(Impl&)) {
    loop_.clock().cancel(std::exchange(timer_, seams::TimerId::none));
    timer_ = loop_.clock().call_at(loop_.clock().now() + after, [weak = weak_from_this(), action] {
      if (const auto self = weak.lock()) self->guarded(action);
    });
  }
  void stop_timer() { loop_.clock().cancel(std::exchange(timer_, seams::TimerId::none)); }

  // ---- reading ----

  static constexpr unsigned bit(seams::Pause why) noexcept { return 1u << static_cast<unsigned>(why); }
  bool is_paused() const noexcept { return pauses_ != 0; }
  bool may_read() const noexcept {
    return is_live() && (is_closing_ || (!failure_ && !is_paused() && !is_resume_posted_));
  }

  void wait_readable() {
    if (is_waiting_readable_ || !may_read()) return;
    socket_.async_wait(tcp::socket::wait_read, [weak = weak_from_this()](error_code error) {
      const auto self = weak.lock();
      if (!self) return;
      self->is_waiting_readable_ = false;
      if (error != boost::asio::error::operation_aborted) self->guarded([](Impl& live) { live.read(); });
    });
    is_waiting_readable_ = true;
  }

  void read() {
    for (int round = 0; round < kReadRounds && may_read(); ++round) {
      auto& block = loop_.blocks().received;
      error_code error;
      const std::size_t count = socket_.read_some(boost::asio::buffer(block), error);
      if (error && !would_block(error)) return lost(error);
      if (count == 0) break;
      take({block.data(), count});
      if (count < block.size()) break;
    }
    wait_readable();
  }

  void go_on_reading() {
    if (is_paused()) return;
    const std::string kept = std::exchange(leftover_, {});
    take(kept);
    wait_readable();
  }

  void take(std::string_view bytes) {
    if (is_closing_) return;
    if (session_)
      take_sealed(bytes);
    else
      take_clear(bytes);
  }

  void take_clear(std::string_view bytes) {
    while (!bytes.empty()) {
      if (is_paused()) {
        leftover_.append(bytes);
        return;
      }
      const std::size_t mark = clear_seen_ < kSplitUntil ? bytes.find('>') : std::string_view::npos;
      const std::size_t size = mark == std::string_view::npos ? bytes.size() : mark + 1;
      const std::string_view piece = bytes.substr(0, size);
      bytes.remove_prefix(size);
      clear_seen_ += size;
      undelivered_ = bytes.size();
      receiver_->on_bytes(piece);
      undelivered_ = 0;
      if (!is_live() || is_closing_ || session_ || failure_) return;
    }
  }

  void take_sealed(std::string_view bytes) {
    const auto give = [this](std::string_view plain) {
      receiver_->on_bytes(plain);
      return is_live() && !is_closing_ && !is_paused();
    };
    for (;;) {
      session_->feed(bytes, loop_.clock().now(), outbox_.raw(), loop_.blocks().plain, give);
      if (!is_live()) return;
      if (outbox_.queued() > 0) flush_soon();
      if (is_closing_) return;
      switch (session_->state()) {
        case tls::Session::State::handshaking:
          return;
        case tls::Session::State::failed:
          return fail_tls(session_->error());
        case tls::Session::State::ended:
          return peer_closed();
        case tls::Session::State::established:
          break;
      }
      if (is_handshaking_) {
        is_handshaking_ = false;
        stop_timer();
        receiver_->on_tls(session_->take_facts());
        if (!is_live() || is_closing_) return;
        if (!is_paused()) continue;  // what follows the handshake in the same bytes
      }
      leftover_.append(bytes);  // not empty only when paused
      return;
    }
  }

  bool is_injected() {
    if (undelivered_ > 0 || !leftover_.empty()) return true;
    if (clear_seen_ == 0) return false;  // direct TLS
    char byte;
    return ::recv(socket_.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0;
  }

  // ---- sending ----

  void wait_writable() {
    if (is_waiting_writable_) return;
    socket_.async_wait(tcp::socket::wait_write, [weak = weak_from_this()](error_code error) {
      const auto self = weak.lock();
      if (!self) return;
      self->is_waiting_writable_ = false;
      if (error != boost::asio::error::operation_aborted) self->guarded([](Impl& live) { live.flush(); });
    });
    is_waiting_writable_ = true;
  }

  void flush() {
    if (is_waiting_writable_) return;
    error_code error;
    switch (outbox_.send(socket_, session_.get(), error)) {
      case Outbox::Outcome::empty:
        if (is_closing_ && !is_sending_ended_) end_sending();
        break;
      case Outbox::Outcome::waiting:
        break;
      case Outbox::Outcome::blocked:
        wait_writable();
        break;
      case Outbox::Outcome::more:
        flush_soon();
        break;
      case Outbox::Outcome::broken:
        return sending_broke(error);
    }
    if (is_live() && is_over_high_mark_ && outbox_.queued() < seams::kLowMark) {
      is_over_high_mark_ = false;
      if (!is_closing_) receiver_->on_writable();
    }
  }

  void sending_broke(const error_code& error) {
    if (session_ && session_->state() == tls::Session::State::failed) return fail_tls(session_->error());
    if (!is_paused()) read();  // the peer's last words may lie there
    if (is_live()) lost(error);
  }

  // All is sent: close_notify, then our end of TCP.
  void end_sending() {
    if (session_) {
      session_->close(outbox_.raw());
      error_code error;
      const auto outcome = outbox_.send(socket_, session_.get(), error);
      if (outcome == Outbox::Outcome::blocked) return wait_writable();
      if (outcome == Outbox::Outcome::broken) return finish({Reason::network_closed, "closed"});
    }
    is_sending_ended_ = true;
    error_code error;
    socket_.shutdown(tcp::socket::shutdown_send, error);
    if (error || has_peer_ended_) finish({Reason::network_closed, "closed"});
  }

  // ---- ends ----

  // The socket ended, by the peer's FIN, a reset or an error.
  void lost(const error_code& error) {
    const bool is_fin = error == boost::asio::error::eof;
    if (is_closing_) {
      has_peer_ended_ = true;
      if (!is_fin || is_sending_ended_) finish({Reason::network_closed, "closed"});
      return;
    }
    const bool by_peer =
        is_fin || error == boost::asio::error::connection_reset || error == boost::asio::error::broken_pipe;
    const std::string what = is_fin ? "the peer closed the connection" : error.message();
    if (is_handshaking_ && session_->has_shown_certificate())  // TLS 1.2: what was due is the peer's judgement of it
      return fail_tls({Reason::external_refused, what + " during the TLS handshake, when it had our certificate"});
    if (is_handshaking_) return fail_tls({Reason::tls_failed, what + " during the TLS handshake"});
    if (session_ && by_peer) return finish({Reason::tls_truncated, what + " without close_notify"});
    send_last_words();
    finish({Reason::network_closed, what});
  }

  void peer_closed() {
    send_last_words();
    finish({Reason::network_closed, "the peer closed the TLS session"});
  }

  // The peer has ended; what it may still read of ours leaves if the socket takes it now.
  void send_last_words() {
    error_code error;
    outbox_.send(socket_, session_.get(), error);
    if (!session_ || outbox_.queued() > 0) return;
    session_->close(outbox_.raw());
    outbox_.send(socket_, session_.get(), error);
  }

  void fail_tls(const Error& error) {
    const bool is_answer_due = is_handshaking_ || !session_;  // else: failed long after the handshake
    error_code ignored;
    if (session_) outbox_.send(socket_, session_.get(), ignored);  // the alert
    is_handshaking_ = false;
    linger_on();
    if (is_answer_due) receiver_->on_tls(ligase::fail(error));
    if (is_live()) finish(error);
  }

  void linger_on() noexcept {
    error_code ignored;
    note_uncertain();
    try {
      if (socket_.is_open()) linger(std::move(socket_), kLinger);
    } catch (const std::exception&) {
      socket_.close(ignored);
    }
  }

  void finish(const Error& why) {
    end();
    linger_on();
    receiver_->on_closed(why);
  }

  // Nothing is called back after this, nor sent.
  void end() {
    is_ended_ = true;
    stop_timer();
    keep_unsent();
    note_uncertain();
    leftover_ = {};
  }
  void note_uncertain() noexcept {
    if (const std::size_t count = unacknowledged(socket_); count > 0) unsent_.uncertain = count;
  }
  void keep_unsent() {
    if (unsent_.bytes.empty() && unsent_.unacknowledged.bytes.empty())
      unsent_ = outbox_.take_unsent(unacknowledged(socket_));
  }

  Loop& loop_;
  tcp::socket socket_;
  Duration handshake_timeout_;
  Outbox outbox_;
  Endpoint remote_, local_;
  seams::Receiver* receiver_ = nullptr;
  std::unique_ptr<tls::Session> session_;        // kept to the end: an inner call of it may be what ends us
  std::string leftover_;                         // received and, since reading is paused, not taken yet
  std::optional<Error> failure_;                 // about to be reported
  seams::Unsent unsent_;                         // at the end
  unsigned pauses_ = 0;                          // a bit for each reason
  std::size_t clear_seen_ = 0;                   // bytes given in clear
  std::size_t undelivered_ = 0;                  // behind those being given now
  seams::TimerId timer_ = seams::TimerId::none;  // of the handshake, then of close()
  bool is_handshaking_ = false, is_closing_ = false, is_ended_ = false;
  bool is_sending_ended_ = false, has_peer_ended_ = false, is_over_high_mark_ = false;
  bool is_waiting_readable_ = false, is_waiting_writable_ = false;
  bool is_flush_posted_ = false, is_resume_posted_ = false, is_failure_posted_ = false;
};

TcpConnection::TcpConnection(Loop& loop, tcp::socket socket, const Endpoint& remote, Duration handshake_timeout)
    : impl_(std::make_shared<Impl>(loop, std::move(socket), remote, handshake_timeout)) {}
TcpConnection::~TcpConnection() { impl_->abort(); }

void TcpConnection::start(seams::Receiver& receiver) { impl_->start(receiver); }
void TcpConnection::write(std::string_view bytes) { impl_->write(bytes); }
void TcpConnection::start_tls(seams::TlsRequest request) { impl_->start_tls(std::move(request)); }
void TcpConnection::pause_reading(seams::Pause why) { impl_->pause(why); }
void TcpConnection::resume_reading(seams::Pause why) { impl_->resume(why); }
seams::Unsent TcpConnection::take_unsent() { return impl_->take_unsent(); }
std::uint64_t TcpConnection::heard() const { return impl_->heard(); }
Duration TcpConnection::round_trip() const { return impl_->round_trip(); }
std::size_t TcpConnection::queued() const { return impl_->queued(); }
void TcpConnection::close(Duration patience) { impl_->close(patience); }
void TcpConnection::abort() { impl_->abort(); }
Endpoint TcpConnection::remote() const { return impl_->remote(); }
Endpoint TcpConnection::local() const { return impl_->local(); }

}  // namespace ligase::net
