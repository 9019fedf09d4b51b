"""Serves a source to Durasync: the part of a connector in Python that is the same for all of them.

A connector is a class with the methods of Source, and a program that calls serve with it. What happens here, and why, is described
in plugin/protocol/README.md.
"""

from __future__ import annotations

import abc
import base64
import contextlib
import datetime
import json
import logging
import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterable, Iterator
from concurrent import futures
from typing import Any, NamedTuple, NoReturn

import grpc
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from google.protobuf import json_format

import goplugin_pb2
import goplugin_pb2_grpc
import status_pb2
from durasync.connector.v1 import connector_pb2 as pb
from durasync.connector.v1 import connector_pb2_grpc

log = logging.getLogger("connector")

COOKIE = ("DURASYNC_CONNECTOR", "3f0c9d52-7a41-4e1b-9d0e-6b1f2c8a5e17")
PROTOCOL = 1

MAX_MESSAGE = 16 << 20  # bytes, in either direction
CHUNK = 1 << 20  # about how many bytes of records one message holds
MAX_TEXT = 2 << 10  # the longest text of an error that the host shows, in characters

THREADS = 16  # how many calls run at once; others wait

# The signals that end the process, and how many seconds calls in flight may go on. The second one is its own, for Shutdown, whose
# answer has to be sent.
ENDS = {signal.SIGTERM: 30.0, signal.SIGUSR1: 0.5}

RETRYABLE = frozenset({"expired", "rate_limited", "unavailable", "internal"})


class ConnectorError(Exception):
    """The one kind of error that the host understands. The codes are those of message Error in connector.proto.

    The text is for people: what happened, to what, what to do next. It never holds a secret.
    """

    def __init__(self, code: str, text: str, *, attribute: str = "", retry_after: float | None = None) -> None:
        super().__init__(text)
        self.code = code
        self.attribute = attribute
        self.retry_after = retry_after

    def message(self, requests: int) -> pb.Error:
        """Returns the error as it crosses the wire."""
        error = pb.Error(
            code=self.code,
            message=str(self)[:MAX_TEXT],
            retryable=self.code in RETRYABLE,
            attribute=self.attribute,
            requests=requests,
        )
        if self.retry_after is not None:
            error.retry_after.FromTimedelta(datetime.timedelta(seconds=self.retry_after))
        return error


class Call:
    """A call of the host's, which ends at its deadline or when the host loses interest."""

    def __init__(self, context: grpc.ServicerContext) -> None:
        self._context = context
        self.requests = 0
        """How many requests to the other system the call has made. The host keeps count of limits with it."""

    def check(self) -> None:
        """Raises an error if the call has ended."""
        if not self._context.is_active():
            raise ConnectorError("unavailable", "the call has ended")

    def on_end(self, callback: Callable[[], None]) -> None:
        """Has something called, by another thread, when the call ends; at once if it has."""
        if not self._context.add_callback(callback):
            callback()


class Source(abc.ABC):
    """A connector that records can be read from. Its methods are called by many threads at once.

    They raise ConnectorError. Any other exception is the error internal, and a bug of the connector.
    """

    @abc.abstractmethod
    def describe(self) -> pb.DescribeResponse:
        """Says what the connector is and what it offers. It does no I/O and always gives the same answer."""

    @abc.abstractmethod
    def configure(self, config: dict[str, Any]) -> pb.ConfigureResponse:
        """Receives the attributes of the connection, once and before any method that follows. It does no I/O."""

    @abc.abstractmethod
    def check(self, call: Call) -> str:
        """Tests the configuration against the other system and says, in a few words, what it reached."""

    @abc.abstractmethod
    def list(self, request: pb.ListRequest, call: Call) -> pb.ListResponse:
        """Returns one page of the records whose time lies in the request's window."""

    @abc.abstractmethod
    def read(self, request: pb.ReadRequest, call: Call) -> Iterable[pb.Record]:
        """Returns the records of the request's ids that exist."""


def serve(source: Source) -> NoReturn:
    """Is the whole main function of a connector's program."""
    if sys.argv[1:] == ["describe"]:
        print(json_format.MessageToJson(source.describe(), preserving_proto_field_name=True))
        sys.exit(0)
    if os.environ.get(COOKIE[0]) != COOKIE[1]:
        print(
            f"{os.path.basename(sys.argv[0])} is a Durasync connector: durasync starts it by itself;"
            " by hand, only its sub-command describe is of use.",
            file=sys.stderr,
        )
        sys.exit(2)
    handshake, sys.stdout = sys.stdout, sys.stderr  # after the first line, standard output is not used
    signal.pthread_sigmask(signal.SIG_BLOCK, ENDS)  # in this thread and all that follow: they are waited for below
    _log_to_host()
    _end_with_host()

    server = grpc.server(
        futures.ThreadPoolExecutor(THREADS),
        options=[("grpc.max_receive_message_length", MAX_MESSAGE), ("grpc.max_send_message_length", MAX_MESSAGE)],
    )
    connector_pb2_grpc.add_ConnectorServicer_to_server(_Connector(source), server)
    goplugin_pb2_grpc.add_GRPCControllerServicer_to_server(_Controller(), server)
    key, certificate = _self_signed()
    credentials = grpc.ssl_server_credentials(
        [(key, certificate.public_bytes(serialization.Encoding.PEM))],
        root_certificates=os.environ["PLUGIN_CLIENT_CERT"].encode(),
        require_client_auth=True,
    )
    socket = os.path.join(os.environ["PLUGIN_UNIX_SOCKET_DIR"], "plugin")
    server.add_secure_port(f"unix:{socket}", credentials)
    server.start()
    der = base64.b64encode(certificate.public_bytes(serialization.Encoding.DER)).decode().rstrip("=")
    print(f"1|{PROTOCOL}|unix|{socket}|grpc|{der}", file=handshake, flush=True)

    server.stop(ENDS[signal.Signals(signal.sigwait(ENDS))]).wait()
    os._exit(0)  # at once: calls that are still in flight are nobody's any more


class _Connector(connector_pb2_grpc.ConnectorServicer):
    """The service, for a source. Methods that are not here answer UNIMPLEMENTED."""

    def __init__(self, source: Source) -> None:
        self._source = source

    def Describe(self, request: pb.DescribeRequest, context: grpc.ServicerContext) -> pb.DescribeResponse:
        with _answering(context):
            return self._source.describe()

    def Configure(self, request: pb.ConfigureRequest, context: grpc.ServicerContext) -> pb.ConfigureResponse:
        with _answering(context):
            return self._source.configure(json.loads(request.config))

    def Check(self, request: pb.CheckRequest, context: grpc.ServicerContext) -> pb.CheckResponse:
        with _answering(context) as call:
            summary = self._source.check(call)
            return pb.CheckResponse(summary=summary, requests=call.requests)

    def List(self, request: pb.ListRequest, context: grpc.ServicerContext) -> pb.ListResponse:
        with _answering(context) as call:
            response = self._source.list(request, call)
            response.requests = call.requests
            return response

    def Read(self, request: pb.ReadRequest, context: grpc.ServicerContext) -> Iterator[pb.ReadResponse]:
        with _answering(context) as call:
            part, size = pb.ReadResponse(), 0
            for record in self._source.read(request, call):
                if part.records and size + record.ByteSize() > CHUNK:
                    yield part
                    part, size = pb.ReadResponse(), 0
                part.records.append(record)
                size += record.ByteSize()
            part.requests = call.requests
            yield part


class _Controller(goplugin_pb2_grpc.GRPCControllerServicer):
    """How the host ends the program. go-plugin's other services are left out."""

    def Shutdown(self, request: goplugin_pb2.Empty, context: grpc.ServicerContext) -> goplugin_pb2.Empty:
        os.kill(os.getpid(), signal.SIGUSR1)
        return goplugin_pb2.Empty()


class _Status(NamedTuple("_Status", [("code", grpc.StatusCode), ("details", str), ("trailing_metadata", Any)]), grpc.Status):
    """How a call ends that has failed."""


@contextlib.contextmanager
def _answering(context: grpc.ServicerContext) -> Iterator[Call]:
    """Has the call end with the error that the body raises."""
    call = Call(context)
    try:
        yield call
        return
    except ConnectorError as error:
        fault = error
    except Exception as error:  # pylint: disable=broad-except
        # Its own text stays here: it may be about anything, secrets too.
        trace = "".join(traceback.format_tb(error.__traceback__))
        log.error("the connector failed with %s:\n%s", type(error).__name__, trace)
        fault = ConnectorError("internal", f"the connector failed with {type(error).__name__}; its log says where")
    status = status_pb2.Status(code=grpc.StatusCode.UNKNOWN.value[0], message=fault.code)
    status.details.add().Pack(fault.message(call.requests))
    context.abort_with_status(
        _Status(grpc.StatusCode.UNKNOWN, fault.code, (("grpc-status-details-bin", status.SerializeToString()),))
    )


def _self_signed() -> tuple[bytes, x509.Certificate]:
    """Makes a key and the certificate by which the host knows this process."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.utcnow()
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(minutes=5))
        .not_valid_after(now + datetime.timedelta(days=3650))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return pem, certificate


def _end_with_host() -> None:
    """Ends the process when the host is gone, which holds the other end of a pipe and never writes to it."""
    if "DURASYNC_LIFE_FD" not in os.environ:
        return
    pipe = int(os.environ["DURASYNC_LIFE_FD"])  # which subprocess does not pass on

    def watch() -> None:
        os.read(pipe, 1)
        with contextlib.suppress(OSError):  # the host removes the socket's directory otherwise
            directory = os.environ["PLUGIN_UNIX_SOCKET_DIR"]
            os.unlink(os.path.join(directory, "plugin"))
            os.rmdir(directory)
        if os.getpgrp() == os.getpid():  # then the group is this process and what it started
            os.killpg(0, signal.SIGKILL)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


class _Lines(logging.Formatter):
    """Formats log records as the host takes them. All values are strings."""

    LEVELS = {logging.DEBUG: "debug", logging.INFO: "info", logging.WARNING: "warn", logging.ERROR: "error"}

    def format(self, record: logging.LogRecord) -> str:
        when = datetime.datetime.fromtimestamp(record.created).astimezone()
        return json.dumps({
            "@level": self.LEVELS.get(record.levelno, "error"),
            "@message": record.getMessage(),
            "@timestamp": when.isoformat(timespec="microseconds"),
        })


def _log_to_host() -> None:
    """Has everything that is logged reach the host's log, down to the level that it does not throw away."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Lines())
    levels = {name: level for level, name in _Lines.LEVELS.items()} | {"trace": logging.DEBUG, "off": logging.CRITICAL + 1}
    logging.basicConfig(level=levels.get(os.environ.get("DURASYNC_LOG_LEVEL", ""), logging.INFO), handlers=[handler])
