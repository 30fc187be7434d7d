#include "domain/text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "domain/interest.h"

namespace warmline::domain {
namespace {

TEST(CanonicalName, FoldsCaseWidthAndSpaces) {
  EXPECT_EQ(CanonicalName("Data  Engineer"), "data-engineer");
  EXPECT_EQ(CanonicalName("  data_engineer-"), "data-engineer");
  EXPECT_EQ(CanonicalName("ＳＱＬ"), "sql");                                // full width
  EXPECT_EQ(CanonicalName("Straße"), CanonicalName("STRASSE"));             // case folding, not lower case
  EXPECT_EQ(CanonicalName("caf\u0065\u0301"), CanonicalName("caf\u00e9"));  // composed and not
  EXPECT_EQ(CanonicalName("ﬁtter"), "fitter");                              // a ligature
}

TEST(CanonicalName, KeepsOtherScripts) {
  EXPECT_EQ(CanonicalName("ممرضة مسجلة"), "ممرضة-مسجلة");
  EXPECT_EQ(CanonicalName("МЕДСЕСТРА"), "медсестра");
  EXPECT_EQ(CanonicalName("看護師"), "看護師");
}

TEST(CanonicalName, IsEmptyForNothingAndForInvalidText) {
  EXPECT_EQ(CanonicalName(""), "");
  EXPECT_EQ(CanonicalName(" - _ "), "");
  EXPECT_EQ(CanonicalName("\xff\xfe"), "");
}

TEST(CanonicalName, IsIdempotent) {
  for (const char* text : {"Data Engineer", "Straße", "ﬁtter", "ممرضة مسجلة", "İstanbul", "ǅ", "Ⅷ"}) {
    EXPECT_EQ(CanonicalName(CanonicalName(text)), CanonicalName(text)) << text;
  }
}

TEST(CanonicalInterest, NeedsFacetAndName) {
  EXPECT_EQ(CanonicalInterest("Skill: SQL"), "skill:sql");
  EXPECT_EQ(CanonicalInterest("skill:c++:advanced"), "skill:c++:advanced");
  EXPECT_EQ(CanonicalInterest("sql"), "");
  EXPECT_EQ(CanonicalInterest(":sql"), "");
  EXPECT_EQ(CanonicalInterest("skill:"), "");
}

std::string Described(const Violations& violations) { return std::string(violations.ToStatus().message()); }

TEST(CheckText, NamesTheFault) {
  const auto check = [](std::string_view text, bool required) {
    Violations violations;
    CheckText(text, "f", 5, required, false, violations);
    return violations.empty() ? std::string() : Described(violations);
  };
  EXPECT_EQ(check("", false), "");
  EXPECT_EQ(check("שלום", true), "");  // characters, not bytes, are counted
  EXPECT_THAT(check("", true), ::testing::HasSubstr("is empty"));
  EXPECT_THAT(check("sixsix", true), ::testing::HasSubstr("6 characters: at most 5"));
  EXPECT_THAT(check(std::string_view("a\0b", 3), true), ::testing::HasSubstr("U+0000"));
  EXPECT_THAT(check("a\xff", true), ::testing::HasSubstr("not valid UTF-8"));
}

TEST(Levels, RoundAndDilute) {
  EXPECT_EQ(StrengthLevel(1.0), 255);
  EXPECT_EQ(StrengthLevel(0.5), 128);
  EXPECT_EQ(StrengthLevel(0.0001), 1);
  EXPECT_EQ(DilutedLevel(1.0, 32), 255);
  EXPECT_EQ(DilutedLevel(1.0, 64), 127);
  EXPECT_EQ(DilutedLevel(1.0, 200), 40);
}

}  // namespace
}  // namespace warmline::domain
