// What callers without a token can do to the API's port: little. Each attack is one that took a server down, made
// small; what is checked is that it is refused, that memory stays where it was, and that other callers are answered.
#include <gmock/gmock.h>
#include <grpcpp/create_channel.h>
#include <gtest/gtest.h>
#include <httplib.h>
#include <sys/resource.h>
#include <zlib.h>

#include <filesystem>
#include <memory>
#include <vector>

#include "support/child_process.h"
#include "support/process.h"
#include "support/raw_http2.h"

namespace warmline::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kMatch[] = "/warmline.v1.MatchService/Match";
constexpr std::int64_t kMiB = std::int64_t{1024} * 1024;
// What a server may grow by in any of these attacks. None of them reached less than ten times as much before.
constexpr std::int64_t kMayGrow = 64 * kMiB;

class Strangers : public ::testing::Test {
 protected:
  Strangers() : directory_(TemporaryDirectory("strangers")) {}
  ~Strangers() override {
    server_.reset();
    std::filesystem::remove_all(directory_);
  }
  void Start(const std::vector<std::string>& options = {}, const std::function<void()>& in_child = {}) {
    server_ = std::make_unique<ServeProcess>(directory_, options, "warmline", in_child);
    ASSERT_TRUE(server_->listens()) << server_->log();
    ASSERT_TRUE(Call(server_->Connect()).ok());
    idle_ = server_->ResidentBytes();
  }
  // A call with a good token.
  [[nodiscard]] grpc::Status Call(const std::shared_ptr<grpc::Channel>& channel) const {
    pb::ListPoolsRequest request;
    *request.mutable_actor() = Operator();
    pb::ListPoolsResponse response;
    const auto context = server_->Context(30'000);
    context->set_wait_for_ready(true);
    return pb::PoolService::Stub(channel).ListPools(context.get(), request, &response);
  }
  // Other callers are answered, and memory is where it was.
  void ExpectWell() const {
    const auto status = Call(server_->Connect());
    EXPECT_TRUE(status.ok()) << status.error_message();
    EXPECT_LT(server_->PeakResidentBytes(), idle_ + kMayGrow);
  }
  [[nodiscard]] int port() const { return server_->port(); }
  std::string directory_;
  std::unique_ptr<ServeProcess> server_;
  std::int64_t idle_ = 0;
};

// `bytes` zeros, packed a thousandfold: with zlib's or gzip's head.
std::string Bomb(std::int64_t bytes, bool gzip) {
  z_stream stream{};
  deflateInit2(&stream, Z_BEST_COMPRESSION, Z_DEFLATED, gzip ? 15 + 16 : 15, 9, Z_DEFAULT_STRATEGY);
  std::string zeros(1 << 20, '\0');
  std::string packed;
  std::string room(1 << 20, '\0');
  for (std::int64_t at = 0; at < bytes; at += static_cast<std::int64_t>(zeros.size())) {
    stream.next_in = reinterpret_cast<Bytef*>(zeros.data());
    stream.avail_in = static_cast<uInt>(zeros.size());
    const bool last = at + static_cast<std::int64_t>(zeros.size()) >= bytes;
    int result = Z_OK;
    do {
      stream.next_out = reinterpret_cast<Bytef*>(room.data());
      stream.avail_out = static_cast<uInt>(room.size());
      result = deflate(&stream, last ? Z_FINISH : Z_NO_FLUSH);
      packed.append(room.data(), room.size() - stream.avail_out);
    } while (stream.avail_out == 0 || (last && result != Z_STREAM_END));
  }
  deflateEnd(&stream);
  return packed;
}

TEST_F(Strangers, ABombOfCompressionIsRefusedBeforeItIsInflated) {
  Start();
  const std::string gzip = Bomb(512 * kMiB, true);
  const std::string zlib = Bomb(512 * kMiB, false);
  ASSERT_LT(gzip.size(), 2 * static_cast<std::size_t>(kMiB));
  // What is refused is said at once, whatever follows.
  std::uint32_t stream = 1;
  RawHttp2 small(port());
  for (const char* method : {kMatch, "/warmline.v1.MatchService/MatchStream", "/warmline.v1.MatchService/Watch"}) {
    for (const char* encoding : {"gzip", "deflate"}) {
      small.SendCall(stream, method, {{"grpc-encoding", encoding}});
      small.SendMessage(stream, "", /*compressed=*/true);
      EXPECT_THAT(small.TrailersOf(stream), AllOf(HasSubstr("12"), HasSubstr("is disabled"))) << method << encoding;
      stream += 2;
    }
  }
  for (const auto& [encoding, bomb] : {std::pair("gzip", &gzip), std::pair("deflate", &zlib)}) {
    for (const char* method : {kMatch, "/warmline.v1.MatchService/MatchStream"}) {
      RawHttp2 connection(port());
      connection.SendCall(1, method, {{"grpc-encoding", encoding}});
      connection.SendMessage(1, *bomb, /*compressed=*/true);
      connection.TrailersOf(1);
      EXPECT_LT(server_->PeakResidentBytes(), idle_ + kMayGrow) << encoding << method;
    }
  }
  for (const RawHttp2::Fields& fields :
       {RawHttp2::Fields{{"grpc-encoding", "identity"}}, RawHttp2::Fields{}, RawHttp2::Fields{{"grpc-encoding", "br"}},
        RawHttp2::Fields{{"content-encoding", "gzip"}}, RawHttp2::Fields{{"grpc-internal-stream-encoding", "gzip"}},
        RawHttp2::Fields{{"grpc-encoding", "identity"}, {"grpc-encoding", "gzip"}}}) {
    RawHttp2 another(port());
    another.SendCall(1, kMatch, fields);
    another.SendMessage(1, gzip, /*compressed=*/true);
    another.TrailersOf(1);
    EXPECT_LT(server_->PeakResidentBytes(), idle_ + kMayGrow);
  }
  ExpectWell();
}

TEST_F(Strangers, ARequestThatCannotBeParsedIsAnInvalidArgument) {
  Start();
  RawHttp2 connection(port());
  connection.SendCall(1, kMatch);
  connection.SendMessage(1, "\xff\xff\xff no message");
  EXPECT_THAT(connection.TrailersOf(1), AllOf(HasSubstr("grpc-status\x01"
                                                        "3"),
                                              HasSubstr("cannot be parsed")));
  connection.SendCall(3, "/warmline.v1.MatchService/Watch");  // one request, many answers
  connection.SendMessage(3, "\xff\xff\xff no message");
  EXPECT_THAT(connection.TrailersOf(3), AllOf(HasSubstr("grpc-status\x01"
                                                        "3"),
                                              HasSubstr("cannot be parsed")));
  ExpectWell();
  // Streams, which look at the token first: what cannot be parsed is no end of the stream.
  const RawHttp2::Fields token = {{"authorization", "Bearer " + server_->token()}};
  std::uint32_t stream = 5;
  for (const char* method : {"/warmline.v1.MemberService/Import", "/warmline.v1.MatchService/MatchStream"}) {
    connection.SendCall(stream, method, token);
    connection.SendMessage(stream, "\xff\xff\xff no message");
    EXPECT_THAT(connection.TrailersOf(stream), AllOf(HasSubstr("grpc-status\x01"
                                                               "3"),
                                                     HasSubstr("cannot be parsed")))
        << method;
    stream += 2;
    connection.SendCall(stream, method, token, RawHttp2::kEndHeaders | RawHttp2::kEndStream);
    EXPECT_THAT(connection.TrailersOf(stream), HasSubstr("grpc-status\x01"
                                                         "0"))
        << method << " and no message";
    stream += 2;
  }
}

TEST_F(Strangers, TwoTokensInOneCallAreRefused) {
  Start();
  RawHttp2 connection(port());
  const std::string good = "Bearer " + server_->token();
  connection.SendCall(1, kMatch, {{"authorization", good}, {"authorization", "Bearer of-somebody-else-0001"}});
  connection.SendMessage(1, "");
  EXPECT_THAT(connection.TrailersOf(1), AllOf(HasSubstr("grpc-status\x02"
                                                        "16"),
                                              HasSubstr("more than one")));
  connection.SendCall(3, kMatch, {{"authorization", good}, {"authorization", good}});
  connection.SendMessage(3, "");
  EXPECT_THAT(connection.TrailersOf(3), HasSubstr("more than one"));
  connection.SendCall(5, kMatch, {{"authorization", good}});
  connection.SendMessage(5, "");
  EXPECT_THAT(connection.TrailersOf(5), Not(HasSubstr("grpc-status\x02"
                                                      "16")));
}

TEST_F(Strangers, ConnectionsThatSayNothingAreClosed) {
  Start({"--handshake-timeout-ms", "300", "--stranger-timeout-ms", "300"});
  RawHttp2 silent(port(), /*greet=*/false);
  RawHttp2 half(port(), /*greet=*/false);
  half.Send("PRI * HTTP/2.0\r\n");
  RawHttp2 greeted(port());
  RawHttp2 headers(port());
  for (std::uint32_t stream = 1; stream < 41; stream += 2) headers.SendCall(stream, kMatch);
  RawHttp2 part(port());
  part.SendCall(1, kMatch);
  part.SendFrame(RawHttp2::kData, 0, 1, std::string_view("\0\0\x0f\0\0 half a message", 19));
  for (RawHttp2* connection : {&silent, &half, &greeted, &headers, &part}) EXPECT_TRUE(connection->WaitForEnd());
  ExpectWell();
}

TEST_F(Strangers, ACallerWithATokenStaysHoweverLongNothingIsSaid) {
  Start({"--stranger-timeout-ms", "200", "--max-strangers", "4"});
  const auto channel = server_->Connect();
  ASSERT_TRUE(Call(channel).ok());
  // A watch of a pool that never changes, on a connection of its own, without any answer so far.
  pb::WatchMembersRequest request;
  *request.mutable_actor() = Operator();
  request.set_parent("pools/p");
  const auto watching = server_->Connect();
  pb::CreatePoolRequest pool;
  *pool.mutable_actor() = Operator();
  pool.mutable_pool()->set_name("pools/p");
  pool.mutable_pool()->set_display_name("P");
  pool.set_request_id(FreshId());
  pb::WritePoolResponse made;
  ASSERT_TRUE(pb::PoolService::Stub(channel).CreatePool(server_->Context().get(), pool, &made).ok());
  const auto context = server_->Context(60'000);
  const auto watch = pb::MemberService::Stub(watching).Watch(context.get(), request);
  // Strangers come and are closed for their silence, one generation after the other.
  for (int i = 0; i < 4; ++i) {
    RawHttp2 stranger(port());
    EXPECT_TRUE(stranger.WaitForEnd());
  }
  EXPECT_EQ(channel->GetState(false), GRPC_CHANNEL_READY);
  EXPECT_EQ(watching->GetState(false), GRPC_CHANNEL_READY);
  context->TryCancel();
  pb::MemberEvent none;
  while (watch->Read(&none)) {
  }
  EXPECT_EQ(watch->Finish().error_code(), grpc::StatusCode::CANCELLED);
}

TEST_F(Strangers, TheSurplusOfConnectionsIsClosedAndCallersAreAnswered) {
  Start({"--max-strangers-per-address", "8", "--max-strangers", "16", "--max-connections", "24"});
  const auto channel = server_->Connect();
  ASSERT_TRUE(Call(channel).ok());
  std::vector<std::unique_ptr<RawHttp2>> many;
  for (int i = 0; i < 200; ++i) many.push_back(std::make_unique<RawHttp2>(port()));
  const auto open = [&] {
    return std::count_if(many.begin(), many.end(), [](const auto& one) { return !one->Ended(); });
  };
  for (int i = 0; i < 600 && open() > 8; ++i) usleep(50'000);
  EXPECT_LE(open(), 8);
  EXPECT_TRUE(Call(channel).ok()) << "on the connection that was there";
  ExpectWell();  // on a new one
}

TEST_F(Strangers, StreamsBeyondTheLimitAndHeadersWithoutEndAreBounded) {
  Start({"--max-streams-per-connection", "16"});
  RawHttp2 many(port());
  for (std::uint32_t stream = 1; stream < 2'001 && many.SendCall(stream, kMatch); stream += 2) {
  }
  ExpectWell();
  // CONTINUATION after CONTINUATION, and never END_HEADERS: a stranger may send one message and a little more.
  RawHttp2 endless(port());
  endless.SendFrame(RawHttp2::kHeaders, 0, 1, RawHttp2::Encode(RawHttp2::CallFields(kMatch)));
  const std::string block = RawHttp2::Encode({{"x-fill", std::string(8'000, 'x')}});
  std::int64_t sent = 0;
  while (sent < 300 * kMiB && endless.SendFrame(RawHttp2::kContinuation, 0, 1, block))
    sent += static_cast<std::int64_t>(block.size());
  EXPECT_LT(sent, 300 * kMiB) << "it was cut";
  ExpectWell();
}

TEST_F(Strangers, AFloodOfResetsEndsItsConnectionAndItsNeighbours) {
  Start();
  const auto channel = server_->Connect();
  ASSERT_TRUE(Call(channel).ok());
  RawHttp2 neighbour(port());
  RawHttp2 flood(port());
  const std::string cancel("\0\0\0\x08", 4);
  std::uint32_t stream = 1;
  for (; stream < 120'001; stream += 2) {
    if (!flood.SendCall(stream, kMatch) || !flood.SendFrame(RawHttp2::kReset, 0, stream, cancel)) break;
  }
  EXPECT_LT(stream, 120'001U) << "it was cut";
  EXPECT_TRUE(neighbour.WaitForEnd());
  EXPECT_TRUE(Call(channel).ok()) << "of the same address, but known";
  ExpectWell();
}

TEST_F(Strangers, PartsOfMessagesStayWithinTheMemoryOfTheTransport) {
  Start({"--transport-memory-bytes", std::to_string(24 * kMiB), "--max-strangers-per-address", "128"});
  std::vector<std::unique_ptr<RawHttp2>> many;
  const std::string head("\0\0\x3f\xff\xff", 5);  // a message of 4 MB is announced
  for (int i = 0; i < 100; ++i) {
    many.push_back(std::make_unique<RawHttp2>(port()));
    for (std::uint32_t stream = 1; stream < 41; stream += 2) {
      many.back()->SendCall(stream, kMatch);
      many.back()->SendFrame(RawHttp2::kData, 0, stream, head + std::string(3'000, 'x'));
    }
  }
  ExpectWell();
}

TEST_F(Strangers, FewDescriptorsMeanFewConnections) {
  Start({}, [] {
    const rlimit few{560, 560};
    setrlimit(RLIMIT_NOFILE, &few);
  });
  EXPECT_THAT(server_->log(), HasSubstr("only 24 of --max-connections 4000 fit into 560 file descriptors"));
  server_.reset();
  ServeProcess none(directory_, {}, "warmline", [] {
    const rlimit fewer{100, 100};
    setrlimit(RLIMIT_NOFILE, &fewer);
  });
  EXPECT_THAT(none.log(), HasSubstr("this process may open 100 files: allow it"));
  EXPECT_EQ(none.WaitForEnd(), 1);
}

TEST_F(Strangers, WithoutDescriptorsConnectionsAreRefusedAndComeAgainAfterwards) {
  Start({"--max-strangers-per-address", "1000", "--max-strangers", "1000"});
  const rlimit few{90, 90};
  ASSERT_EQ(prlimit(server_->pid(), RLIMIT_NOFILE, &few, nullptr), 0);
  const auto page = [&](const char* path) {
    const auto response = httplib::Client("127.0.0.1", server_->ops_port()).Get(path);
    return response ? response->body : "no answer";
  };
  {
    std::vector<std::unique_ptr<RawHttp2>> many;
    for (int i = 0; i < 200; ++i) many.push_back(std::make_unique<RawHttp2>(port()));
    EXPECT_TRUE(many.back()->WaitForEnd()) << "it is not left waiting";
  }
  ExpectWell();
  EXPECT_THAT(page("/metrics"), HasSubstr("{port=\"api\",reason=\"descriptors\"}"));
  EXPECT_EQ(page("/livez"), "ok\n");
}

TEST_F(Strangers, AnAddressSpaceThatIsTooSmallIsAnErrorAtTheStart) {
  for (const std::int64_t megabytes : {300, 600, 1'000}) {
    ServeProcess server(directory_, {"--drain-delay-ms", "0"}, "warmline", [megabytes] {
      const auto bytes = static_cast<rlim_t>(megabytes * kMiB);
      const rlimit limit{bytes, bytes};
      setrlimit(RLIMIT_AS, &limit);
    });
    EXPECT_FALSE(server.listens()) << megabytes;
    EXPECT_THAT(server.log(), AllOf(HasSubstr("the address space is limited to " + std::to_string(megabytes) + " MiB"),
                                    HasSubstr("raise the limit")));
    EXPECT_EQ(server.WaitForEnd(), 1) << megabytes;
  }
}

TEST_F(Strangers, WhatTheStartAsksForIsEnough) {
  Start();
  const std::size_t at = server_->log().find("address space: needs ");
  ASSERT_NE(at, std::string::npos) << server_->log();
  const auto megabytes = static_cast<rlim_t>(std::stoll(server_->log().substr(at + sizeof("address space: needs"))));
  server_.reset();
  Start({}, [megabytes] {
    const rlimit limit{megabytes * kMiB, megabytes * kMiB};
    setrlimit(RLIMIT_AS, &limit);
  });
  std::vector<std::shared_ptr<grpc::Channel>> channels;
  for (int i = 0; i < 50; ++i) {
    channels.push_back(server_->Connect());
    EXPECT_TRUE(Call(channels.back()).ok());
  }
}

}  // namespace
}  // namespace warmline::testing
