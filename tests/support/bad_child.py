"""A plugin process that misbehaves in the way its first argument says. Speaks the protocol by hand, without the SDK."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time

import grpc

from hostd.plugin.v1 import host_pb2 as pb

CONNECT = "/hostd.plugin.v1.Host/Connect"


def hello(**fields: object) -> pb.FromPlugin:
    """Return an honest Hello, changed by what is given."""
    component = pb.Component(
        kind="action", id="bad.act", effects="idempotent", options_schema=b'{"type": "object"}', stability="stable"
    )
    known: dict[str, object] = {
        "protocol_min": 1,
        "protocol_max": 1,
        "cookie": os.environ["HOSTD_PLUGIN_COOKIE"],
        "plugin": os.environ["HOSTD_PLUGIN_ID"],
        "components": [component],
        "pid": os.getpid(),
    }
    return pb.FromPlugin(hello=pb.Hello(**{**known, **fields}))  # type: ignore[arg-type]


class Stream:
    """The child's end, in plain threads."""

    def __init__(self) -> None:
        channel = grpc.insecure_channel(os.environ["HOSTD_PLUGIN_ADDRESS"])
        self._frames: list[bytes] = []
        self._filled = threading.Condition()
        call = channel.stream_stream(CONNECT, request_serializer=None, response_deserializer=pb.FromHost.FromString)
        self.answers = call(self._out())
        self.drains = False  # it says so to every attempt

    def _out(self):  # type: ignore[no-untyped-def]
        while True:
            with self._filled:
                while not self._frames:
                    self._filled.wait()
                frame = self._frames.pop(0)
            yield frame

    def send(self, frame: pb.FromPlugin | bytes) -> None:
        """Send a frame, or bytes that are none."""
        with self._filled:
            self._frames.append(frame if isinstance(frame, bytes) else frame.SerializeToString())
            self._filled.notify()

    def serve(self) -> None:
        """Answer what an honest child answers; attempts crash the process."""
        for frame in self.answers:
            kind = frame.WhichOneof("frame")
            if kind in ("provision", "ping"):
                self.send(pb.FromPlugin(call=frame.call, done=pb.Done()))
            elif kind == "start_attempt":
                self.attempt(frame.start_attempt)
            elif kind == "drain" or (kind == "recorded" and self.drains and "GOES" in os.environ):
                os._exit(0)

    def attempt(self, start: pb.StartAttempt) -> None:
        """Do what the options say."""
        if self.drains:
            fault = pb.Fault(reason="DRAINING", message="it is about to go", retryable=True)
            self.send(pb.FromPlugin(outcome=pb.Outcome(id=start.id, fault=fault)))
            return
        if b"die" in start.options:
            os.kill(os.getpid(), signal.SIGSEGV)
        if b"stay" not in start.options:
            self.send(pb.FromPlugin(outcome=pb.Outcome(id=start.id, output=b'{"done": true}')))


def main(mode: str) -> None:
    """Misbehave."""
    if mode == "exit":
        print("no good", flush=True)
        sys.exit(3)
    if mode == "silent":
        time.sleep(60)
    if mode == "flood":
        line = b"x" * 200 + b"\n"
        threading.Thread(target=lambda: [os.write(1, line) for _ in range(1_000_000)], daemon=True).start()
    if mode == "deaf":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    stream = Stream()
    first = {
        "other_plugin": lambda: hello(plugin="somebody"),
        "wrong_cookie": lambda: hello(cookie="guess"),
        "future": lambda: hello(protocol_min=7, protocol_max=9),
        "liar": lambda: hello(components=[pb.Component(kind="action", id="flow.wait", effects="none")]),
        "empty": lambda: hello(components=[]),
        "broken": lambda: hello(
            broken=pb.Fault(reason="PLUGIN_FAILED", message="ImportError: no module", traceback="tb")
        ),
        "no_hello": lambda: pb.FromPlugin(done=pb.Done()),
        "garbage": lambda: b"\xff\xff\xff\xff",
    }.get(mode, hello)()
    stream.send(first)
    try:
        next(stream.answers)
        misbehave(stream, mode)
        if mode == "mute":
            time.sleep(60)
        stream.serve()
    except grpc.RpcError as error:
        print(f"refused: {error.details()}", flush=True)  # type: ignore[attr-defined]
    if mode == "deaf":
        time.sleep(60)
    os._exit(4)


def misbehave(stream: Stream, mode: str) -> None:
    """Break the protocol after a good beginning."""
    if mode == "drains":
        stream.drains = "GOES" not in os.environ or not os.path.exists(os.environ["GOES"])
        if "GOES" in os.environ:
            open(os.environ["GOES"], "w").close()
    if mode == "garbage_later":
        stream.send(b"\xff\xff\xff\xff")
    if mode == "hello_twice":
        stream.send(hello())
    if mode == "stray":
        for number in range(2_000):
            outcome = pb.Outcome(id=pb.AttemptId(run_id="x", step="y", attempt=number), output=b"1")
            stream.send(pb.FromPlugin(outcome=outcome))
    if mode == "foreign":
        stream.send(pb.FromPlugin(call=1, emit=pb.Emit(instance="not-mine", events=[pb.Event(id="e")])))
        stream.send(pb.FromPlugin(call=2, host_call=pb.HostCall(method="secrets.get", arguments=b"{}")))


if __name__ == "__main__":
    main(sys.argv[1])
