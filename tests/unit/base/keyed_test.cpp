// What is keyed: hashes that cannot be guessed, and tokens that cannot be changed.
#include <gtest/gtest.h>

#include "base/sip_hash.h"
#include "base/token_sealer.h"

namespace warmline::base {
namespace {

TEST(SipHash, IsTheFunctionThatOthersCompute) {
  // hash() of the bytes 0, 1, 2… in CPython 3.11, whose key is of zeros with PYTHONHASHSEED=0, and of a generator's
  // bytes with 1.
  const auto of = [](const SipKey& key, int words) {
    SipHash13 hash(key);
    for (const std::uint64_t word : {0x0706050403020100ULL, 0x0f0e0d0c0b0a0908ULL, 0x1716151413121110ULL}) {
      if (words-- > 0) hash.Add(word);
    }
    return hash.Value();
  };
  EXPECT_EQ(of({}, 1), 0xead411e67ebe2eeaULL);
  EXPECT_EQ(of({}, 3), 0x31185a47af932f3aULL);
  const SipKey seeded{0xaed66ce184be2329ULL, 0xebe9bbf1f1499052ULL};
  EXPECT_EQ(of(seeded, 1), 0xc0b5739e7e28dd01ULL);
  EXPECT_EQ(of(seeded, 3), 0x19b4e5f288f874ceULL);
}

TEST(TokenSealer, OpensWhatItSealedForTheSame) {
  const TokenSealer sealer(std::string(32, 'k'));
  for (const std::string& content : {std::string("x"), std::string(64, '\0'), std::string(700, 'y')}) {
    const std::string token = sealer.Seal("page", {"p", "list"}, content);
    EXPECT_EQ(sealer.Open("page", {"p", "list"}, token), content);
    EXPECT_EQ(token, sealer.Seal("page", {"p", "list"}, content));  // a replay gives the same
    EXPECT_EQ(token.find(content), std::string::npos);
    EXPECT_EQ(sealer.Open("resume", {"p", "list"}, token), std::nullopt);
    EXPECT_EQ(sealer.Open("page", {"q", "list"}, token), std::nullopt);
    EXPECT_EQ(sealer.Open("page", {"p", "lis", "t"}, token), std::nullopt);
    EXPECT_EQ(sealer.Open("page", {"plist"}, token), std::nullopt);
    EXPECT_EQ(sealer.Open("page", {"p"}, token), std::nullopt);
    EXPECT_EQ(TokenSealer(std::string(32, 'x')).Open("page", {"p", "list"}, token), std::nullopt);
  }
}

TEST(TokenSealer, EveryBitAndEveryLetterCounts) {
  const TokenSealer sealer(std::string(32, 'k'));
  for (std::size_t size = 1; size <= 40; ++size) {
    const std::string token = sealer.Seal("page", {"p"}, std::string(size, 'c'));
    for (std::size_t at = 0; at < token.size(); ++at) {
      for (int bit = 0; bit < 8; ++bit) {
        std::string changed = token;
        changed[at] = static_cast<char>(changed[at] ^ (1 << bit));
        EXPECT_EQ(sealer.Open("page", {"p"}, changed), std::nullopt) << size << " " << at << " " << bit;
      }
      // Each other letter of the alphabet, those too that differ in bits that stand for nothing.
      for (const char letter : std::string("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")) {
        std::string changed = token;
        changed[at] = letter;
        if (changed != token) EXPECT_EQ(sealer.Open("page", {"p"}, changed), std::nullopt) << size << " " << at;
      }
      EXPECT_EQ(sealer.Open("page", {"p"}, token.substr(0, at)), std::nullopt);
    }
    EXPECT_EQ(sealer.Open("page", {"p"}, token + "A"), std::nullopt);
    EXPECT_EQ(sealer.Open("page", {"p"}, token + "="), std::nullopt);
    EXPECT_EQ(sealer.Open("page", {"p"}, " " + token), std::nullopt);
  }
  for (const std::string& wrong : {std::string(), std::string("x"), std::string("!!"), std::string(22, 'A'),
                                   std::string(2'000, 'A'), std::string(5, '\0')})
    EXPECT_EQ(sealer.Open("page", {"p"}, wrong), std::nullopt);
}

}  // namespace
}  // namespace warmline::base
