// A web server that is none: it takes whatever comes on its connections, and says what a test tells it to.
#pragma once
#include <functional>
#include <list>
#include <memory>
#include <string>
#include <vector>

#include "sim/world.hpp"

namespace ligase::sim {

class WebServer {
 public:
  // One connection, as the test's answer sees it; lives as long as the server.
  class Visit : public seams::Receiver {
   public:
    virtual void say(std::string_view bytes) = 0;
    virtual void close() = 0;  // orderly
    virtual void abort() = 0;  // as a cut line
    std::string request;       // received so far
    seams::TlsFacts facts;
  };
  using Answer = std::function<void(Visit&)>;  // called once a request is whole

  // Listens there; shows `chain` on each TLS session. `is_plain`: no TLS.
  WebServer(World& world, const std::string& endpoint, std::shared_ptr<const proof::Chain> chain, Answer answer,
            bool is_plain = false);
  ~WebServer();

  std::vector<std::string> requests;  // in their order
  std::size_t connections = 0, certificates_seen = 0;
  Answer answer;

 private:
  class Session;
  World& world_;
  Endpoint endpoint_;
  bool is_plain_;
  std::list<std::unique_ptr<Session>> sessions_;
};

// "HTTP/1.1 200 OK" with a length, and the end of the connection.
std::string http_answer(std::string_view status, std::string_view fields, std::string_view body);
WebServer::Answer answers(std::string text);  // always this, then an orderly end

}  // namespace ligase::sim
