// Who may connect: counts by address, strangers, and the names of peers.
#include <absl/time/clock.h>
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>

#include <cstring>

#include "base/listen_sockets.h"
#include "server/connection_table.h"
#include "server/peer_address.h"

namespace warmline::server {
namespace {

const absl::Time kStart = absl::FromUnixSeconds(1'800'000'000);

TransportOptions Small() {
  TransportOptions options;
  options.max_connections = 6;
  options.max_connections_per_address = 4;
  options.max_strangers = 4;
  options.max_strangers_per_address = 2;
  return options;
}

std::string Refused(const ConnectionTable::Verdict& verdict) {
  if (verdict.refused != nullptr) return verdict.refused;
  return verdict.evicted ? "instead of " + std::to_string(*verdict.evicted) : "";
}

TEST(ConnectionTable, TheOldestStrangerOfAnAddressMakesRoomThere) {
  ConnectionTable table(Small());
  for (ConnectionTable::Id id : {1, 2}) {
    EXPECT_EQ(Refused(table.Ask("a", kStart)), "");
    table.Add(id, "a", kStart);
  }
  EXPECT_EQ(Refused(table.Ask("a", kStart)), "strangers_per_address") << "both may be about to call";
  EXPECT_EQ(Refused(table.Ask("a", kStart + absl::Seconds(2))), "instead of 1");
  EXPECT_EQ(Refused(table.Ask("b", kStart)), "");
  table.Know(1);
  EXPECT_EQ(Refused(table.Ask("a", kStart)), "");
  table.Add(3, "a", kStart);
  table.Know(2);
  table.Know(3);
  table.Add(4, "a", kStart);
  table.Know(4);
  EXPECT_EQ(Refused(table.Ask("a", kStart + absl::Hours(1))), "per_address") << "nobody known has to go";
  table.Remove(1);
  EXPECT_EQ(Refused(table.Ask("a", kStart)), "");
}

TEST(ConnectionTable, ManyAddressesShareTheTotal) {
  ConnectionTable table(Small());
  for (ConnectionTable::Id id = 1; id <= 4; ++id) table.Add(id, std::string(1, static_cast<char>('a' + id)), kStart);
  EXPECT_EQ(Refused(table.Ask("z", kStart)), "strangers");
  EXPECT_EQ(Refused(table.Ask("z", kStart + absl::Seconds(2))), "instead of 1");
  for (ConnectionTable::Id id = 1; id <= 4; ++id) table.Know(id);
  table.Add(5, "z", kStart);
  table.Add(6, "y", kStart);
  EXPECT_EQ(Refused(table.Ask("x", kStart + absl::Seconds(2))), "instead of 5");
  table.Know(5);
  table.Know(6);
  EXPECT_EQ(Refused(table.Ask("x", kStart + absl::Seconds(2))), "total");
  for (ConnectionTable::Id id = 1; id <= 6; ++id) table.Remove(id);
  EXPECT_EQ(table.open(), 0);
  EXPECT_TRUE(table.strangers().empty());
}

TEST(ConnectionTable, AFloodTakesTheStrangersOfItsAddressWithIt) {
  ConnectionTable table(Small());
  table.Add(1, "a", kStart);
  table.Know(1);
  table.Add(2, "a", kStart);
  table.Add(3, "a", kStart);
  table.Add(4, "b", kStart);
  EXPECT_EQ(table.Punish(2, kStart), (std::vector<ConnectionTable::Id>{2, 3}));
  for (ConnectionTable::Id id : {2, 3}) table.Remove(id);
  EXPECT_EQ(Refused(table.Ask("a", kStart + absl::Seconds(1))), "punished");
  EXPECT_EQ(Refused(table.Ask("b", kStart + absl::Seconds(1))), "");
  EXPECT_EQ(Refused(table.Ask("a", kStart + kPunishment)), "");
}

sockaddr_storage Ipv4(const char* text, int port) {
  sockaddr_storage storage{};
  auto& in = reinterpret_cast<sockaddr_in&>(storage);
  in.sin_family = AF_INET;
  in.sin_port = htons(static_cast<std::uint16_t>(port));
  inet_pton(AF_INET, text, &in.sin_addr);
  return storage;
}

sockaddr_storage Ipv6(const char* text, int port) {
  sockaddr_storage storage{};
  auto& in = reinterpret_cast<sockaddr_in6&>(storage);
  in.sin6_family = AF_INET6;
  in.sin6_port = htons(static_cast<std::uint16_t>(port));
  inet_pton(AF_INET6, text, &in.sin6_addr);
  return storage;
}

TEST(PeerAddress, ASocketsAddressIsWhatGrpcCallsThePeer) {
  EXPECT_EQ(PeerKey(Ipv4("10.1.2.3", 4567)), PeerKey("ipv4:10.1.2.3:4567"));
  EXPECT_EQ(PeerKey(Ipv6("::ffff:10.1.2.3", 4567)), PeerKey("ipv4:10.1.2.3:4567"));
  EXPECT_EQ(PeerKey(Ipv6("2001:db8::1", 4567)), PeerKey("ipv6:%5B2001:db8::1%5D:4567"));
  EXPECT_EQ(PeerKey(Ipv6("2001:db8::1", 4567)), PeerKey("ipv6:[2001:db8::1]:4567"));
  EXPECT_EQ(PeerKey(Ipv6("fe80::1", 4567)), PeerKey("ipv6:%5Bfe80::1%25eth0%5D:4567"));
  EXPECT_NE(PeerKey("ipv4:10.1.2.3:4567"), PeerKey("ipv4:10.1.2.3:4568"));
  for (const char* none : {"", "unknown", "ipv4:10.1.2.3", "ipv4:10.1.2:1", "unix:/tmp/x", "ipv6:[x]:1"})
    EXPECT_EQ(PeerKey(none), "") << none;
}

TEST(PeerAddress, LimitsCountAnIpv4AddressAndAnIpv6NetworkAsOne) {
  EXPECT_EQ(AddressKey(Ipv4("10.1.2.3", 1)), AddressKey(Ipv4("10.1.2.3", 2)));
  EXPECT_EQ(AddressKey(Ipv4("10.1.2.3", 1)), AddressKey(Ipv6("::ffff:10.1.2.3", 2)));
  EXPECT_NE(AddressKey(Ipv4("10.1.2.3", 1)), AddressKey(Ipv4("10.1.2.4", 1)));
  EXPECT_EQ(AddressKey(Ipv6("2001:db8:0:1::1", 1)), AddressKey(Ipv6("2001:db8:0:1:ffff::2", 1)));
  EXPECT_NE(AddressKey(Ipv6("2001:db8:0:1::1", 1)), AddressKey(Ipv6("2001:db8:0:2::1", 1)));
}

TEST(ListenSockets, NamesAndBothFamiliesAreUnderstood) {
  for (const char* host : {"127.0.0.1", "[::1]", "::1", "localhost", "0.0.0.0", "[::]"}) {
    auto sockets = base::ListenOn(host, 0);
    ASSERT_TRUE(sockets.ok()) << host << " " << sockets.status();
    EXPECT_GT(sockets->port, 0) << host;
    EXPECT_TRUE(absl::IsAlreadyExists(base::ListenOn(host, sockets->port).status())) << host << " is taken";
  }
  EXPECT_FALSE(base::ListenOn("no-such-host.invalid", 0).ok());
  EXPECT_FALSE(base::ListenOn("203.0.113.7", 0).ok()) << "no address of this machine";
}

}  // namespace
}  // namespace warmline::server
