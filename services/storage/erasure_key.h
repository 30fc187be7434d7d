// How a store names erased members without their ids: in the ledger of erasures and in the change log. Immutable;
// thread-safe.
#pragma once

#include <cstdint>
#include <string>

#include "codec/records.h"
#include "domain/change.h"

namespace warmline::storage {

class ErasureKey {
 public:
  ErasureKey() = default;
  // `key`: 32 secret bytes, made with the store.
  explicit ErasureKey(std::string key) : key_(std::move(key)) {}

  // HMAC-SHA256 (RFC 2104) of pool and id, 32 hexadecimal digits: the key of the ledger.
  [[nodiscard]] std::string Hash(const std::string& pool, const std::string& member) const;
  // What the change log says of an erased member: the hash, and base::Hash64 of the id under AES-128.
  [[nodiscard]] codec::ErasedName Name(const std::string& pool, const std::string& member) const;
  // The Hash64 that a locator holds; 0 for one that this key did not make.
  [[nodiscard]] std::uint64_t IdHash(const std::string& locator) const;
  // A change as the log has it: DecodeChange, with the id_hash of an erased member filled in.
  [[nodiscard]] absl::StatusOr<domain::ChangeBody> Decode(const std::string& pool, const std::string& bytes) const;

 private:
  std::string key_;
};

}  // namespace warmline::storage
