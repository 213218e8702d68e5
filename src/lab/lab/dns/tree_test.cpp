// The tree as a server of messages; that its signatures and proofs hold is shown by resolver_test.cpp.
#include "lab/dns/tree.hpp"

#include <gtest/gtest.h>

#include "dns/ldns_handles.hpp"
#include "lab/dns/server.hpp"

namespace ligase::lab::dns {
namespace {

using ligase::dns::Packet;

Bytes query(const char* name, ldns_rr_type type, std::uint16_t udp_size = 0) {
  const Packet packet(ldns_pkt_query_new(ldns_dname_new_frm_str(name), type, LDNS_RR_CLASS_IN, LDNS_RD));
  ldns_pkt_set_id(packet.get(), 4711);
  if (udp_size != 0) ldns_pkt_set_edns_udp_size(packet.get(), udp_size), ldns_pkt_set_edns_do(packet.get(), true);
  std::uint8_t* data = nullptr;
  std::size_t size = 0;
  ldns_pkt2wire(&data, packet.get(), &size);
  Bytes bytes(data, data + size);
  std::free(data);
  return bytes;
}

Packet ask(const Tree& tree, const Bytes& query, Transport transport = Transport::udp) {
  const Bytes bytes = tree.answer(query, transport);
  ldns_pkt* packet = nullptr;
  EXPECT_EQ(ldns_wire2pkt(&packet, bytes.data(), bytes.size()), LDNS_STATUS_OK);
  return Packet(packet);
}

std::string text(const ldns_rr_list* list) {
  char* chars = ldns_rr_list2str(list);
  std::string copy = chars == nullptr ? "" : chars;
  std::free(chars);
  return copy;
}

struct TreeTest : testing::Test {
  TreeTest() {
    EXPECT_TRUE(tree.add_zone("tld"));
    EXPECT_TRUE(tree.add_zone("plain.tld", Delegation::insecure));
    EXPECT_TRUE(tree.add("host.tld. 300 IN A 127.0.0.1"));
  }
  Tree tree;
};

TEST_F(TreeTest, TrustAnchor_IsTheRootsDs) {
  EXPECT_TRUE(tree.trust_anchor().starts_with(".\t3600\tIN\tDS\t"));
  EXPECT_TRUE(tree.trust_anchor().ends_with("\n"));
  EXPECT_NE(tree.trust_anchor(), Tree().trust_anchor());
}

TEST_F(TreeTest, Signatures_AreMadeWhenAskedForAndOnce) {
  EXPECT_EQ(tree.signatures_made(), 0u);
  ask(tree, query("host.tld", LDNS_RR_TYPE_A));
  EXPECT_EQ(tree.signatures_made(), 0u) << "nobody wanted one";
  ask(tree, query("host.tld", LDNS_RR_TYPE_A, 1232));
  ask(tree, query("host.tld", LDNS_RR_TYPE_A, 1232));
  EXPECT_EQ(tree.signatures_made(), 1u);
  ask(tree, query("www.plain.tld", LDNS_RR_TYPE_A, 1232));
  EXPECT_EQ(tree.signatures_made(), 1u);
}

TEST_F(TreeTest, Answer_IsThatOfAResolverThatDoesNotValidate) {
  const Packet reply = ask(tree, query("HOST.tld", LDNS_RR_TYPE_A, 1232));
  EXPECT_EQ(ldns_pkt_id(reply.get()), 4711);
  EXPECT_TRUE(ldns_pkt_qr(reply.get()));
  EXPECT_TRUE(ldns_pkt_ra(reply.get()));
  EXPECT_FALSE(ldns_pkt_ad(reply.get()));
  const std::string answer = text(ldns_pkt_answer(reply.get()));
  EXPECT_NE(answer.find("HOST.tld.\t300\tIN\tA\t127.0.0.1\n"), std::string::npos) << answer << "as it was asked";
  EXPECT_NE(answer.find("RRSIG\tA 13 2 300"), std::string::npos) << answer;
}

TEST_F(TreeTest, UnsignedCut_HasNoDsAndAnNsecThatSaysSo) {
  const Packet reply = ask(tree, query("plain.tld", LDNS_RR_TYPE_DS, 1232));
  EXPECT_EQ(ldns_pkt_get_rcode(reply.get()), LDNS_RCODE_NOERROR);
  EXPECT_EQ(ldns_pkt_ancount(reply.get()), 0);
  const std::string proof = text(ldns_pkt_authority(reply.get()));
  EXPECT_NE(proof.find("plain.tld.\t60\tIN\tNSEC\ttld. NS RRSIG NSEC"), std::string::npos) << proof;
}

TEST_F(TreeTest, NoSuchName_HasTheProofOfNameAndWildcard) {
  const Packet reply = ask(tree, query("zebra.tld", LDNS_RR_TYPE_A, 1232));
  EXPECT_EQ(ldns_pkt_get_rcode(reply.get()), LDNS_RCODE_NXDOMAIN);
  const std::string proof = text(ldns_pkt_authority(reply.get()));
  EXPECT_NE(proof.find("plain.tld.\t60\tIN\tNSEC\ttld."), std::string::npos) << "covers zebra.tld: " << proof;
  EXPECT_NE(proof.find("tld.\t60\tIN\tNSEC\thost.tld."), std::string::npos) << "covers *.tld: " << proof;
}

TEST_F(TreeTest, RecordAddedLater_IsInTheChain) {
  ask(tree, query("zebra.tld", LDNS_RR_TYPE_A, 1232));
  ASSERT_TRUE(tree.add("zebra.tld. 300 IN A 127.0.0.1"));
  const Packet reply = ask(tree, query("zebra.tld", LDNS_RR_TYPE_AAAA, 1232));
  const std::string proof = text(ldns_pkt_authority(reply.get()));
  EXPECT_NE(proof.find("zebra.tld.\t60\tIN\tNSEC\ttld. A RRSIG NSEC"), std::string::npos) << proof;
}

TEST_F(TreeTest, TooLongForUdp_IsTruncatedAndWholeOverTcp) {
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(tree.add("big.tld. 300 IN A 127.0.1." + std::to_string(i)));
  EXPECT_TRUE(ldns_pkt_tc(ask(tree, query("big.tld", LDNS_RR_TYPE_A)).get()));
  EXPECT_TRUE(ldns_pkt_tc(ask(tree, query("big.tld", LDNS_RR_TYPE_A, 65535)).get())) << "1232 bytes at most";
  const Packet whole = ask(tree, query("big.tld", LDNS_RR_TYPE_A, 1232), Transport::tcp);
  EXPECT_FALSE(ldns_pkt_tc(whole.get()));
  EXPECT_EQ(ldns_pkt_ancount(whole.get()), 101);
}

TEST_F(TreeTest, DnameThatGrowsForEver_Ends) {
  ASSERT_TRUE(tree.add("grow.tld. 300 IN DNAME " + std::string(60, 'x') + ".grow.tld."));
  EXPECT_EQ(ldns_pkt_get_rcode(ask(tree, query("a.grow.tld", LDNS_RR_TYPE_A), Transport::tcp).get()),
            LDNS_RCODE_YXDOMAIN);
}

TEST_F(TreeTest, NoQuery_IsDropped) {
  EXPECT_TRUE(tree.answer({}, Transport::udp).empty());
  EXPECT_TRUE(tree.answer(as_bytes("not a DNS message"), Transport::udp).empty());
  Bytes reply = query("host.tld", LDNS_RR_TYPE_A);
  reply[2] |= 0x80;
  EXPECT_TRUE(tree.answer(reply, Transport::tcp).empty());
  EXPECT_EQ(read_question(query("Host.TLD", LDNS_RR_TYPE_SRV)), (Question{"host.tld", 33}));
}

TEST_F(TreeTest, WhatCannotBe_IsSaid) {
  EXPECT_FALSE(tree.add_zone("tld")) << "twice";
  EXPECT_FALSE(tree.add_zone("")) << "the root is there";
  EXPECT_FALSE(tree.add_zone("host.tld")) << "has records";
  EXPECT_FALSE(tree.add("nonsense"));
  EXPECT_FALSE(tree.strip("host.tld", "SRV"));
  EXPECT_FALSE(tree.alter("host.tld. 300 IN TXT \"x\""));
  EXPECT_FALSE(tree.set_wrong_ds("plain.tld"));
  EXPECT_FALSE(tree.set_validity("nothing.tld", "A", WallTime(), WallTime()));
}

}  // namespace
}  // namespace ligase::lab::dns
