// A certificate for the fuzz targets, in source, so that they need no file: a root that signed nothing.
#pragma once
#include <string>

namespace ligase::proof {

constexpr char kSampleRoot[] =  // DER in base64
    "MIIBWjCCAQCgAwIBAgICA+kwCgYIKoZIzj0EAwIwFDESMBAGA1UEAwwJdGVzdCByb290MB4XDTI2MDEwMTAwMDAwMFoXDTQ2MDEw"
    "MTAwMDAwMFowFDESMBAGA1UEAwwJdGVzdCByb290MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEblcX+SAO5WtJ66YqLIHni70P"
    "J2O4GnhQQSK9y+TaGHNHIbFnZLSYtxEiag8XtTXvQLm7ebLEZmG/4AOHlD9ZRqNCMEAwDwYDVR0TAQH/BAUwAwEB/zAOBgNVHQ8B"
    "Af8EBAMCAQYwHQYDVR0OBBYEFFfiTytmVomQsrQ1Ax/ADKZXphCxMAoGCCqGSM49BAMCA0gAMEUCIQDsXZMprfSn3JkpmxOJagCj"
    "MUR1F9hNnDDpt3mM3qV7JwIgSAWaz1fyq7sYBU5eE9bshNaSyXqMj8XjpKruzkF2XFM=";

inline std::string sample_root_pem() {
  std::string pem = "-----BEGIN CERTIFICATE-----\n";
  for (std::size_t at = 0; at < sizeof kSampleRoot - 1; at += 64) pem += std::string(kSampleRoot).substr(at, 64) + "\n";
  return pem + "-----END CERTIFICATE-----\n";
}

}  // namespace ligase::proof
