"""Connections that say nothing, or half a sentence, don't keep others out.

uvicorn bounds the time between requests, but neither the time for a request's first bytes and headers, nor how many
connections there are: it takes them until the process has no file left, and then nobody comes in.
"""

import asyncio
import errno
import resource
import socket
from itertools import chain
from pathlib import Path

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from pointsman.errors import InputError

_TAKEN = 2
"""Connections that are taken in one turn of the event loop; those that are there are answered between."""
_READ = 65_536
"""Bytes that are read of a connection in one turn; asyncio reads four times as many."""
_QUEUE = 2048
"""Connections that may wait to be taken."""
_SPARE = 64
"""Files left for reloads, logs, and connections that are being closed."""


def room_for(crowd: int, files_each: int = 1) -> int:
    """How many of so many connections the process has files for; asks the system for as many as that takes first.

    Args:
        crowd: connections wanted, >= 1.
        files_each: files that one can need, >= 1.
    """
    soft, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    own = _open_files() + _SPARE
    wanted = own + files_each * crowd
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return crowd
    if most == resource.RLIM_INFINITY or most > soft:
        soft = wanted if most == resource.RLIM_INFINITY else min(wanted, most)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, most))
    return max(1, min(crowd, (soft - own) // files_each))


def _open_files() -> int:
    descriptors = Path("/proc/self/fd")
    return sum(1 for _ in descriptors.iterdir()) if descriptors.is_dir() else _SPARE


def bound(host: str, port: int) -> list[socket.socket]:
    """Sockets at all addresses of a host, where nobody else listens; they don't listen yet.

    Args:
        host: a name or an address, of IPv4 or IPv6; '': all.
        port: 0: any that is free.

    Raises:
        InputError: the host isn't this machine's, or the port is taken.
    """
    found: list[socket.socket] = []
    failure = ""
    try:
        places = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        for family, kind, protocol, _, address in dict.fromkeys(places):
            listening = socket.socket(family, kind, protocol)
            found.append(listening)
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                # IPv4 has a socket of its own
                listening.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            # at all of them one port, also where any is taken
            own = found[0].getsockname()[1] if len(found) > 1 else port
            try:
                listening.bind((address[0], own, *address[2:]))
            except OSError as error:
                # of a name with several addresses a machine may have some, such as IPv4 alone
                if error.errno != errno.EADDRNOTAVAIL:
                    raise
                failure = error.strerror or str(error)
                found.pop().close()
    except (OSError, UnicodeError) as error:
        failure = getattr(error, "strerror", None) or str(error)
        while found:
            found.pop().close()
    if not found:
        raise cannot_listen(host, port, failure)
    return found


def cannot_listen(host: str, port: int, why: str) -> InputError:
    """What a person is told whose server finds no place."""
    return InputError(f"can't listen at {url_of(host, port)}: {why} (--host, --port)")


def url_of(host: str, port: int) -> str:
    """Where clients find a server.

    >>> url_of("::1", 8080)
    'http://[::1]:8080'
    """
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


class FairServer(uvicorn.Server):
    """uvicorn's server; a crowd at the door doesn't keep it from those who are in."""

    def __init__(self, config: uvicorn.Config) -> None:
        # asyncio takes as many connections in a turn as it lets wait
        config.backlog = _TAKEN
        super().__init__(config)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listens; afterwards more may wait than are taken in a turn."""
        await super().startup(sockets)
        for server in self.servers:
            for listening in server.sockets:
                with listening.dup() as same:
                    same.listen(_QUEUE)


def bounded_protocol(header_seconds: float, crowd: int) -> type[H11Protocol]:
    """uvicorn's HTTP protocol, which hangs up on who takes too long to ask, and on the longest silent in a crowd.

    Who never finished a request goes before who rests between two.

    Args:
        header_seconds: for the first line and headers of a request, and for taking the end of an answer, > 0.
        crowd: connections at a time, >= 1.
    """
    # both in the order in which connections came into them
    late: dict[H11Protocol, None] = {}
    resting: dict[H11Protocol, None] = {}

    class Bounded(H11Protocol):
        _timer: asyncio.TimerHandle | None = None

        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            super().connection_made(transport)
            if hasattr(transport, "max_size"):
                transport.max_size = _READ
            if len(self.connections) > crowd:
                victim = next(chain(late, resting), self)
                for each in (late, resting):
                    each.pop(victim, None)
                victim.transport.abort()
            if not self.transport.is_closing():
                self._settle()

        def connection_lost(self, exc: Exception | None) -> None:
            self._leave()
            super().connection_lost(exc)

        def data_received(self, data: bytes) -> None:
            super().data_received(data)
            self._settle()

        def on_response_complete(self) -> None:
            super().on_response_complete()
            self._settle()

        def timeout_keep_alive_handler(self) -> None:
            super().timeout_keep_alive_handler()
            self._settle()

        def _settle(self) -> None:
            """Notes what is waited for, of those who owe something."""
            closing = self.transport.is_closing()
            if not closing and self.cycle is not None and not self.cycle.response_complete:
                self._leave()
            elif not closing and self.timeout_keep_alive_task is not None:
                self._leave()
                resting[self] = None
            elif self not in late:
                self._leave()
                late[self] = None
                self._timer = self.loop.call_later(header_seconds, self.transport.abort)

        def _leave(self) -> None:
            late.pop(self, None)
            resting.pop(self, None)
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None

    return Bounded
