#include "net/tail.hpp"

#include <gtest/gtest.h>

namespace ligase::net {
namespace {

void add(Tail& tail, std::string_view bytes, std::vector<std::size_t> ends) { tail.add(bytes, ends); }

// AB-253: what is not acknowledged, in whole pieces, from the one in which the acknowledged bytes end.
TEST(Tail, PiecesThatAreNotAcknowledged) {
  Tail tail;
  add(tail, "<a/><bb/>", {4, 9});
  add(tail, "<ccc/", {});
  add(tail, "><d", {1});
  seams::Pieces left = tail.take(8);  // of "<ccc/><d" nothing
  EXPECT_EQ(left.bytes, "<ccc/>");
  EXPECT_EQ(left.ends, std::vector<std::size_t>{6});
  add(tail, "<a/><bb/><c/>", {4, 9, 13});
  left = tail.take(5);  // and a part of <bb/>
  EXPECT_EQ(left.bytes, "<bb/><c/>");
  EXPECT_EQ(left.ends, (std::vector<std::size_t>{5, 9}));
  add(tail, "<a/>", {4});
  EXPECT_TRUE(tail.take(0).bytes.empty());
}

TEST(Tail, AllIsAcknowledged_NothingIsHeld) {
  Tail tail;
  add(tail, std::string(Tail::kEnough, 'x'), {Tail::kEnough});
  tail.trim(1);
  EXPECT_EQ(tail.size(), Tail::kEnough);
  tail.trim(0);
  EXPECT_EQ(tail.size(), 0u);
}

}  // namespace
}  // namespace ligase::net
