// Bytes kept and bytes fed, seen as one.
#include "xml/window.hpp"

#include <gtest/gtest.h>

namespace ligase::xml {
namespace {

Window kept_and_fed() {  // "abcd" kept, "efgh" fed; the stream began with "xy"
  Window window;
  window.feed("xyabcd");
  window.keep_from(2);
  window.feed("efgh");
  return window;
}

TEST(Window, PositionsCountFromTheStreamsBegin) {
  const Window window = kept_and_fed();
  EXPECT_EQ(window.start(), 2u);
  EXPECT_EQ(window.end(), 10u);
  EXPECT_EQ(window.at(2), 'a');
  EXPECT_EQ(window.at(5), 'd');
  EXPECT_EQ(window.at(6), 'e');
  EXPECT_TRUE(window.has_at(4, "cdef"));
  EXPECT_FALSE(window.has_at(8, "ghi"));
}

TEST(Window, Find_SeesBothParts) {
  const Window window = kept_and_fed();
  EXPECT_EQ(window.find('b', 2, 10), 3u);
  EXPECT_EQ(window.find('g', 2, 10), 8u);
  EXPECT_EQ(window.find('g', 2, 8), std::nullopt);
  EXPECT_EQ(window.find('b', 4, 10), std::nullopt);
  EXPECT_EQ(window.find_last('c', 2, 10), 4u);
  EXPECT_EQ(window.find_last('h', 7, 10), 9u);
  EXPECT_EQ(window.find_last('h', 2, 9), std::nullopt);
}

TEST(Window, FedBytes_AreUsedWhereTheyLie) {
  const std::string fed = "efgh";
  Window window;
  window.feed("xyabcd");
  window.keep_from(2);
  window.feed(fed);
  EXPECT_EQ(window.contiguous(7, 9).data(), fed.data() + 1);
  EXPECT_EQ(window.contiguous(3, 8), "bcdef");
  EXPECT_EQ(window.contiguous(8, 10).data(), fed.data() + 2);
  EXPECT_EQ(window.end(), 10u);
}

TEST(Window, WhatIsKept_IsCounted) {
  Window window = kept_and_fed();
  window.keep_from(3);
  EXPECT_EQ(window.held(), 7u);
  window.feed("ij");
  EXPECT_EQ(window.contiguous(3, 12), "bcdefghij");
  window.keep_from(11);
  EXPECT_EQ(window.held(), 1u);
  EXPECT_EQ(window.contiguous(11, 12), "j");
  window.keep_from(12);
  EXPECT_EQ(window.held(), 0u);
  EXPECT_EQ(window.start(), 12u);
}

}  // namespace
}  // namespace ligase::xml
