// The life of one member, with a marker in every text field of every message that is sent by them, for them or about
// them; and what the API says of them. One thread.
#pragma once

#include <grpcpp/channel.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "support/markers.h"
#include "support/test_server.h"
#include "warmline/v1/introduction_service.grpc.pb.h"

namespace warmline::testing {

class ErasureWorld {
 public:
  using MakeContext = std::function<std::unique_ptr<grpc::ClientContext>()>;

  ErasureWorld(std::shared_ptr<grpc::Channel> channel, MakeContext context, Markers& markers);
  // Everything that happens before the erasure.
  void Live();
  // Changes the profile again; then only older copies hold the markers of before.
  void ChangeProfile();
  void CountStatistics();
  [[nodiscard]] pb::Erasure Erase();
  [[nodiscard]] pb::Erasure Erasure(const std::string& name);
  // Everything that reads return, as bytes: lists, export, matches, suggestions, market health.
  [[nodiscard]] std::vector<std::pair<std::string, std::string>> Answers();
  [[nodiscard]] std::string WhoIsGone() const { return Name(victim_); }

 private:
  [[nodiscard]] static std::string Name(const std::string& id) { return "pools/p/members/" + id; }
  void MakePool();
  void Join(const std::string& id, bool introduces);
  void MakeVictim();
  void ImportAboutVictim();
  void TieAndBlock();
  void Need();
  void AskAsSeeker();
  void BeAsked();
  void IntroduceOthers();
  void Assign();
  void AskToRead();
  [[nodiscard]] pb::Member Profile();
  [[nodiscard]] std::string Ask(const std::string& seeker, const std::string& helper, bool filled,
                                const std::string& introducer = "");

  std::shared_ptr<grpc::Channel> channel_;
  MakeContext context_;
  Markers& markers_;
  std::string victim_;
  std::string need_;
  std::unique_ptr<pb::PoolService::Stub> pools_;
  std::unique_ptr<pb::MemberService::Stub> members_;
  std::unique_ptr<pb::NeedService::Stub> needs_;
  std::unique_ptr<pb::MatchService::Stub> matches_;
  std::unique_ptr<pb::IntroductionService::Stub> asks_;
};

}  // namespace warmline::testing
