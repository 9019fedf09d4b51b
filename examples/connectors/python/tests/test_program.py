"""The built program, as the host starts it."""

import base64
import json
import os
import signal
import subprocess
import tempfile
import unittest

import grpc
from cryptography import x509
from cryptography.hazmat.primitives import serialization

import goplugin_pb2
import goplugin_pb2_grpc
import status_pb2
from durasync.connector.v1 import connector_pb2 as pb
from durasync.connector.v1 import connector_pb2_grpc
from serving import COOKIE, _self_signed

PROGRAM = os.environ["PROGRAM"]
PATIENCE = 60  # seconds, which only a test that fails needs


class Host:
    """A host that has started the program."""

    def __init__(self, test: unittest.TestCase) -> None:
        directory = tempfile.TemporaryDirectory()
        test.addCleanup(directory.cleanup)
        self.sockets = os.path.join(directory.name, "sockets")
        os.mkdir(self.sockets)
        self.key, self.certificate = _self_signed()
        ours, self.life = os.pipe()
        self.process = subprocess.Popen(
            [PROGRAM], stdout=subprocess.PIPE, stderr=subprocess.PIPE, pass_fds=[ours], start_new_session=True, text=True,
            env={
                COOKIE[0]: COOKIE[1], "PLUGIN_UNIX_SOCKET_DIR": self.sockets, "PLUGIN_PROTOCOL_VERSIONS": "1",
                "PLUGIN_CLIENT_CERT": self.pem(self.certificate), "DURASYNC_LIFE_FD": str(ours), "DURASYNC_LOG_LEVEL": "debug",
            },
        )
        os.close(ours)
        test.addCleanup(self.process.communicate)
        test.addCleanup(self.process.kill)
        self.line = self.process.stdout.readline().rstrip("\n")

    @staticmethod
    def pem(certificate: x509.Certificate) -> str:
        return certificate.public_bytes(serialization.Encoding.PEM).decode()

    def connect(self, test: unittest.TestCase, key: bytes, certificate: x509.Certificate) -> grpc.Channel:
        """Connects with a certificate, and accepts the one that the program's first line holds."""
        fields = self.line.split("|")
        server = x509.load_der_x509_certificate(base64.b64decode(fields[5] + "=" * (-len(fields[5]) % 4)))
        channel = grpc.secure_channel(
            f"unix:{fields[3]}",
            grpc.ssl_channel_credentials(self.pem(server).encode(), key, self.pem(certificate).encode()),
            options=[("grpc.ssl_target_name_override", "localhost")],
        )
        test.addCleanup(channel.close)
        return channel


class Program(unittest.TestCase):
    def setUp(self) -> None:
        self.host = Host(self)
        self.addCleanup(lambda: os.close(self.host.life) if self.host.life is not None else None)

    def stub(self) -> connector_pb2_grpc.ConnectorStub:
        return connector_pb2_grpc.ConnectorStub(self.host.connect(self, self.host.key, self.host.certificate))

    @staticmethod
    def shut_down(channel: grpc.Channel) -> None:
        goplugin_pb2_grpc.GRPCControllerStub(channel).Shutdown(goplugin_pb2.Empty(), timeout=PATIENCE)

    def test_its_first_line_says_where_it_listens(self) -> None:
        self.assertRegex(self.host.line, rf"^1\|1\|unix\|{self.host.sockets}/[^|]+\|grpc\|[A-Za-z0-9+/]+$")
        self.assertEqual(self.stub().Describe(pb.DescribeRequest(), timeout=PATIENCE).name, "ical")

    def test_it_serves_nobody_but_the_host(self) -> None:
        stranger = connector_pb2_grpc.ConnectorStub(self.host.connect(self, *_self_signed()))
        with self.assertRaises(grpc.RpcError) as caught:
            stranger.Describe(pb.DescribeRequest(), timeout=PATIENCE)
        self.assertEqual(caught.exception.code(), grpc.StatusCode.UNAVAILABLE)

    def test_an_error_is_a_detail_of_the_status(self) -> None:
        with self.assertRaises(grpc.RpcError) as caught:
            self.stub().Configure(pb.ConfigureRequest(config=b'{"path": "a.ics", "timezone": "UTC"}'), timeout=PATIENCE)
        metadata = dict(caught.exception.trailing_metadata())
        status, error = status_pb2.Status.FromString(metadata["grpc-status-details-bin"]), pb.Error()
        self.assertEqual(status.code, caught.exception.code().value[0])
        self.assertTrue(status.details[0].Unpack(error))
        self.assertEqual((error.code, error.attribute, error.retryable), ("invalid_config", "path", False))

    def test_a_bug_is_an_error_without_the_text_of_the_exception(self) -> None:
        channel = self.host.connect(self, self.host.key, self.host.certificate)
        with self.assertRaises(grpc.RpcError) as caught:
            connector_pb2_grpc.ConnectorStub(channel).Configure(pb.ConfigureRequest(config=b'{"a-secret": '), timeout=PATIENCE)
        status, error = status_pb2.Status.FromString(dict(caught.exception.trailing_metadata())["grpc-status-details-bin"]), pb.Error()
        status.details[0].Unpack(error)
        self.assertEqual((error.code, error.retryable), ("internal", True))
        self.assertIn("JSONDecodeError", error.message)
        self.shut_down(channel)
        lines = [json.loads(line) for line in self.host.process.communicate(timeout=PATIENCE)[1].splitlines()]
        self.assertEqual([line["@level"] for line in lines], ["error"])
        self.assertIn("JSONDecodeError", lines[0]["@message"])
        self.assertRegex(lines[0]["@timestamp"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}[+-]\d\d:\d\d$")
        self.assertNotIn("a-secret", error.message + lines[0]["@message"])

    def test_it_ends_when_it_is_asked_to(self) -> None:
        self.shut_down(self.host.connect(self, self.host.key, self.host.certificate))
        self.assertEqual(self.host.process.wait(PATIENCE), 0)

    def test_it_ends_when_it_is_terminated(self) -> None:
        self.host.process.send_signal(signal.SIGTERM)
        self.assertEqual(self.host.process.wait(PATIENCE), 0)

    def test_it_ends_with_the_host_and_leaves_nothing_behind(self) -> None:
        os.close(self.host.life)
        self.host.life = None
        self.assertEqual(self.host.process.wait(PATIENCE), -signal.SIGKILL)
        self.assertFalse(os.path.exists(self.host.sockets))


class ByHand(unittest.TestCase):
    def test_it_says_what_it_is(self) -> None:
        done = subprocess.run([PROGRAM], capture_output=True, text=True, env={}, timeout=PATIENCE, check=False)
        self.assertEqual((done.returncode, done.stdout), (2, ""))
        self.assertIn("is a Durasync connector", done.stderr)

    def test_it_describes_itself(self) -> None:
        done = subprocess.run([PROGRAM, "describe"], capture_output=True, text=True, env={}, timeout=PATIENCE, check=True)
        self.assertEqual(json.loads(done.stdout)["name"], "ical")
