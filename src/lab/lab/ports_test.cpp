#include "lab/ports.hpp"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <set>
#include <vector>

namespace ligase::lab {
namespace {

TEST(LabPorts, HeldPorts_AreAllDifferent) {
  std::vector<HeldPort> held;
  std::set<std::uint16_t> numbers;
  for (int i = 0; i < 32; ++i) {
    auto port = HeldPort::take();
    ASSERT_TRUE(port);
    EXPECT_NE(port->number(), 0);
    numbers.insert(port->number());
    held.push_back(std::move(*port));
  }
  EXPECT_EQ(numbers.size(), 32u);
}

TEST(LabPorts, HeldPort_IsStillFreeForAListenerThatReusesAddresses) {
  const auto port = HeldPort::take();
  ASSERT_TRUE(port);
  const int listener = socket(AF_INET, SOCK_STREAM, 0);
  const int on = 1;
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port->number());
  inet_pton(AF_INET, "127.0.0.1", &address.sin_addr);
  EXPECT_EQ(bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  EXPECT_EQ(listen(listener, 1), 0);
  close(listener);
}

}  // namespace
}  // namespace ligase::lab
