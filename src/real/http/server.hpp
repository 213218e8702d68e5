// The HTTP/1.1 server of the control socket and of `http` listeners: small, and bounded in everything a client can send
// (AB-113). It runs on the gateway's own loop, so that an answer is one moment's truth.
#pragma once
#include <boost/asio/io_context.hpp>
#include <functional>
#include <memory>
#include <string>

#include "base/result.hpp"
#include "base/time.hpp"
#include "name/address.hpp"
#include "task.hpp"

namespace ligase::http {

struct Request {
  std::string method;  // "GET"
  std::string target;  // as sent, not decoded
  std::string body;
};
struct Answer {
  unsigned status = 200;
  std::string type = "application/json";
  std::string body;
};
// Called on the loop; must not block. What it needs outlives the Server.
using Handler = std::function<Task<Answer>(Request)>;

struct ServerLimits {
  std::size_t header = 8 * 1024, body = 64 * 1024, connections = 64;
  Duration request = 10s;  // from the first wait to the last byte of the request, and again of the answer
  Duration idle = 60s;     // between two requests
};

class Server {
 public:
  // A Unix socket, mode 0660. A socket file that a dead process left is replaced; one that somebody listens on, or any
  // other file, is an error. The file is removed with the Server.
  static Result<std::unique_ptr<Server>> on_unix(boost::asio::io_context& context, const std::string& path,
                                                 Handler handler, ServerLimits limits = {});
  // TCP; requests whose Host is no loopback address and not "localhost" are refused (DNS rebinding, AB-113).
  static Result<std::unique_ptr<Server>> on_tcp(boost::asio::io_context& context, const Endpoint& endpoint,
                                                Handler handler, ServerLimits limits = {});
  ~Server();  // closes everything at once

  Endpoint local() const;  // of TCP: the port that port 0 became

 private:
  struct Base;
  template <class Protocol>
  struct Listening;
  explicit Server(std::shared_ptr<Base> base);
  std::shared_ptr<Base> base_;
};

}  // namespace ligase::http
