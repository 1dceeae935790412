"""A collector's double: takes OTLP/HTTP messages in JSON, checks each against the published protobuf schema, and keeps the spans."""

import http.server
import json
import threading

from google.protobuf import json_format
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

SERVER, CLIENT = 2, 3


class Collector:
    """Listens on loopback until `stop`. `status` is what the next messages get."""

    def __init__(self, port: int):
        self.spans: list[dict] = []
        self.faults: list[str] = []
        self.status = 200
        self.refused = 0
        collector = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                collector.take(self.path, self.headers["Content-Type"], body)
                self.send_response(collector.status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"{}")

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.url = f"http://127.0.0.1:{port}/v1/traces"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def take(self, path: str, content_type: str, body: bytes) -> None:
        try:
            assert (path, content_type) == ("/v1/traces", "application/json"), (path, content_type)
            message = json.loads(body)
            # Fields, types and enums; ids are hexadecimal in OTLP and base64 in protobuf's own JSON, which takes the digits too.
            json_format.ParseDict(message, ExportTraceServiceRequest())
            if self.status != 200:
                self.refused += 1
                return
            for resource in message["resourceSpans"]:
                attributes = Collector.attributes(resource["resource"])
                for scope in resource["scopeSpans"]:
                    for span in scope["spans"]:
                        self.spans.append({**span, "service": attributes["service.name"], "attributes": Collector.attributes(span)})
        except Exception as fault:  # Shown by the test: the handler's thread has nobody to tell.
            self.faults.append(repr(fault))

    @staticmethod
    def attributes(owner: dict) -> dict:
        return {item["key"]: next(iter(item["value"].values())) for item in owner["attributes"]}

    def of_trace(self, trace: str) -> list[dict]:
        return [span for span in list(self.spans) if span["traceId"] == trace]

    def stop(self) -> None:
        self.server.shutdown()
        self.server.server_close()
