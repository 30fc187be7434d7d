"""The API in Python, from tests/golden/warmline_v1.protoset: messages and rpcs without generated files. Needs Debian's python3-grpcio."""
import pathlib

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

PROTOSET = pathlib.Path(__file__).resolve().parent.parent / "golden/warmline_v1.protoset"


class Api:
    """Messages by their full name, and rpcs by `Service/Method`."""

    def __init__(self, protoset=PROTOSET):
        files = descriptor_pb2.FileDescriptorSet.FromString(pathlib.Path(protoset).read_bytes())
        self.pool = descriptor_pool.DescriptorPool()
        self.rpcs, missing = {}, list(files.file)
        while missing:  # a file after those that it imports
            later = []
            for file in missing:
                try:
                    self.pool.AddSerializedFile(file.SerializeToString())
                except TypeError:
                    later.append(file)
            if len(later) == len(missing):
                raise ValueError(f"{[f.name for f in later]} import files that the set does not have")
            missing = later
        for file in files.file:
            for service in file.service:
                full = f"{file.package}.{service.name}"
                for method in service.method:
                    self.rpcs[f"{full}/{method.name}"] = self.pool.FindMethodByName(f"{full}.{method.name}"), method.client_streaming, method.server_streaming
        self.factory = message_factory.MessageFactory(self.pool)

    def type(self, name):
        return self.factory.GetPrototype(self.pool.FindMessageTypeByName(name))

    def make(self, name, **fields):
        return self.type("warmline.v1." + name)(**fields)

    def request_type(self, rpc):
        return self.factory.GetPrototype(self.rpcs[rpc][0].input_type)

    def stub(self, channel, rpc):
        """The rpc `MatchService/Match` as a callable of grpc."""
        method, client_streams, server_streams = self.rpcs["warmline.v1." + rpc]
        make = {(False, False): channel.unary_unary, (False, True): channel.unary_stream,
                (True, False): channel.stream_unary, (True, True): channel.stream_stream}[client_streams, server_streams]
        return make("/warmline.v1." + rpc, request_serializer=lambda m: m if isinstance(m, bytes) else m.SerializeToString(),
                    response_deserializer=self.factory.GetPrototype(method.output_type).FromString)


def channel(address, credentials=None, **options):
    """A channel of its own: no connection is shared with another channel."""
    options = [("grpc.use_local_subchannel_pool", 1), ("grpc.enable_http_proxy", 0), *options.items()]
    return grpc.secure_channel(address, credentials, options) if credentials else grpc.insecure_channel(address, options)


def bearer(token):
    return [("authorization", "Bearer " + token)] if token else []
