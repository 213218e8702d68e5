#include "name/url.hpp"

#include <gtest/gtest.h>

namespace ligase {
namespace {

std::string read(std::string_view text) {
  const Result<Url> url = Url::parse(text);
  return url ? url->text() : "refused";
}

TEST(Url, PartsAreRead_DefaultsFilledIn) {
  EXPECT_EQ(read("http://ocsp.ca.tld"), "http://ocsp.ca.tld:80/");
  EXPECT_EQ(read("HTTPS://Ca.TLD/a/b?c=%20#d"), "https://ca.tld:443/a/b?c=%20");
  EXPECT_EQ(read("http://ca.tld:8080?q"), "http://ca.tld:8080/?q");
  EXPECT_EQ(read("http://ca.tld/" + std::string(2034, 'a')), "http://ca.tld:80/" + std::string(2034, 'a'));
}

TEST(Url, WhatReadersCouldTakeDifferently_IsRefused) {  // AB-151
  for (const char* const text : {"",
                                 "ca.tld",
                                 "ftp://ca.tld/",
                                 "ldap://ca.tld/",
                                 "http:/ca.tld",
                                 "http:///x",
                                 "http://a@ca.tld/",
                                 "http://ca.tld@b/",
                                 "http://ca.tld:/",
                                 "http://ca.tld:0/",
                                 "http://ca.tld:65536/",
                                 "http://ca.tld:80:80/",
                                 "http://ca.tld:+80/",
                                 "http://127.0.0.1/",
                                 "http://[::1]/",
                                 "http://ca.0x7f/",
                                 "http://2130706433/",
                                 "http://ca.tld\\@b/",
                                 "http://ca.tld/ x",
                                 "http://ca.tld/\r\nHost: b",
                                 "http://ca.tld/\x7f",
                                 "http://ca .tld/",
                                 "http://c\xc3\xa4.tld/"})
    EXPECT_EQ(read(text), "refused") << text;
  EXPECT_EQ(read("http://ca.tld/" + std::string(2035, 'a')), "refused");
}

}  // namespace
}  // namespace ligase
