#include "lab/kernel_table.hpp"

#include <gtest/gtest.h>

#include <array>

namespace ligase::lab {
namespace {

constexpr std::string_view kHead =
    "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n";

std::string line(std::string_view local, std::string_view remote, std::string_view state) {
  return "   7: " + std::string(local) + " " + std::string(remote) + " " + std::string(state) +
         " 00000000:00000000 00:00000000 00000000     0        0 128 1 0000000000000000 20 4 30 10 -1\n";
}

constexpr std::array<std::uint16_t, 2> kPorts{0x1495, 0x1496};

TEST(LabKernelTable, BothEndsOfAConnection_CountOnce) {
  const auto sockets = parse_kernel_table(std::string(kHead) + line("0100007F:1495", "0100007F:A001", "01") +
                                          line("0100007F:A001", "0100007F:1495", "01"));
  ASSERT_EQ(sockets.size(), 2u);
  EXPECT_EQ(sockets[0].local_port, 0x1495);
  EXPECT_EQ(count_connections(sockets, kPorts), 1u);
}

TEST(LabKernelTable, OneConnectionOfEachPort_AreTwo) {
  const auto sockets =
      parse_kernel_table(line("0100007F:1495", "0100007F:A001", "01") + line("0100007F:A002", "0100007F:1496", "01") +
                         line("0100007F:1496", "0100007F:A002", "01"));
  EXPECT_EQ(count_connections(sockets, kPorts), 2u);
}

TEST(LabKernelTable, ListenersClosingOnesAndOtherPorts_CountForNothing) {
  const auto sockets =
      parse_kernel_table(line("0100007F:1495", "00000000:0000", "0A") + line("0100007F:1495", "0100007F:A001", "06") +
                         line("0100007F:A003", "0100007F:0050", "01"));
  EXPECT_EQ(sockets.size(), 3u);
  EXPECT_EQ(count_connections(sockets, kPorts), 0u);
}

TEST(LabKernelTable, MappedEnd_IsTheSameAsItsIpv4Address) {
  const auto sockets =
      parse_kernel_table(line("0000000000000000FFFF00000100007F:1495", "0000000000000000FFFF00000100007F:A001", "01") +
                         line("0100007F:A001", "0100007F:1495", "01"));
  EXPECT_EQ(count_connections(sockets, kPorts), 1u);
}

TEST(LabKernelTable, TornLines_AreLeftOut) {
  EXPECT_TRUE(
      parse_kernel_table(std::string(kHead) + "   7: 0100007F:1495 0100\n   8: 0100007F 0100007F:1 01\n").empty());
}

TEST(LabKernelTable, ThisMachinesTables_AreReadable) { EXPECT_TRUE(read_kernel_tables()); }

}  // namespace
}  // namespace ligase::lab
