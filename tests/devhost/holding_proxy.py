"""A TCP proxy that holds back answers of one kind."""

import contextlib
import socket
import threading


class HoldingProxy:
    """Forwards to a port of the loopback interface. An answer with `marker` sets `held`, and waits to be released.

    `polls` is how often messages of a queue were asked for.
    """

    def __init__(self, target_port, marker):
        self._target = target_port
        self._marker = marker
        self.held = threading.Event()
        self.polls = 0
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        self._passing = threading.Event()
        self._sockets = []
        threading.Thread(target=self._accept, daemon=True).start()

    def release(self):
        self._passing.set()

    def close(self):
        self.release()
        self._listening.close()
        for each in self._sockets:
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listening.accept()
                server = socket.create_connection(("127.0.0.1", self._target))
                self._sockets += [client, server]
                threading.Thread(target=self._pump, args=(client, server), daemon=True).start()
                threading.Thread(target=self._pump_back, args=(server, client), daemon=True).start()

    def _pump(self, source, sink):
        with contextlib.suppress(OSError):
            while data := source.recv(1 << 16):
                line, _, _ = data.partition(b"\r\n")
                self.polls += line.startswith(b"GET ") and b"/messages" in line
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)

    def _pump_back(self, source, sink):
        with contextlib.suppress(OSError):
            while data := source.recv(1 << 16):
                if self._marker in data:
                    self.held.set()
                    self._passing.wait()
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)
