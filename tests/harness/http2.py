"""An HTTP/2 client on one socket: python3-h2 builds the frames, the test decides which."""

import socket
from dataclasses import dataclass, field

import h2.config
import h2.connection
import h2.events


@dataclass
class Answer:
    headers: list = field(default_factory=list)  # of (name, value)
    informational: list = field(default_factory=list)
    body: bytes = b""
    trailers: list = field(default_factory=list)
    ended: bool = False
    reset: int | None = None  # the code of its RST_STREAM

    @property
    def status(self):
        return int(self.header(":status"))

    def header(self, name, default=None):
        return next((value for key, value in self.headers if key == name), default)


class Http2:
    """A conversation. Windows are given back as data comes, unless `greedy` is off."""

    def __init__(self, address, timeout=10.0, greedy=True, wrap=None, window=None):
        self.socket = socket.create_connection(address, timeout)
        if wrap:
            self.socket = wrap(self.socket)
        config = h2.config.H2Configuration(header_encoding="utf-8", validate_outbound_headers=False,
                                           normalize_outbound_headers=False)
        self.connection = h2.connection.H2Connection(config)
        self.connection.initiate_connection()
        if window is not None:
            self.connection.update_settings({4: window})
        self.greedy = greedy
        self.answers = {}
        self.settings = {}
        self.goaway = None  # its error code
        self.last_stream = None  # and the last stream that it says was looked at
        self.closed = False
        self.input = b""
        self.authority = "%s:%s" % address[:2]
        self.flush()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def flush(self):
        data = self.connection.data_to_send()
        if data:
            self.socket.sendall(data)

    def raw(self, data):
        self.socket.sendall(data)

    def frame(self, kind, flags=0, stream=0, payload=b""):
        """Bytes of a frame, right or wrong."""
        self.raw(len(payload).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + payload)

    def request(self, path="/", method="GET", headers=(), body=None, end=True, authority=None):
        """Sends a request; body None: none. Its stream's number."""
        stream = self.connection.get_next_available_stream_id()
        fields = [(":method", method), (":scheme", "http"), (":path", path),
                  (":authority", authority or self.authority), *headers]
        self.answers[stream] = Answer()
        self.connection.send_headers(stream, fields, end_stream=body is None and end)
        self.flush()
        if body is not None:
            self.send(stream, body, end)
        return stream

    def send(self, stream, body, end=True):
        view = memoryview(body)
        while len(view):
            most = min(self.connection.local_flow_control_window(stream),
                       self.connection.max_outbound_frame_size, len(view))
            if most == 0:
                self.receive()
                continue
            self.connection.send_data(stream, bytes(view[:most]))
            view = view[most:]
            self.flush()
        if end:
            self.connection.end_stream(stream)
            self.flush()

    def receive(self):
        """Handles what comes next. False: the connection has ended."""
        try:
            data = self.socket.recv(65536)
        except ConnectionResetError:
            data = b""
        if not data:
            self.closed = True
            return False
        self.input += data
        for event in self.connection.receive_data(self.take_frames()):
            self.handle(event)
        self.flush()
        return True

    def take_frames(self):
        """Complete frames, without GOAWAY: behind that one python3-h2 takes no answer any more."""
        taken = b""
        while len(self.input) >= 9 and len(self.input) >= 9 + int.from_bytes(self.input[:3], "big"):
            size = 9 + int.from_bytes(self.input[:3], "big")
            frame, self.input = self.input[:size], self.input[size:]
            if frame[3] == 7:
                self.last_stream = int.from_bytes(frame[9:13], "big")
                self.goaway = int.from_bytes(frame[13:17], "big")
            else:
                taken += frame
        return taken

    def handle(self, event):
        answer = self.answers.get(getattr(event, "stream_id", None))
        if isinstance(event, h2.events.RemoteSettingsChanged):
            self.settings.update({int(k): v.new_value for k, v in event.changed_settings.items()})
        elif answer is None:
            return
        elif isinstance(event, h2.events.InformationalResponseReceived):
            answer.informational.append(list(event.headers))
        elif isinstance(event, h2.events.ResponseReceived):
            answer.headers = list(event.headers)
        elif isinstance(event, h2.events.TrailersReceived):
            answer.trailers = list(event.headers)
        elif isinstance(event, h2.events.DataReceived):
            answer.body += event.data
            if self.greedy and event.flow_controlled_length:
                self.connection.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
        elif isinstance(event, h2.events.StreamEnded):
            answer.ended = True
        elif isinstance(event, h2.events.StreamReset):
            answer.reset = int(event.error_code)

    def until(self, condition):
        while not condition():
            if not self.receive():
                assert condition(), "the connection ended before that"
                return

    def answer(self, stream):
        """Waits for the whole answer."""
        answer = self.answers[stream]
        self.until(lambda: answer.ended or answer.reset is not None)
        return answer

    def get(self, path="/", **more):
        return self.answer(self.request(path, **more))

    def wait_end(self):
        """Reads on until the server has closed."""
        while self.receive():
            pass
