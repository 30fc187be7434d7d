// The API's port over TLS: who is let in, and certificates that are exchanged under load without a failed call. The
// certificates are made by `openssl`, as an operator would.
#include <gmock/gmock.h>
#include <grpcpp/create_channel.h>
#include <gtest/gtest.h>
#include <httplib.h>

#include <array>
#include <atomic>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

#include "domain/error.h"
#include "support/test_server.h"

namespace warmline::testing {
namespace {

using ::testing::HasSubstr;

class Tls : public ::testing::Test {
 protected:
  Tls() : directory_(::testing::TempDir() + "warmline-tls-XXXXXX") {
    EXPECT_NE(mkdtemp(directory_.data()), nullptr);
    MakeAuthority("ca");
    MakeCertificate("server", "ca", "warmline", "DNS:localhost,IP:127.0.0.1");
  }
  ~Tls() override { std::filesystem::remove_all(directory_); }

  [[nodiscard]] std::string Path(const std::string& name) const { return directory_ + "/" + name; }
  void Shell(const std::string& command) const {
    ASSERT_EQ(std::system(("cd " + directory_ + " && " + command + " >log 2>&1").c_str()), 0) << command << "\n"
                                                                                              << TextOf(Path("log"));
  }
  void MakeAuthority(const std::string& name) const {
    Shell("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=" + name +
          " -keyout " + name + ".key -out " + name + ".pem");
  }
  void MakeCertificate(const std::string& name, const std::string& authority, const std::string& common_name,
                       const std::string& alternative) const {
    Shell("openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=" + common_name + " -keyout " +
          name + ".key -out " + name + ".csr");
    std::ofstream(Path(name + ".ext")) << "subjectAltName=" << alternative << "\n";
    Shell("openssl x509 -req -in " + name + ".csr -CA " + authority + ".pem -CAkey " + authority +
          ".key -CAcreateserial -days 2 -extfile " + name + ".ext -out " + name + ".pem");
  }
  // As a Secret is: whole.
  void Exchange(const std::string& from, const std::string& to) const {
    for (const char* end : {".key", ".pem"}) {
      std::filesystem::copy_file(Path(from + end), Path(to + end + ".new"));
      std::filesystem::rename(Path(to + end + ".new"), Path(to + end));
    }
  }
  void UseTls(server::Config& config) const {
    config.tls_cert_file = Path("server.pem");
    config.tls_key_file = Path("server.key");
  }
  // A connection of its own, not one that the library shares.
  [[nodiscard]] std::shared_ptr<grpc::Channel> Connect(const TestServer& server, const std::string& authority,
                                                       const std::string& certificate = "") const {
    grpc::SslCredentialsOptions options;
    options.pem_root_certs = TextOf(Path(authority + ".pem"));
    if (!certificate.empty()) {
      options.pem_cert_chain = TextOf(Path(certificate + ".pem"));
      options.pem_private_key = TextOf(Path(certificate + ".key"));
    }
    grpc::ChannelArguments arguments;
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    return grpc::CreateCustomChannel("127.0.0.1:" + std::to_string(const_cast<TestServer&>(server).server().port()),
                                     grpc::SslCredentials(options), arguments);
  }
  static grpc::Status List(const std::shared_ptr<grpc::Channel>& channel,
                           std::unique_ptr<grpc::ClientContext> context) {
    pb::ListPoolsRequest request;
    *request.mutable_actor() = Operator();
    pb::ListPoolsResponse response;
    return pb::PoolService::Stub(channel).ListPools(context.get(), request, &response);
  }
  // The certificate that the server shows to a new connection.
  [[nodiscard]] std::string Shown(const TestServer& server, const std::string& authority) const {
    const auto channel = Connect(server, authority);
    auto context = server.Context(2'000);
    pb::ListPoolsRequest request;
    *request.mutable_actor() = Operator();
    pb::ListPoolsResponse response;
    if (!pb::PoolService::Stub(channel).ListPools(context.get(), request, &response).ok()) return "";
    const auto names = context->auth_context()->FindPropertyValues(GRPC_X509_CN_PROPERTY_NAME);
    return names.empty() ? "" : std::string(names[0].data(), names[0].size());
  }
  std::string directory_;
};

TEST_F(Tls, LetsInWhoKnowsTheAuthorityAndNobodyInTheClear) {
  MakeAuthority("other");
  const TestServer server([&](server::Config& config) { UseTls(config); });
  EXPECT_TRUE(List(Connect(server, "ca"), server.Context()).ok());
  EXPECT_EQ(List(Connect(server, "other"), server.Context(2'000)).error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(List(server.channel(), server.Context(2'000)).error_code(), grpc::StatusCode::UNAVAILABLE);  // in the clear
}

TEST_F(Tls, ACallersCertificateIsAskedForAndMayStandForAToken) {
  MakeAuthority("callers");
  MakeCertificate("known", "callers", "someone", "URI:spiffe://city/portal");
  MakeCertificate("unknown", "callers", "nobody", "URI:spiffe://city/other");
  MakeCertificate("forged", "ca", "someone", "URI:spiffe://city/portal");
  std::ofstream(Path("tokens.json"))
      << R"({"tokens": [{"name": "portal", "certificate": "spiffe://city/portal", "roles": ["reader"],
                         "audiences": ["OPERATOR"], "pools": ["*"]}]})";
  const TestServer server([&](server::Config& config) {
    UseTls(config);
    config.tls_client_ca_file = Path("callers.pem");
    config.tokens_file = Path("tokens.json");
  });
  EXPECT_TRUE(List(Connect(server, "ca", "known"), server.ContextWith("")).ok());
  EXPECT_EQ(ReasonOf(List(Connect(server, "ca", "unknown"), server.ContextWith(""))), "TOKEN_MISSING");
  for (const char* certificate : {"", "forged"}) {
    EXPECT_EQ(List(Connect(server, "ca", certificate), server.ContextWith("")).error_code(),
              grpc::StatusCode::UNAVAILABLE)
        << certificate;
  }
}

TEST_F(Tls, CertificatesAreExchangedUnderLoadWithoutAFailedCall) {
  MakeCertificate("next", "ca", "the-next-one", "DNS:localhost,IP:127.0.0.1");
  const TestServer server([&](server::Config& config) { UseTls(config); });
  ASSERT_EQ(Shown(server, "ca"), "warmline");
  std::atomic<bool> stop{false};
  std::atomic<int> calls{0};
  std::atomic<int> failed{0};
  std::vector<std::thread> callers;
  for (int t = 0; t < 4; ++t) {
    callers.emplace_back([&, t] {
      auto channel = Connect(server, "ca");
      for (int i = 0; !stop; ++i) {
        if (t % 2 == 0 && i % 10 == 9) channel = Connect(server, "ca");  // some always begin anew
        ++calls;
        if (!List(channel, server.Context()).ok()) ++failed;
      }
    });
  }
  Exchange("next", "server");
  std::string shown;
  for (int i = 0; i < 200 && shown != "the-next-one"; ++i) {
    absl::SleepFor(absl::Milliseconds(50));
    shown = Shown(server, "ca");
  }
  absl::SleepFor(absl::Milliseconds(300));
  stop = true;
  for (auto& caller : callers) caller.join();
  EXPECT_EQ(shown, "the-next-one");
  EXPECT_EQ(failed, 0);
  EXPECT_GT(calls, 100);
  std::cout << calls << " calls, " << failed << " failed\n";
}

TEST_F(Tls, TheOperationsPortShowsTheSameCertificateAndTheNextOne) {
  MakeCertificate("next", "ca", "the-next-one", "DNS:localhost,IP:127.0.0.1");
  MakeAuthority("other");
  TestServer server([&](server::Config& config) {
    UseTls(config);
    config.ops_tls = true;
  });
  const std::string origin = "https://127.0.0.1:" + std::to_string(server.server().ops_port());
  const auto answers = [&](const char* authority, const std::string& url) {
    httplib::Client client(url);
    client.set_ca_cert_path(Path(std::string(authority) + ".pem").c_str());
    const auto response = client.Get("/livez");
    return response && response->status == 200;
  };
  EXPECT_TRUE(answers("ca", origin));
  EXPECT_FALSE(answers("other", origin));
  EXPECT_FALSE(answers("ca", "http" + origin.substr(5)));
  // What a new connection is shown.
  const auto subject = [&] {
    FILE* pipe = popen(("openssl s_client -connect 127.0.0.1:" + std::to_string(server.server().ops_port()) +
                        " </dev/null 2>/dev/null | openssl x509 -noout -subject 2>/dev/null")
                           .c_str(),
                       "r");
    std::array<char, 200> text{};
    const std::string line = fgets(text.data(), text.size(), pipe) == nullptr ? "" : text.data();
    pclose(pipe);
    return line;
  };
  EXPECT_THAT(subject(), HasSubstr("warmline"));
  Exchange("next", "server");
  std::string shown;
  for (int i = 0; i < 200 && shown.find("the-next-one") == std::string::npos; ++i) {
    absl::SleepFor(absl::Milliseconds(50));
    shown = subject();
    EXPECT_TRUE(answers("ca", origin));
  }
  EXPECT_THAT(shown, HasSubstr("the-next-one"));
}

TEST_F(Tls, WrongFilesAreNamedAtTheStart) {
  MakeCertificate("another", "ca", "another", "DNS:another");
  const auto wrong = [&](const std::function<void(server::Config&)>& adjust) {
    server::Config config;
    config.data_dir = Path("data");
    config.listen = "127.0.0.1:0";
    config.ops_listen = "127.0.0.1:0";
    adjust(config);
    const auto started = server::Server::Start(config);
    EXPECT_FALSE(started.ok());
    const auto violations = domain::ViolationsOf(started.status());
    return violations.empty() ? std::string() : violations[0].field + ": " + violations[0].description;
  };
  EXPECT_THAT(wrong([&](auto& c) { c.tls_key_file = Path("server.key"); }), HasSubstr("tls-cert-file: is missing"));
  EXPECT_THAT(wrong([&](auto& c) { c.tls_cert_file = Path("server.pem"); }), HasSubstr("tls-key-file: is missing"));
  EXPECT_THAT(wrong([&](auto& c) { c.tls_client_ca_file = Path("ca.pem"); }), HasSubstr("tls-cert-file: is missing"));
  EXPECT_THAT(wrong([&](auto& c) {
                UseTls(c);
                c.tls_key_file = Path("another.key");
              }),
              HasSubstr("is not the key of the certificate"));
  EXPECT_THAT(wrong([&](auto& c) {
                UseTls(c);
                c.tls_cert_file = Path("absent.pem");
              }),
              HasSubstr("cannot read"));
  EXPECT_THAT(wrong([&](auto& c) {
                UseTls(c);
                c.tls_cert_file = Path("server.key");
              }),
              HasSubstr("holds no certificate"));
}

}  // namespace
}  // namespace warmline::testing
