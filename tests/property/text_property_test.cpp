// What comes from outside, as random bytes and random text: readers never fail otherwise than with an error, and what
// is written reads back.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <sstream>

#include "api/candidate_token.h"
#include "base/token_sealer.h"
#include "cli/csv.h"
#include "codec/records.h"
#include "domain/error.h"
#include "domain/interest.h"
#include "domain/names.h"
#include "domain/revision.h"
#include "domain/text.h"
#include "support/random_world.h"

namespace warmline::testing {
namespace {

// Bytes that are often, but not always, UTF-8: pieces of several scripts, marks, controls and plain junk.
rc::Gen<std::string> Text() {
  static const std::vector<std::string> kPieces = {"a",    "B",       " ",
                                                   "-",    "_",       ":",
                                                   "é",    "e\u0301", "ß",
                                                   "İ",    "ﬁ",       "Ⅷ",
                                                   "ا",    "שלום",    "看護",
                                                   "😀",    "\u200d",  "\u202e",
                                                   "\n",   "\t",      std::string(1, '\0'),
                                                   "\xff", "\xc3",    "\xed\xa0\x80",
                                                   "\"",   ",",       ";",
                                                   "|",    "/",       "~"};
  return rc::gen::map(rc::gen::container<std::vector<std::size_t>>(rc::gen::inRange<std::size_t>(0, kPieces.size())),
                      [](const std::vector<std::size_t>& chosen) {
                        std::string text;
                        for (const std::size_t i : chosen) text += kPieces[i];
                        return text;
                      });
}

RC_GTEST_PROP(Text, CanonicalFormIsStable, ()) {
  const std::string text = *Text();
  const std::string once = domain::CanonicalName(text);
  RC_ASSERT(domain::CanonicalName(once) == once);
  RC_ASSERT(domain::CountCodePoints(once) >= 0);  // valid, whatever came in
  const std::string interest = domain::CanonicalInterest(text);
  RC_ASSERT(domain::CanonicalInterest(interest) == interest);
}

RC_GTEST_PROP(Text, EveryTextIsAcceptedOrNamed, ()) {
  const std::string text = *Text();
  domain::Violations violations;
  domain::ValidateInterest({text, domain::CanonicalInterest(text), 1.0}, "f", violations);
  if (!violations.empty()) {
    const auto named = domain::ViolationsOf(violations.ToStatus());
    RC_ASSERT(!named.empty());
    for (const auto& violation : named)
      RC_ASSERT(domain::CountCodePoints(violation.description) > 0);  // fit to be sent
  }
}

RC_GTEST_PROP(Tokens, JunkIsNotAToken, ()) {
  const std::string text = *Text();
  const std::string key(32, 'k');
  RC_ASSERT(!domain::RevisionTokens(key, 1).Number("p", text).has_value());
  RC_ASSERT(!api::CandidateTokens(key).Open("p", "s", "n", text).has_value());
  RC_ASSERT(!base::TokenSealer(key).Open("page", {"p"}, text).has_value());
}

RC_GTEST_PROP(Tokens, ReadBackAsTheyWere, (std::uint64_t history, std::int64_t number)) {
  const domain::RevisionTokens tokens(std::string(32, 'k'), history);
  RC_ASSERT(tokens.Number("p", tokens.Of("p", number)) == number);
  const base::TokenSealer sealer(std::string(32, 'k'));
  const std::string content = *rc::gen::nonEmpty(Text());
  const std::string bound = *Text();
  RC_PRE(content.size() < 600);
  const std::string token = sealer.Seal("page", {bound, "list"}, content);
  RC_ASSERT(sealer.Open("page", {bound, "list"}, token) == content);
  // Changed in one place, by whatever, or bound to anything else, it does not open.
  std::string changed = token;
  changed[*rc::gen::inRange<std::size_t>(0, token.size())] = *rc::gen::arbitrary<char>();
  RC_ASSERT(changed == token || !sealer.Open("page", {bound, "list"}, changed));
  const std::string other = *Text();
  RC_ASSERT(other == bound || !sealer.Open("page", {other, "list"}, token));
  RC_ASSERT(!sealer.Open("page", {bound + "list"}, token));
}

RC_GTEST_PROP(Csv, WhatIsQuotedReadsBack, ()) {
  const auto rows = *rc::gen::container<std::vector<std::vector<std::string>>>(
      rc::gen::nonEmpty(rc::gen::container<std::vector<std::string>>(Text())));
  const std::string line_break = *rc::gen::element(std::string("\n"), std::string("\r\n"));
  std::string file;
  for (const auto& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      file += i == 0 ? "\"" : ",\"";
      for (const char c : row[i]) file += c == '"' ? std::string("\"\"") : std::string(1, c);
      file += '"';
    }
    file += line_break;
  }
  std::istringstream input(file);
  cli::CsvReader reader(input);
  for (const auto& row : rows) {
    const auto read = reader.Next();
    RC_ASSERT(read.has_value());
    RC_ASSERT(read->error.empty());
    RC_ASSERT(read->fields.size() == row.size());
    for (std::size_t i = 0; i < row.size(); ++i) RC_ASSERT(read->fields[i].text == row[i]);
  }
  RC_ASSERT(!reader.Next().has_value());
}

RC_GTEST_PROP(Csv, AnyBytesEnd, ()) {
  std::istringstream input(*Text());
  cli::CsvReader reader(input);
  int rows = 0;
  while (const auto row = reader.Next()) RC_ASSERT(++rows < 10'000);
}

RC_GTEST_PROP(Records, ReadBackAsTheyWere, (std::uint64_t seed)) {
  RandomWorld random(seed);
  const std::vector<std::string> ids = {"a", "b", "c"};
  const domain::Member member = random.Member("a");
  const std::string bytes = codec::Encode("p", member);
  const auto read = codec::DecodeMember("p", bytes);
  RC_ASSERT(read.ok());
  RC_ASSERT(codec::Encode("p", *read) == bytes);
  const std::string need = codec::Encode("p", random.Need("n", ids));
  RC_ASSERT(codec::Encode("p", *codec::DecodeNeed("p", need)) == need);
  domain::Pool pool;
  pool.id = "p";
  pool.policy = random.Policy();
  const auto pool_read = codec::DecodePool(codec::Encode(pool));
  RC_ASSERT(pool_read.ok());
  RC_ASSERT(pool_read->policy.weights == pool.policy.weights);
  RC_ASSERT(pool_read->policy.synonyms == pool.policy.synonyms);
}

RC_GTEST_PROP(Records, DamagedBytesAreAnErrorAtWorst, (std::uint64_t seed)) {
  RandomWorld random(seed);
  std::string bytes = codec::Encode("p", random.Member("a"));
  bytes[static_cast<std::size_t>(random.Below(static_cast<int>(bytes.size())))] ^=
      static_cast<char>(1 << random.Below(8));
  (void)codec::DecodeMember("p", bytes);
  std::string locator;
  (void)codec::DecodeChange("p", bytes, &locator);
  bytes.resize(bytes.size() / 2);
  (void)codec::DecodeMember("p", bytes);
}

}  // namespace
}  // namespace warmline::testing
