// The API against the checked-in descriptor set: nothing that a client may use goes away or changes its number, type or
// form. After an addition, `cp build/release/proto/gen/warmline_v1.protoset tests/golden/` makes it the new floor.
#include <google/protobuf/descriptor.pb.h>
#include <gtest/gtest.h>

#include <fstream>
#include <map>

namespace warmline::testing {
namespace {

namespace gp = google::protobuf;

gp::FileDescriptorSet Load(const std::string& path) {
  gp::FileDescriptorSet set;
  std::ifstream file(path, std::ios::binary);
  EXPECT_TRUE(set.ParseFromIstream(&file)) << path;
  return set;
}

// Every fact that a client depends on, by name.
using Facts = std::map<std::string, std::string>;

void AddEnum(const std::string& scope, const gp::EnumDescriptorProto& type, Facts& facts) {
  for (const auto& value : type.value())
    facts[scope + "." + type.name() + "." + value.name()] = std::to_string(value.number());
}

void AddMessage(const std::string& scope, const gp::DescriptorProto& type, Facts& facts) {
  const std::string name = scope + "." + type.name();
  for (const auto& field : type.field()) {
    facts[name + "." + field.name()] =
        std::to_string(field.number()) + " " + gp::FieldDescriptorProto::Type_Name(field.type()) + " " +
        gp::FieldDescriptorProto::Label_Name(field.label()) + " " + field.type_name() +
        (field.has_oneof_index() ? " in " + type.oneof_decl(field.oneof_index()).name() : "");
  }
  for (const auto& nested : type.nested_type()) AddMessage(name, nested, facts);
  for (const auto& nested : type.enum_type()) AddEnum(name, nested, facts);
}

Facts FactsOf(const gp::FileDescriptorSet& set, const std::string& package) {
  Facts facts;
  for (const auto& file : set.file()) {
    if (file.package() != package) continue;
    for (const auto& type : file.message_type()) AddMessage(package, type, facts);
    for (const auto& type : file.enum_type()) AddEnum(package, type, facts);
    for (const auto& service : file.service()) {
      for (const auto& method : service.method()) {
        facts[package + "." + service.name() + "." + method.name()] =
            method.input_type() + (method.client_streaming() ? " stream" : "") + " -> " + method.output_type() +
            (method.server_streaming() ? " stream" : "");
      }
    }
  }
  return facts;
}

void Compare(const std::string& package) {
  const Facts golden =
      FactsOf(Load(std::string(std::getenv("WARMLINE_SOURCE")) + "/tests/golden/warmline_v1.protoset"), package);
  const Facts now =
      FactsOf(Load(std::string(std::getenv("WARMLINE_BUILD")) + "/proto/gen/warmline_v1.protoset"), package);
  EXPECT_FALSE(golden.empty());
  for (const auto& [name, fact] : golden) {
    const auto found = now.find(name);
    if (found == now.end()) {
      ADD_FAILURE() << name << " is gone: clients use it; deprecate it instead";
    } else {
      EXPECT_EQ(found->second, fact) << name << " changed in a way that breaks clients";
    }
  }
}

TEST(ProtoCompatibility, TheApiOnlyGrows) { Compare("warmline.v1"); }
TEST(ProtoCompatibility, TheStoreOnlyGrows) { Compare("warmline.store.v1"); }
TEST(ProtoCompatibility, TheErrorsStayThoseOfGoogleRpc) { Compare("google.rpc"); }

}  // namespace
}  // namespace warmline::testing
