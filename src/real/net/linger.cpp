// Owns itself through its handlers; the loop's end ends it.
#include "net/linger.hpp"

#include <array>
#include <boost/asio/steady_timer.hpp>
#include <memory>

namespace ligase::net {
namespace {

constexpr std::size_t kMost = 256 * 1024;

class Lingering : public std::enable_shared_from_this<Lingering> {
 public:
  explicit Lingering(boost::asio::ip::tcp::socket socket)
      : socket_(std::move(socket)), timer_(socket_.get_executor()) {}

  void start(Duration patience) {
    boost::system::error_code error;
    socket_.non_blocking(true, error);
    socket_.shutdown(boost::asio::ip::tcp::socket::shutdown_send, error);
    timer_.expires_after(std::chrono::duration_cast<std::chrono::steady_clock::duration>(patience));
    timer_.async_wait([weak = weak_from_this()](boost::system::error_code cancelled) {
      const auto self = weak.lock();
      if (self && !cancelled) self->end();
    });
    wait();
  }

 private:
  void wait() {
    socket_.async_wait(boost::asio::ip::tcp::socket::wait_read,
                       [self = shared_from_this()](boost::system::error_code error) {
                         if (error) return self->end();
                         self->read();
                       });
  }
  void read() {
    std::array<char, 16384> block;
    boost::system::error_code error;
    const std::size_t got = socket_.read_some(boost::asio::buffer(block), error);
    seen_ += got;
    const bool is_empty = error == boost::asio::error::would_block || error == boost::asio::error::try_again;
    if ((error && !is_empty) || seen_ > kMost) return end();
    wait();
  }
  void end() {
    boost::system::error_code error;
    socket_.close(error);
    timer_.cancel();
  }

  boost::asio::ip::tcp::socket socket_;
  boost::asio::steady_timer timer_;
  std::size_t seen_ = 0;
};

}  // namespace

void linger(boost::asio::ip::tcp::socket socket, Duration patience) {
  std::make_shared<Lingering>(std::move(socket))->start(patience);
}

}  // namespace ligase::net
