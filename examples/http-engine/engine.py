#!/usr/bin/env python3
"""A small video switcher in Python's standard library, driven by Changeover's HTTP hooks.

It shows all that an engine of another language needs: five hooks, a lifeline, one lock, and the rule that a command's
identity (epoch, seq) counts once. Run: python3 engine.py --port 9101
"""

import argparse
import json
import threading
import time
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

MAX_BODY_BYTES = 64 * 1024 * 1024
MAX_KEPT_PATHS = 256
LIFELINE_SECONDS = 0.01  # half of what Changeover expects, so that a busy machine causes no false alarm
INSTANCE = uuid.uuid4().hex  # changes with every start: so Changeover sees that the state is lost


class Switcher:
    """The state, and what commands make of it. Nothing in it depends on the clock or on chance."""

    def __init__(self):
        self.lock = threading.Lock()
        self.state = {"program": "cam1", "preview": "cam2", "calls": {}, "epoch": 0, "seq": 0, "lastError": None}
        self.role = {"role": "follower", "epoch": 0}

    def execute(self, command):
        """Executes one command and returns its error or None. A command that was executed before changes nothing."""
        epoch, seq = command["epoch"], command["seq"]
        with self.lock:
            last = (self.state["epoch"], self.state["seq"])
            if (epoch, seq) == last:
                return self.state["lastError"]
            if (epoch, seq) < last:
                return None
            error = self.apply(command["kind"], command.get("payload"), seq)
            self.state.update(epoch=epoch, seq=seq, lastError=error)
            return error

    def apply(self, kind, payload, seq):
        if kind in ("POST /api/switch/cut", "POST /api/switch/preview"):
            source = payload.get("source") if isinstance(payload, dict) else None
            if not isinstance(source, str) or source == "":
                return "payload.source: must be a string of at least 1 character"
            if kind.endswith("/preview"):
                self.state["preview"] = source
            elif source != self.state["program"]:
                self.state["preview"], self.state["program"] = self.state["program"], source
            return None
        calls = self.state["calls"]
        if kind not in calls and len(calls) >= MAX_KEPT_PATHS:
            del calls[min(calls, key=lambda known: (calls[known]["seq"], known))]
        calls[kind] = {"payload": payload, "seq": seq}
        return None

    def snapshot(self):
        """The state as text: made under the lock, so that it is of one moment."""
        with self.lock:
            return json.dumps(self.state)

    def report(self):
        """How it is, made under the lock: while the switcher hangs, no report comes."""
        with self.lock:
            position = {"epoch": self.state["epoch"], "seq": self.state["seq"]}
            return {"status": "ok", "programSource": self.state["program"], "position": position, "instance": INSTANCE}

    def restore(self, state):
        """Takes a whole state over, or returns what is wrong with it and changes nothing."""
        shape = {"program": str, "preview": str, "calls": dict, "epoch": int, "seq": int}
        if not isinstance(state, dict):
            return "state: must be an object"
        for field, kind in shape.items():
            if not isinstance(state.get(field), kind):
                return f"state.{field}: must be {kind.__name__}"
        with self.lock:
            self.state = {"lastError": None, **state}
        return None


class Hooks(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # else each answer waits for the caller's acknowledgement
    switcher = None

    def do_GET(self):
        path = self.path.split("?")[0]
        if path == "/health":
            self.answer(200, self.switcher.report())
        elif path == "/lifeline":
            self.lifeline()
        elif path in ("/snapshot", "/api/switch/state"):
            self.answer_text(200, self.switcher.snapshot())
        elif path == "/role":
            self.answer(200, self.switcher.role)
        else:
            self.answer(404, {"error": f"nothing is known under {path}"})

    def do_POST(self):
        body = self.body()
        if body is None:
            return
        if self.path == "/execute":
            self.execute(body)
        elif self.path == "/restore":
            error = self.switcher.restore(body)
            self.answer(200 if error is None else 400, {"error": error})
        elif self.path == "/role":
            self.switcher.role = body
            self.answer(200, {})
        else:
            self.answer(404, {"error": f"nothing is known under {self.path}"})

    def execute(self, command):
        numbered = isinstance(command, dict) and all(isinstance(command.get(name), int) for name in ("epoch", "seq"))
        if not numbered or not isinstance(command.get("kind"), str):
            self.answer(400, {"error": "command: must have epoch, seq and kind"})
            return
        error = self.switcher.execute(command)
        source = self.switcher.state["program"]
        self.answer(200 if error is None else 422, {"error": error, "programSource": source})

    def lifeline(self):
        """Writes a report every few milliseconds, until the caller goes away."""
        self.close_connection = True
        self.send_response(200)
        self.send_header("Content-Type", "application/x-ndjson")
        self.send_header("Connection", "close")
        self.end_headers()
        try:
            while True:
                self.wfile.write(json.dumps(self.switcher.report()).encode() + b"\n")
                time.sleep(LIFELINE_SECONDS)
        except OSError:
            pass

    def body(self):
        """The request's JSON, or None after an error was answered."""
        length = int(self.headers.get("Content-Length") or 0)
        if length > MAX_BODY_BYTES:
            self.close_connection = True
            self.answer(413, {"error": f"body: {length} bytes, at most {MAX_BODY_BYTES}"})
            return None
        try:
            return json.loads(self.rfile.read(length))
        except ValueError:
            self.answer(400, {"error": "body: not JSON"})
            return None

    def answer(self, status, value):
        self.answer_text(status, json.dumps(value))

    def answer_text(self, status, text):
        data = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_):
        pass


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--port", type=int, default=9101, help="0 takes a free one")
    port = parser.parse_args().port
    Hooks.switcher = Switcher()
    ThreadingHTTPServer.daemon_threads = True
    server = ThreadingHTTPServer(("127.0.0.1", port), Hooks)
    print(f"listening on http://127.0.0.1:{server.server_port}", flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        server.server_close()


if __name__ == "__main__":
    main()
