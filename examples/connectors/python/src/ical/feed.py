"""Reads a calendar's bytes from a URL or a file. No error says more of a URL than its host: the rest of it is a secret."""

from __future__ import annotations

import contextlib
import email.utils
import functools
import http.client
import os
import re
import socket
import stat
import time
import urllib.error
import urllib.parse
import urllib.request
from typing import Any

from serving import Call, ConnectorError

MAX_SIZE = 16 << 20  # bytes, which is many thousands of events
TIMEOUT = 30.0  # seconds without an answer, or without more of one

_PART = 64 << 10


class WebFeed:
    """A calendar at a URL."""

    def __init__(self, url: str, agent: str) -> None:
        try:
            parts = urllib.parse.urlsplit(url)
            usable = parts.scheme in ("http", "https", "webcal") and parts.hostname and parts.port != 0
        except ValueError:
            usable = False
        if not usable or not re.fullmatch("[!-~]+", url):
            raise ConnectorError("invalid_config", "url is no https://, http:// or webcal:// URL with a host", attribute="url")
        if "@" in parts.netloc:
            raise ConnectorError("invalid_config", "url cannot hold a user name and a password", attribute="url")
        self._url = parts._replace(scheme="https").geturl() if parts.scheme == "webcal" else url
        self._agent = agent
        self.name = f"the calendar at {parts.hostname}"

    def fetch(self, call: Call) -> bytes:
        """Returns the whole calendar, or fails."""
        opener = urllib.request.OpenerDirector()
        for handler in (
            urllib.request.ProxyHandler(),  # by the environment
            urllib.request.HTTPRedirectHandler(),
            urllib.request.HTTPDefaultErrorHandler(),
            urllib.request.HTTPErrorProcessor(),
            urllib.request.UnknownHandler(),
            _Http(call),
            _Https(call),
        ):
            opener.add_handler(handler)
        request = urllib.request.Request(self._url, headers={"User-Agent": self._agent, "Accept": "text/calendar, */*;q=0.5"})
        try:
            with opener.open(request, timeout=TIMEOUT) as response:
                data = b""
                while part := response.read(_PART):
                    data += part
                    call.check()
                    if len(data) > MAX_SIZE:
                        raise ConnectorError("invalid_config", f"{self.name} is of more than {MAX_SIZE >> 20} MiB", attribute="url")
                return data
        except urllib.error.HTTPError as error:
            raise self._refused(error) from None
        except (OSError, http.client.HTTPException) as error:
            call.check()  # which broke the connection if it has ended
            reason = error.reason if isinstance(error, urllib.error.URLError) else error
            why = reason.strerror if isinstance(reason, OSError) and reason.strerror else type(reason).__name__
            raise ConnectorError("unavailable", f"{self.name} cannot be read: {why}") from None

    def _refused(self, error: urllib.error.HTTPError) -> ConnectorError:
        said = f"{self.name} answers with status {error.code}"
        if error.code == 401:
            return ConnectorError("unauthenticated", f"{said}: its URL is not the secret one, or not any more")
        if error.code == 403:
            return ConnectorError("permission_denied", f"{said}: its owner does not share it")
        if error.code in (404, 410):
            return ConnectorError("not_found", f"{said}: its URL has changed, or it is not shared any more", attribute="url")
        if error.code == 429:
            return ConnectorError("rate_limited", said, retry_after=_seconds(error.headers.get("Retry-After", "")))
        if error.code >= 500:
            return ConnectorError("unavailable", said)
        return ConnectorError("invalid_request", said)


class FileFeed:
    """A calendar in a file."""

    def __init__(self, path: str) -> None:
        if not os.path.isabs(path) or "\0" in path:
            raise ConnectorError("invalid_config", "path must be absolute: it is looked up where the job runs", attribute="path")
        self._path = path
        self.name = f"the calendar {path}"

    def fetch(self, call: Call) -> bytes:
        """Returns the whole calendar, or fails."""
        call.check()
        try:
            with open(self._path, "rb", opener=lambda path, flags: os.open(path, flags | os.O_NONBLOCK)) as file:
                if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                    raise IsADirectoryError
                data = file.read(MAX_SIZE + 1)
        except FileNotFoundError:
            raise ConnectorError("not_found", f"{self.name} does not exist", attribute="path") from None
        except PermissionError:
            raise ConnectorError("permission_denied", f"this user may not read {self.name[4:]}", attribute="path") from None
        except IsADirectoryError:
            raise ConnectorError("invalid_config", f"{self.name} is no file", attribute="path") from None
        except OSError as error:
            raise ConnectorError("unavailable", f"{self.name} cannot be read: {error.strerror}", attribute="path") from None
        if len(data) > MAX_SIZE:
            raise ConnectorError("invalid_config", f"{self.name} is of more than {MAX_SIZE >> 20} MiB", attribute="path")
        return data


def _seconds(retry_after: str) -> float | None:
    """Returns how long to wait by a Retry-After header, which holds seconds or a date."""
    if retry_after.isascii() and retry_after.isdigit():
        return float(retry_after[:9])
    with contextlib.suppress(ValueError, TypeError):
        return max(0.0, email.utils.parsedate_to_datetime(retry_after).timestamp() - time.time())
    return None


class _Http(urllib.request.HTTPHandler):
    """Opens connections that break when the call ends, and counts requests."""

    def __init__(self, call: Call) -> None:
        super().__init__()
        self._call = call

    def http_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(functools.partial(_Connection, self._call), req)  # type: ignore[arg-type]


class _Https(urllib.request.HTTPSHandler):
    """Is _Http with TLS."""

    def __init__(self, call: Call) -> None:
        super().__init__()
        self._call = call

    def https_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(functools.partial(_TlsConnection, self._call), req)  # type: ignore[arg-type]


class _Connection(http.client.HTTPConnection):
    def __init__(self, call: Call, host: str, **options: Any) -> None:
        super().__init__(host, **options)
        self._call = call

    def connect(self) -> None:
        self._call.check()
        super().connect()
        self._call.requests += 1
        connected: socket.socket = self.sock

        def shut_down() -> None:
            with contextlib.suppress(OSError):
                socket.socket.shutdown(connected, socket.SHUT_RDWR)  # beneath TLS, which would wait for the other side

        self._call.on_end(shut_down)


class _TlsConnection(_Connection, http.client.HTTPSConnection):
    pass
