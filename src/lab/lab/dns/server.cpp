#include "lab/dns/server.hpp"

#include <algorithm>
#include <array>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/udp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/write.hpp>
#include <map>
#include <mutex>
#include <thread>

namespace ligase::lab::dns {
namespace {

using boost::asio::buffer;
using boost::asio::redirect_error;
using boost::asio::use_awaitable;
using boost::asio::ip::tcp;
using boost::asio::ip::udp;
using boost::system::error_code;

constexpr std::size_t kMostSessions = 256, kMostCounted = 100'000;
constexpr int kPortsTried = 50;
const auto kLoopback = boost::asio::ip::address_v4::loopback();

// The query itself as a reply without an answer.
Bytes failure(BytesView query, std::uint8_t rcode) {
  Bytes bytes(query.begin(), query.end());
  bytes[2] |= 0x80;
  bytes[3] = static_cast<std::uint8_t>(0x80 | rcode);
  return bytes;
}

}  // namespace

// Sockets and what is asked of them. The coroutines share it: each ends when its socket is closed.
class Server::Impl : public std::enable_shared_from_this<Impl> {
 public:
  Impl(const Tree& tree, Executor executor) : tree_(tree), udp_(executor), acceptor_(executor) {}

  bool bind(error_code& error) {
    for (int tries = 0; tries < kPortsTried; ++tries) {
      close();
      acceptor_.open(tcp::v4());
      acceptor_.bind({kLoopback, 0}, error);
      if (!error) acceptor_.listen(128, error);
      if (error) return false;
      udp_.open(udp::v4());
      udp_.bind({kLoopback, acceptor_.local_endpoint().port()}, error);
      if (!error) return true;  // otherwise UDP has that port in use
    }
    return false;
  }
  void serve() {
    co_spawn(udp_.get_executor(), serve_udp(shared_from_this()), boost::asio::detached);
    co_spawn(acceptor_.get_executor(), accept(shared_from_this()), boost::asio::detached);
  }
  void close() {
    error_code ignored;
    udp_.close(ignored);
    acceptor_.close(ignored);
    for (auto& [id, session] : sessions_) session.close(ignored);
  }
  std::uint16_t port() const { return acceptor_.local_endpoint().port(); }

  void set_manner(std::string_view name, Manner manner) {
    const std::scoped_lock hold(lock_);
    manners_[std::string(name)] = manner;
  }
  std::size_t questions(const Question& question) const {
    const std::scoped_lock hold(lock_);
    const auto found = asked_.find(question);
    return found == asked_.end() ? 0 : found->second;
  }
  std::size_t questions() const {
    const std::scoped_lock hold(lock_);
    return all_asked_;
  }

 private:
  static Task<void> serve_udp(std::shared_ptr<Impl> self) {
    std::array<std::uint8_t, 4096> query;
    for (udp::endpoint from;;) {
      error_code error;
      const std::size_t size =
          co_await self->udp_.async_receive_from(buffer(query), from, redirect_error(use_awaitable, error));
      if (!self->udp_.is_open()) co_return;
      if (error) continue;
      const Bytes reply = self->answer({query.data(), size}, Transport::udp);
      if (!reply.empty()) co_await self->udp_.async_send_to(buffer(reply), from, redirect_error(use_awaitable, error));
    }
  }

  static Task<void> accept(std::shared_ptr<Impl> self) {
    for (std::uint64_t id = 0;; ++id) {
      error_code error;
      tcp::socket socket = co_await self->acceptor_.async_accept(redirect_error(use_awaitable, error));
      if (!self->acceptor_.is_open()) co_return;
      if (error || self->sessions_.size() >= kMostSessions) continue;
      self->sessions_.emplace(id, std::move(socket));
      co_spawn(self->acceptor_.get_executor(), serve_tcp(self, id), boost::asio::detached);
    }
  }

  static Task<void> serve_tcp(std::shared_ptr<Impl> self, std::uint64_t id) {  // RFC 7766: questions one after another
    tcp::socket& socket = self->sessions_.at(id);
    for (error_code error; !error;) {
      std::array<std::uint8_t, 2> length;
      co_await boost::asio::async_read(socket, buffer(length), redirect_error(use_awaitable, error));
      if (error) break;
      Bytes query(static_cast<std::size_t>(length[0] << 8 | length[1]));
      co_await boost::asio::async_read(socket, buffer(query), redirect_error(use_awaitable, error));
      if (error) break;
      const Bytes reply = self->answer(query, Transport::tcp);
      if (reply.empty()) continue;
      Bytes framed(2 + reply.size());
      framed[0] = static_cast<std::uint8_t>(reply.size() >> 8);
      framed[1] = static_cast<std::uint8_t>(reply.size());
      std::copy(reply.begin(), reply.end(), framed.begin() + 2);
      co_await boost::asio::async_write(socket, buffer(framed), redirect_error(use_awaitable, error));
    }
    self->sessions_.erase(id);
  }

  Bytes answer(BytesView query, Transport transport) {
    const auto question = read_question(query);
    if (!question) return {};
    switch (note(*question)) {
      case Manner::honest:
        return tree_.answer(query, transport);
      case Manner::silent:
        return {};
      case Manner::servfail:
        return failure(query, 2);
      case Manner::refused:
        return failure(query, 5);
      case Manner::wrong_question: {
        Bytes reply = tree_.answer(query, transport);
        reply[13] ^= 1;  // the first letter of the name
        return reply;
      }
      case Manner::truncated: {
        if (transport == Transport::tcp) return {};
        Bytes reply = failure(query, 0);
        reply[2] |= 0x02;
        return reply;
      }
    }
    return {};
  }

  Manner note(const Question& question) {  // counts it, and says how it is answered
    const std::scoped_lock hold(lock_);
    ++all_asked_;
    if (asked_.size() < kMostCounted || asked_.contains(question)) ++asked_[question];
    for (std::string_view name = question.name;;) {
      const auto found = manners_.find(name);
      if (found != manners_.end()) return found->second;
      if (name.empty()) return Manner::honest;
      const std::size_t dot = name.find('.');
      name = dot == name.npos ? std::string_view() : name.substr(dot + 1);
    }
  }

  const Tree& tree_;
  udp::socket udp_;
  tcp::acceptor acceptor_;
  std::map<std::uint64_t, tcp::socket> sessions_;
  mutable std::mutex lock_;  // over what follows
  std::map<std::string, Manner, std::less<>> manners_;
  std::map<Question, std::size_t> asked_;
  std::size_t all_asked_ = 0;
};

struct Server::Own {
  boost::asio::io_context loop{1};
  std::thread thread;
};

Server::Server(std::unique_ptr<Own> own, std::shared_ptr<Impl> impl) : own_(std::move(own)), impl_(std::move(impl)) {}

Server::~Server() {
  if (!own_) {
    impl_->close();
    return;
  }
  own_->loop.stop();
  own_->thread.join();
  impl_.reset();  // the coroutines' frames have the last references; they go with their loop
}

Result<std::unique_ptr<Server>> Server::start_on(const Tree& tree, Executor executor) {
  return start_with(tree, std::move(executor), nullptr);
}

Result<std::unique_ptr<Server>> Server::start(const Tree& tree) {
  auto own = std::make_unique<Own>();
  const Executor executor = own->loop.get_executor();
  return start_with(tree, executor, std::move(own));
}

Result<std::unique_ptr<Server>> Server::start_with(const Tree& tree, Executor executor, std::unique_ptr<Own> own) {
  auto impl = std::make_shared<Impl>(tree, std::move(executor));
  error_code error;
  if (!impl->bind(error)) {
    return fail(Reason::network_closed, "the lab's DNS server finds no free port on 127.0.0.1: " + error.message());
  }
  impl->serve();
  if (own) own->thread = std::thread([&loop = own->loop] { loop.run(); });
  return std::unique_ptr<Server>(new Server(std::move(own), std::move(impl)));
}

std::uint16_t Server::port() const noexcept { return impl_->port(); }
std::string Server::forwarder() const { return "127.0.0.1@" + std::to_string(port()); }
void Server::set_manner(std::string_view name, Manner manner) { impl_->set_manner(name, manner); }
std::size_t Server::questions() const { return impl_->questions(); }
std::size_t Server::questions(std::string_view name, std::uint16_t type) const {
  return impl_->questions({std::string(name), type});
}

}  // namespace ligase::lab::dns
