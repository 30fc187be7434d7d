// Every call by every role in every pool: what the table here says, and nothing else. A call that was added without a
// row here fails. The requests are made by reflection, and go out by a stub that knows no service.
#include <gmock/gmock.h>
#include <google/protobuf/dynamic_message.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/support/byte_buffer.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <set>

#include "support/test_server.h"
#include "warmline/v1/assignment_service.grpc.pb.h"
#include "warmline/v1/introduction_service.grpc.pb.h"

namespace warmline::testing {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::MethodDescriptor;

// R reader, M matcher, W member-writer, I introducer, O operator: docs/security.md has the same table.
const std::map<std::string, std::string> kMayCall = {
    {"PoolService/CreatePool", "O"},
    {"PoolService/GetPool", "RMWIO"},
    {"PoolService/ListPools", "RMWIO"},
    {"PoolService/UpdatePool", "O"},
    {"PoolService/RefreshStatistics", "O"},
    {"PoolService/GetIndexState", "RO"},
    {"PoolService/GetMarketHealth", "RO"},
    {"PoolService/ListReplicas", "RO"},
    {"MemberService/CreateMember", "WO"},
    {"MemberService/GetMember", "RWO"},
    {"MemberService/ListMembers", "RWO"},
    {"MemberService/UpdateMember", "WO"},
    {"MemberService/ConfirmOffer", "WO"},
    {"MemberService/Watch", "RWO"},
    {"MemberService/CreateConnection", "WO"},
    {"MemberService/ConfirmConnection", "WO"},
    {"MemberService/ListConnections", "RWO"},
    {"MemberService/DeleteConnection", "WO"},
    {"MemberService/CreateBlock", "WO"},
    {"MemberService/ListBlocks", "RWO"},
    {"MemberService/DeleteBlock", "WO"},
    {"MemberService/Import", "WO"},
    {"MemberService/Export", "O"},
    {"MemberService/EraseMember", "WO"},
    {"MemberService/GetErasure", "RWO"},
    {"NeedService/CreateNeed", "WO"},
    {"NeedService/GetNeed", "RMWIO"},
    {"NeedService/ListNeeds", "RMWO"},
    {"NeedService/UpdateNeed", "WO"},
    {"NeedService/CloseNeed", "WO"},
    {"MatchService/Match", "MO"},
    {"MatchService/MatchStream", "MO"},
    {"MatchService/Explain", "MO"},
    {"MatchService/Watch", "MO"},
    {"MatchService/SuggestInterests", "RMWO"},
    {"IntroductionService/Review", "IO"},
    {"IntroductionService/Request", "IO"},
    {"IntroductionService/Get", "RIO"},
    {"IntroductionService/List", "RIO"},
    {"IntroductionService/Watch", "RIO"},
    {"IntroductionService/Forward", "IO"},
    {"IntroductionService/Accept", "IO"},
    {"IntroductionService/Decline", "IO"},
    {"IntroductionService/AskMore", "IO"},
    {"IntroductionService/Answer", "IO"},
    {"IntroductionService/Cancel", "IO"},
    {"IntroductionService/ReportOutcome", "IO"},
    {"IntroductionService/ReportAbuse", "IO"},
    {"IntroductionService/ResolveReport", "O"},
    {"AssignmentService/Assign", "O"},
};
const std::map<char, std::string> kRoles = {
    {'R', "reader"}, {'M', "matcher"}, {'W', "member-writer"}, {'I', "introducer"}, {'O', "operator"}};

// Of every service file that the repository has, whether or not this test knows of it.
std::vector<const MethodDescriptor*> EveryCall() {
  std::vector<const MethodDescriptor*> calls;
  const std::filesystem::path folder = std::filesystem::path(std::getenv("WARMLINE_SOURCE")) / "proto/warmline/v1";
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const std::string name = "warmline/v1/" + entry.path().filename().string();
    const auto* file = google::protobuf::DescriptorPool::generated_pool()->FindFileByName(name);
    for (int i = 0; file != nullptr && i < file->service_count(); ++i) {
      for (int k = 0; k < file->service(i)->method_count(); ++k) calls.push_back(file->service(i)->method(k));
    }
    if (name.ends_with("_service.proto")) EXPECT_NE(file, nullptr) << name << ": include its header here";
  }
  return calls;
}

std::string KeyOf(const MethodDescriptor& call) { return call.service()->name() + "/" + call.name(); }

// A request of an operator about a pool, as far as it can be made without knowing the call: names of the pool, or of
// things in it.
std::unique_ptr<Message> RequestFor(const MethodDescriptor& call, const std::string& pool, const std::string& things) {
  std::unique_ptr<Message> request(
      google::protobuf::MessageFactory::generated_factory()->GetPrototype(call.input_type())->New());
  const auto* reflection = request->GetReflection();
  const std::string in_pool = "pools/" + pool;
  for (int i = 0; i < call.input_type()->field_count(); ++i) {
    const FieldDescriptor* field = call.input_type()->field(i);
    if (field->is_repeated()) continue;
    if (field->name() == "actor") {
      static_cast<pb::Actor*>(reflection->MutableMessage(request.get(), field))->set_audience(pb::OPERATOR);
    } else if (field->name() == "parent") {
      reflection->SetString(request.get(), field, in_pool);
    } else if (field->name() == "name") {
      reflection->SetString(request.get(), field,
                            call.service()->name() == "PoolService" ? in_pool : in_pool + "/" + things);
    } else if (field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
      Message* inner = reflection->MutableMessage(request.get(), field);
      const FieldDescriptor* name = inner->GetDescriptor()->FindFieldByName("name");
      if (name == nullptr || name->cpp_type() != FieldDescriptor::CPPTYPE_STRING) continue;
      inner->GetReflection()->SetString(inner, name, field->name() == "pool" ? in_pool : in_pool + "/" + things);
    }
  }
  return request;
}

// The reason of the error that it ends with; empty where it is let in.
std::string Send(const std::shared_ptr<grpc::Channel>& channel, const MethodDescriptor& call, const Message& request,
                 const std::string& token) {
  grpc::GenericStub stub(channel);
  grpc::ClientContext context;
  if (!token.empty()) context.AddMetadata("authorization", "Bearer " + token);
  // Watches that are let in never end by themselves.
  context.set_deadline(std::chrono::system_clock::now() +
                       std::chrono::milliseconds(call.name() == "Watch" ? 200 : 10'000));
  grpc::CompletionQueue queue;
  const auto stream = stub.PrepareCall(&context, "/" + call.service()->full_name() + "/" + call.name(), &queue);
  const auto done = [&queue] {
    void* tag = nullptr;
    bool ok = false;
    return queue.Next(&tag, &ok) && ok;
  };
  stream->StartCall(nullptr);
  done();
  const grpc::Slice bytes(request.SerializeAsString());
  stream->WriteLast(grpc::ByteBuffer(&bytes, 1), grpc::WriteOptions(), nullptr);
  done();
  grpc::ByteBuffer answer;
  std::string in_stream;
  stream->Read(&answer, nullptr);
  while (done()) {
    // This stream tells the error of each request in its answer.
    grpc::Slice slice;
    pb::MatchStreamResponse message;
    if (call.name() == "MatchStream" && answer.DumpToSingleSlice(&slice).ok() &&
        message.ParseFromArray(slice.begin(), static_cast<int>(slice.size())))
      in_stream = message.error().reason();
    stream->Read(&answer, nullptr);
  }
  grpc::Status status;
  stream->Finish(&status, nullptr);
  done();
  const std::string reason = ReasonOf(status);
  return reason.empty() ? in_stream : reason;
}

class Authorization : public ::testing::Test {
 protected:
  static std::string TokenOf(char role) { return std::string("token-of-the-role-") + role; }
  Authorization() : path_(::testing::TempDir() + "tokens-XXXXXX") {
    close(mkstemp(path_.data()));
    WriteTokens("");
    server_ = std::make_unique<TestServer>([&](server::Config& config) { config.tokens_file = path_; });
  }
  ~Authorization() override { std::filesystem::remove(path_); }
  // One token for each role, in pools/p alone; and `more`.
  void WriteTokens(const std::string& more) {
    std::string text = R"({"tokens": [)";
    for (const auto& [letter, role] : kRoles) {
      text += R"({"name": ")" + role + R"(", "token": ")" + TokenOf(letter) + R"(", "roles": [")" + role +
              R"("], "audiences": ["OPERATOR"], "pools": ["p"]},)";
    }
    text += more;
    if (more.empty()) text.pop_back();
    // Exchanged whole, as a Secret is.
    std::ofstream(path_ + ".new") << text << "]}";
    std::filesystem::rename(path_ + ".new", path_);
  }
  std::string path_;
  std::unique_ptr<TestServer> server_;
};

TEST_F(Authorization, EveryCallByEveryRoleInEveryPool) {
  const std::set<std::string> denials = {"ROLE_NOT_ALLOWED", "POOL_NOT_ALLOWED", "TOKEN_MISSING", "TOKEN_UNKNOWN"};
  int cells = 0;
  std::set<std::string> seen;
  for (const MethodDescriptor* call : EveryCall()) {
    const std::string key = KeyOf(*call);
    const auto row = kMayCall.find(key);
    ASSERT_NE(row, kMayCall.end()) << key << " has no row: say who may call it";
    seen.insert(key);
    const auto reason = [&](const std::string& pool, const std::string& token,
                            const std::string& things = "members/x") {
      return Send(server_->channel(), *call, *RequestFor(*call, pool, things), token);
    };
    EXPECT_EQ(reason("p", ""), "TOKEN_MISSING") << key;
    EXPECT_EQ(reason("p", "a-token-that-nobody-knows"), "TOKEN_UNKNOWN") << key;
    cells += 2;
    for (const auto& [letter, role] : kRoles) {
      const bool may = row->second.find(letter) != std::string::npos;
      const std::string inside = reason("p", TokenOf(letter));
      if (may) {
        EXPECT_FALSE(denials.contains(inside)) << key << " by " << role << ": " << inside;
      } else {
        EXPECT_EQ(inside, "ROLE_NOT_ALLOWED") << key << " by " << role;
      }
      // What the call names besides is not known here: one kind of thing is the right one, and none may let it in.
      std::set<std::string> outside;
      for (const char* things :
           {"members/x", "needs/x", "introductions/x", "connections/x~y", "connections/x", "blocks/x~y", "erasures/x"})
        outside.insert(reason("other", TokenOf(letter), things));
      if (!may) {
        EXPECT_EQ(outside, std::set<std::string>{"ROLE_NOT_ALLOWED"}) << key << " by " << role;
      } else if (key != "PoolService/ListPools" &&
                 key != "PoolService/ListReplicas") {  // which name no pool, and show those allowed
        EXPECT_TRUE(outside.contains("POOL_NOT_ALLOWED")) << key << " by " << role;
        outside.erase("POOL_NOT_ALLOWED");
        outside.erase("INVALID_FIELDS");
        EXPECT_TRUE(outside.empty()) << key << " by " << role << ": " << ::testing::PrintToString(outside);
      }
      cells += 2;
    }
  }
  EXPECT_EQ(seen.size(), kMayCall.size());
  std::cout << seen.size() << " calls, " << cells << " cells\n";
}

TEST_F(Authorization, TokensAreExchangedWithoutARestartAndAWrongFileChangesNothing) {
  const auto* call =
      google::protobuf::DescriptorPool::generated_pool()->FindMethodByName("warmline.v1.PoolService.ListPools");
  ASSERT_NE(call, nullptr);
  const auto reason = [&](const std::string& token) {
    return Send(server_->channel(), *call, *RequestFor(*call, "p", "members/x"), token);
  };
  const auto becomes = [&](const std::string& token, const std::string& wanted) {
    for (int i = 0; i < 200 && reason(token) != wanted; ++i) absl::SleepFor(absl::Milliseconds(50));
    return reason(token) == wanted;
  };
  const std::string added =
      R"({"name": "new", "token": "a-token-that-came-later", "roles": ["reader"], "audiences": ["OPERATOR"], "pools": ["p"]})";
  EXPECT_EQ(reason("a-token-that-came-later"), "TOKEN_UNKNOWN");
  WriteTokens(added);
  EXPECT_TRUE(becomes("a-token-that-came-later", ""));
  std::ofstream(path_ + ".new") << "{ this is no JSON";
  std::filesystem::rename(path_ + ".new", path_);
  absl::SleepFor(absl::Seconds(1.5));
  EXPECT_EQ(reason("a-token-that-came-later"), "");
  EXPECT_EQ(reason(TokenOf('R')), "");
  WriteTokens("");
  EXPECT_TRUE(becomes("a-token-that-came-later", "TOKEN_UNKNOWN"));
}

TEST_F(Authorization, ATokenMayBeSlowedDownAndOthersAreNot) {
  const auto* call =
      google::protobuf::DescriptorPool::generated_pool()->FindMethodByName("warmline.v1.PoolService.ListPools");
  const auto reason = [&](const std::string& token) {
    return Send(server_->channel(), *call, *RequestFor(*call, "p", "members/x"), token);
  };
  WriteTokens(
      R"({"name": "slow", "token": "a-token-that-is-slow", "roles": ["reader"], "audiences": ["OPERATOR"], "pools": ["p"], "calls_per_second": 2})");
  for (int i = 0; i < 200 && reason("a-token-that-is-slow") == "TOKEN_UNKNOWN"; ++i)
    absl::SleepFor(absl::Milliseconds(50));
  int refused = 0;
  for (int i = 0; i < 20; ++i) refused += reason("a-token-that-is-slow") == "CALL_RATE_EXCEEDED" ? 1 : 0;
  EXPECT_GE(refused, 10);
  for (int i = 0; i < 20; ++i) EXPECT_EQ(reason(TokenOf('R')), "");
}

}  // namespace
}  // namespace warmline::testing
