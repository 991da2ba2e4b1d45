"""Bulk data straight to and from a worker: one Transfer stream, the same frames in both directions."""

import queue

import grpc

import stubs  # noqa: F401  makes the next imports possible
from costate.types.v1.hello_pb2 import Hello
from costate.types.v1.transfer_pb2 import (
    DIGEST_ALGORITHM_XXH64,
    TRANSFER_DIRECTION_GET,
    TRANSFER_DIRECTION_PUT,
    TransferChunk,
    TransferCommit,
    TransferCredit,
    TransferFrame,
    TransferHeader,
    TransferOpen,
    TransferReceipt,
)
from costate.worker.v1.transfer_service_pb2 import TransferRequest
from costate.worker.v1.transfer_service_pb2_grpc import TransferServiceStub

from checksums import crc32c, xxh64

PROTOCOL_VERSION = 1
CHUNK_BYTES = 512 * 1024
CREDIT_BEFORE_ANY = 768 * 1024


class TransferStream:
    """A stream to the worker at `address`; many transfers may go over it, here one after the other."""

    def __init__(self, address, metadata):
        self._channel = grpc.insecure_channel(address)
        self._outbox = queue.SimpleQueue()
        requests = iter(self._outbox.get, None)
        self._responses = TransferServiceStub(self._channel).Transfer(requests, metadata=metadata)
        self._last_id = 0
        self._say(0, hello=Hello(protocol_version=PROTOCOL_VERSION, package_version="polyglot"))
        self._hear(0, "hello")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._outbox.put(None)
        self._channel.close()

    def put(self, object_id, structure, body, request_id):
        """Puts a value whose tensors lie in `body` into the worker's memory. Returns how durable it is there."""
        transfer = self._open(direction=TRANSFER_DIRECTION_PUT, object_id=object_id, request_id=request_id)
        header = TransferHeader(structure=structure, byte_length=len(body), digest_algorithm=DIGEST_ALGORITHM_XXH64)
        self._say(transfer, header=header)
        credit = CREDIT_BEFORE_ANY
        for offset in range(0, len(body), CHUNK_BYTES):
            data = body[offset : offset + CHUNK_BYTES]
            while credit < len(data):
                credit += self._hear(transfer, "credit").bytes
            credit -= len(data)
            self._say(transfer, chunk=TransferChunk(offset=offset, crc32c=crc32c(data), data=data))
        self._say(transfer, commit=TransferCommit(digest=xxh64(body)))
        return self._hear(transfer, "receipt", passing_over="credit").durability

    def get(self, object_id):
        """Brings an object of the worker: its structure and its body."""
        transfer = self._open(direction=TRANSFER_DIRECTION_GET, object_id=object_id)
        header = self._hear(transfer, "header")
        body = bytearray()
        while len(body) < header.byte_length:
            chunk = self._hear(transfer, "chunk")
            if chunk.offset != len(body) or crc32c(chunk.data) != chunk.crc32c:
                raise ValueError(f"the chunk at {chunk.offset} of {object_id} arrived damaged")
            body += chunk.data
            self._say(transfer, credit=TransferCredit(bytes=len(chunk.data)))
        if self._hear(transfer, "commit").digest != xxh64(bytes(body)):
            raise ValueError(f"{object_id} arrived damaged")
        self._say(transfer, receipt=TransferReceipt())
        return header.structure, bytes(body)

    def _open(self, **what):
        self._last_id += 1
        self._say(self._last_id, open=TransferOpen(**what))
        return self._last_id

    def _say(self, transfer_id, **frame):
        self._outbox.put(TransferRequest(frame=TransferFrame(transfer_id=transfer_id, **frame)))

    def _hear(self, transfer_id, expected, passing_over=None):
        """The next frame of this transfer, which must be the expected one."""
        for response in self._responses:
            frame = response.frame
            kind = frame.WhichOneof("frame")
            if frame.transfer_id != transfer_id or kind == passing_over:
                continue
            if kind == "abort":
                raise RuntimeError(f"{frame.abort.reason}: {frame.abort.message}")
            if kind != expected:
                raise RuntimeError(f"the worker said {kind} where {expected} was due")
            return getattr(frame, kind)
        raise RuntimeError("the worker ended the stream")
