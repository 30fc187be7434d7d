// Validation reports every violation, each with its field path, the value and the remedy.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "domain/interest.h"
#include "domain/limits.h"
#include "domain/member.h"
#include "domain/names.h"
#include "domain/need.h"
#include "domain/pool.h"
#include "domain/revision.h"

namespace warmline::domain {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

std::vector<std::string> Fields(const Violations& violations) {
  std::vector<std::string> fields;
  for (const auto& v : ViolationsOf(violations.ToStatus())) fields.push_back(v.field);
  return fields;
}

Interest Made(const std::string& typed, double strength = 1.0) { return {typed, CanonicalInterest(typed), strength}; }

Member Good() {
  Member member;
  member.id = "ada";
  member.kind = MemberKind::kPerson;
  member.display_name = "آدا لوفلايس";
  member.interests = {Made("skill:SQL")};
  Offer offer;
  offer.help_kinds = {HelpKind::kAdvice};
  offer.capacity = {1, 1};
  offer.languages = {"en"};
  offer.places = {"de/berlin"};
  offer.open_to = {Reach::kPool};
  member.offer = offer;
  return member;
}

TEST(ValidateMember, AcceptsAGoodOne) {
  Violations violations;
  ValidateMember(Good(), "member.", violations);
  EXPECT_THAT(Fields(violations), IsEmpty());
}

TEST(ValidateMember, ReportsEveryViolation) {
  Member member = Good();
  member.id = "no spaces";
  member.kind = MemberKind::kUnspecified;
  member.display_name = std::string("a\0b", 3);
  member.interests = {Made("skill:sql", 1.5), Made("nofacet"), Made("Skill:SQL")};
  member.offer->capacity = {0, 10'001};
  member.offer->languages = {"English"};
  member.offer->places = {"DE/Berlin"};
  member.evidence.resize(1);
  member.evidence[0].count = -1;
  member.evidence[0].time = absl::InfinitePast();
  Violations violations;
  ValidateMember(member, "member.", violations);
  EXPECT_THAT(
      Fields(violations),
      UnorderedElementsAre("member.name", "member.kind", "member.display_name", "member.interests[0].strength",
                           "member.interests[1]", "member.interests[2]", "member.offer.capacity.open_asks",
                           "member.offer.capacity.asks_per_week", "member.offer.languages[0]", "member.offer.places[0]",
                           "member.evidence[0].outcome", "member.evidence[0].count", "member.evidence[0].time"));
}

TEST(ValidateMember, RefusesTenThousandInterestsWithOneViolation) {
  Member member = Good();
  member.interests.clear();
  for (int i = 0; i < 10'001; ++i) member.interests.push_back(Made("skill:s" + std::to_string(i)));
  Violations violations;
  ValidateMember(member, "member.", violations);
  ASSERT_THAT(Fields(violations), UnorderedElementsAre("member.interests"));
  EXPECT_THAT(std::string(violations.ToStatus().message()), HasSubstr("has 10001 interests: at most 200"));
}

TEST(ValidateMember, StrengthMustBeANumberInRange) {
  for (const double strength :
       {0.0, -0.5, 1.0001, std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity()}) {
    Member member = Good();
    member.interests[0].strength = strength;
    Violations violations;
    ValidateMember(member, "", violations);
    EXPECT_THAT(Fields(violations), Contains("interests[0].strength")) << strength;
  }
}

TEST(Violations, KeepAHundredAndCountAll) {
  Violations violations;
  for (int i = 0; i < 1'000; ++i) violations.Add("f", "is wrong");
  EXPECT_EQ(ViolationsOf(violations.ToStatus()).size(), static_cast<std::size_t>(kMaxViolations));
  EXPECT_THAT(std::string(violations.ToStatus().message()), HasSubstr("(and 999 more)"));
}

TEST(ValidateNeed, ReportsEveryViolation) {
  Need need;
  need.seeker = "";
  need.relaxations = {{absl::ZeroDuration(), {}}};
  need.showcase = Showcase{"t", "d", "ftp://x"};
  Violations violations;
  ValidateNeed(need, "need.", violations);
  EXPECT_THAT(Fields(violations),
              UnorderedElementsAre("need.seeker", "need.help_kinds", "need.interests", "need.relaxations[0].after",
                                   "need.relaxations[0].drop", "need.showcase.url"));
}

TEST(ValidatePool, WeightsMustAddUp) {
  Pool pool;
  pool.id = "p";
  pool.display_name = "P";
  Violations good;
  ValidatePool(pool, "", good);
  EXPECT_TRUE(good.empty()) << good.ToStatus();
  pool.policy.weights[0] += 1;
  pool.policy.synonyms = {{"a:b", "a:c"}, {"a:c", "a:d"}};
  Violations bad;
  ValidatePool(pool, "", bad);
  EXPECT_THAT(Fields(bad), UnorderedElementsAre("policy.weights", "policy.synonyms"));
}

TEST(Need, RelaxesByItsOwnSteps) {
  Need need;
  need.constraints.languages = {"en"};
  need.constraints.places = {"de"};
  need.relaxations = {{absl::Hours(24), {SoftConstraint::kLanguage}}, {absl::Hours(48), {SoftConstraint::kPlace}}};
  EXPECT_THAT(DroppedConstraints(need, absl::Hours(23)), IsEmpty());
  const auto later = WithoutConstraints(need.constraints, DroppedConstraints(need, absl::Hours(24)));
  EXPECT_THAT(later.languages, IsEmpty());
  EXPECT_FALSE(later.places.empty());
  EXPECT_THAT(WithoutConstraints(need.constraints, DroppedConstraints(need, absl::Hours(48))).places, IsEmpty());
}

TEST(Need, InlineIdFollowsFromContent) {
  Need need;
  need.seeker = "ada";
  need.interests = {Made("skill:SQL")};
  const std::string id = InlineNeedId(need);
  need.interests[0].typed = "Skill: sql";  // the same, typed otherwise
  EXPECT_EQ(InlineNeedId(need), id);
  need.urgency = Urgency::kHigh;
  EXPECT_NE(InlineNeedId(need), id);
}

TEST(PlaceServes, ByWholeSteps) {
  EXPECT_TRUE(PlaceServes("de", "de/berlin"));
  EXPECT_TRUE(PlaceServes("de/berlin", "de/berlin"));
  EXPECT_FALSE(PlaceServes("de/ber", "de/berlin"));
  EXPECT_FALSE(PlaceServes("de/berlin/mitte", "de/berlin"));
}

TEST(Names, ParseWhatTheyMake) {
  const auto parsed = ParseResourceName(ResourceName("p", "members", "m"), "members");
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->pool, "p");
  EXPECT_EQ(parsed->id, "m");
  for (const char* wrong : {"", "pools/p", "pools/p/needs/m", "pools//members/m", "pools/p/members/",
                            "pools/p/members/m/x", "x/p/members/m"}) {
    EXPECT_FALSE(ParseResourceName(wrong, "members")) << wrong;
  }
}

TEST(Revision, TokensAreCheckedAndNameTheirHistory) {
  const std::string key(32, 'k');
  const RevisionTokens tokens(key, 0xfeedfacecafef00d);
  const std::string token = tokens.Of("p", 42);
  EXPECT_EQ(tokens.Number("p", token), 42);
  EXPECT_EQ(tokens.Of("p", 42), token);
  EXPECT_EQ(RevisionTokens(key, 0xfeedfacecafef00d).Number("p", token), 42);  // another replica
  EXPECT_EQ(tokens.Number("q", token), std::nullopt);
  EXPECT_EQ(RevisionTokens(key, 1).Number("p", token), std::nullopt);
  EXPECT_EQ(RevisionTokens(std::string(32, 'x'), 0xfeedfacecafef00d).Number("p", token), std::nullopt);
  std::string cut = token;
  cut[6] = cut[6] == 'A' ? 'B' : 'A';
  EXPECT_EQ(tokens.Number("p", cut), std::nullopt);
  for (const char* wrong : {"", "x", "42", "!!!!"}) EXPECT_EQ(tokens.Number("p", wrong), std::nullopt) << wrong;
}

TEST(Quoted, CutsBetweenCharactersAndEscapes) {
  const std::string text = Quoted(std::string(59, 'a') + "é" + std::string(50, 'b'));
  EXPECT_EQ(text, "\"" + std::string(59, 'a') + "…\"");
  EXPECT_EQ(Quoted(std::string_view("a\0b\n", 4)), R"("a\000b\n")");
  EXPECT_EQ(Quoted("é\xff"), R"("\303\251\377")");  // not UTF-8: fit to be sent all the same
}

}  // namespace
}  // namespace warmline::domain
