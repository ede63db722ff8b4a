#!/usr/bin/env python3
"""Golden frames between Confluent's own Python client and the serdes of schemas/.

    pip install -r ops/golden/requirements.txt
    python ops/golden/schemas_frames.py generate schemas/src/test/resources/golden/frames-confluent.json
    python ops/golden/schemas_frames.py verify   schemas/src/test/resources/golden/frames-millrace.json

generate   Confluent's client writes sample records, schema id in the prefix and GUID in the header; GoldenFramesTest reads them.
verify     Confluent's client reads the frames that GoldenFramesTest holds our serializer to, and writes into the file that it did.

Both talk to a small registry in this process, over HTTP. Ids and GUIDs are fixed, so that a second run writes the same file.
"""

import base64
import importlib.metadata
import json
import pathlib
import platform
import struct
import sys
import threading
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote, urlsplit

from confluent_kafka.schema_registry import SchemaRegistryClient, header_schema_id_serializer
from confluent_kafka.schema_registry.avro import AvroDeserializer, AvroSerializer
from confluent_kafka.serialization import MessageField, SerializationContext

SCHEMAS = pathlib.Path(__file__).parents[2] / "schemas/src/test/resources/released/v0.1"
FIRST_ID = 100_001  # three of the prefix's four bytes are used
GUID_NAMESPACE = uuid.UUID("6d696c6c-7261-6365-0000-000000000000")

# A producer that was written against a part of the schema only.
PARTIAL = {
    "type": "record", "name": "PromptRequest", "namespace": "io.millrace.schemas",
    "fields": [
        {"name": "tenant", "type": "string"},
        {"name": "shard", "type": {"type": "array", "items": ["null", "long"]}},
        {"name": "prompt", "type": "string"},
        {"name": "max_tokens", "type": "int"},
        {"name": "temperature", "type": "float"},
    ],
}

TIME_MS = 1764000000123
SOURCE = {"topic": "millrace.prompts", "partition": 3, "offset": 2**63 - 1, "timestamp": TIME_MS}
USAGE = {"prompt_tokens": 31, "cached_prompt_tokens": 16, "completion_tokens": 2}
TIMINGS = {"queue_ms": 1.5, "prefill_ms": 20.25, "decode_ms": 30.0, "time_to_first_token_ms": 21.75, "total_ms": 51.75}

# (schema's file name or schema, record)
SAMPLES = [
    ("PromptRequest", {"prompt": "Say hello."}),
    ("PromptRequest", {
        "request_id": "r-1", "model": "smollm2-135m-instruct", "operation": "rerank",
        "prompt": "line 1\nline \"2\"\t\0\x1f Grüße, 世界 👋",
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "parts": [
                {"media_type": "text/plain", "text": "What is this?"},
                {"media_type": "image/png", "data": bytes([0, 255, 127, 128, 10])}]},
        ],
        "prompt_token_ids": [1, 49151, 0], "documents": ["a", "", "c"],
        "max_tokens": 16, "min_tokens": 1, "ignore_eos": True, "temperature": 0.7, "top_p": 0.95, "top_k": 40,
        "min_p": 0.05, "repetition_penalty": 1.1, "stop": ["\n\n", "END"], "seed": -(2**63), "logprobs": 5,
        "response_format": {"type": "json_schema", "json_schema": "{\"type\":\"object\"}"},
        "priority": -3, "deadline": TIME_MS, "tenant": "acme", "job_id": "job-7",
        "metadata": {"ticket": "T-1", "zero": ""}}),
    (PARTIAL, {"tenant": "acme", "shard": [1, None, 2], "prompt": "Say hello.", "max_tokens": 7, "temperature": 0.5}),
    ("InferenceResult", {
        "request_id": "r-1", "model": "smollm2-135m-instruct", "model_version": "1", "model_digest": "sha256:b179c952",
        "operation": "chat", "text": "Hello.", "embedding": [0.5, -1.5], "scores": [{"index": 1, "label": "billing", "score": 0.75}],
        "logprobs": [{"token_id": 7, "logprob": -0.25, "top": [{"token_id": 7, "logprob": -0.25}, {"token_id": 9, "logprob": -3.5}]}],
        "finish_reason": "stop", "usage": USAGE, "timings": TIMINGS, "source": SOURCE,
        "tenant": "acme", "job_id": "job-7", "metadata": {"ticket": "T-1"}}),
    ("InferenceFailure", {
        "request_id": "millrace.prompts-3-42", "model": "gpt-17", "code": "MODEL_NOT_FOUND",
        "message": "model=\"gpt-17\", expected=one of smollm2-135m-instruct", "retriable": False, "partial_text": "Hel",
        "usage": USAGE, "failed_at": TIME_MS, "source": SOURCE, "tenant": "acme", "job_id": "job-7", "metadata": {}}),
    ("InferenceMetrics", {
        "request_id": "r-1", "model": "smollm2-135m-instruct", "instance": "host-1", "outcome": "length", "usage": USAGE,
        "timings": TIMINGS, "steps": 257, "batch_size_mean": 17.5, "batch_tokens_mean": 93.25, "preemptions": 1,
        "recoveries": 2, "completed_at": TIME_MS, "source": SOURCE, "tenant": "acme", "job_id": "job-7"}),
    ("EngineInterval", {
        "instance": "host-1", "model": "smollm2-135m-instruct", "started_at": TIME_MS, "duration_ms": 1000, "steps": 20,
        "prompt_tokens": 4096, "generation_tokens": 640, "batch_size_mean": 32.0, "batch_tokens_mean": 236.8,
        "busy_fraction": 0.99, "requests_running": 32, "requests_waiting": 5, "requests_pending": 100,
        "kv_cache_usage_perc": 0.875, "preemptions": 0}),
    ("ControlCommand", {
        "command_id": "c-1", "action": "CANCEL", "scope": "JOB", "target": "job-7", "reason": "wrong file", "issued_at": TIME_MS}),
]


class Registry:
    """Confluent's REST interface, as far as the client uses it."""

    def __init__(self):
        self.schemas = []  # of id FIRST_ID + index
        registry = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                kind, name = urlsplit(self.path).path.strip("/").split("/")[1:3]
                self.answer(registry.find(kind, name))

            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                subject = unquote(urlsplit(self.path).path.strip("/").split("/")[1])
                self.answer({**registry.register(body["schema"]), "subject": subject, "version": 1})

            def answer(self, body):
                status = 404 if body is None else 200
                text = json.dumps(body or {"error_code": 40403, "message": "Schema not found"}).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/vnd.schemaregistry.v1+json")
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server.server_port}"

    def register(self, schema):
        if schema not in self.schemas:
            self.schemas.append(schema)
        return self.described(self.schemas.index(schema))

    def find(self, kind, name):
        for index in range(len(self.schemas)):
            described = self.described(index)
            if name == (str(described["id"]) if kind == "ids" else described["guid"]):
                return described
        return None

    def described(self, index):
        schema = self.schemas[index]
        return {"id": FIRST_ID + index, "guid": str(uuid.uuid5(GUID_NAMESPACE, schema)), "schema": schema}

    def contents(self):
        described = [self.described(index) for index in range(len(self.schemas))]
        return [{**each, "schema": json.loads(each["schema"])} for each in described]


def schema_text(schema):
    if isinstance(schema, str):
        return json.dumps(json.loads((SCHEMAS / f"{schema}.avsc").read_text()))
    return json.dumps(schema)


def as_json(value):
    """A record as Millrace writes it in JSON."""
    if isinstance(value, dict):
        return {key: as_json(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [as_json(item) for item in value]
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if hasattr(value, "timestamp"):
        return round(value.timestamp() * 1000)
    return value


def same(read, expected):
    """Equality; a 32-bit float equals the decimal that was written for it, infinities are strings in JSON."""
    if isinstance(read, dict) and isinstance(expected, dict):
        return read.keys() == expected.keys() and all(same(read[key], expected[key]) for key in read)
    if isinstance(read, list) and isinstance(expected, list):
        return len(read) == len(expected) and all(map(same, read, expected))
    if isinstance(read, float):
        return read == float(expected) or struct.pack("<f", read) == struct.pack("<f", float(expected))
    return read == expected


def versions():
    packages = ["confluent-kafka", "fastavro"]
    named = [f"{package} {importlib.metadata.version(package)}" for package in packages]
    return ", ".join(named + [f"Python {platform.python_version()}"])


def generate(path):
    registry = Registry()
    client = SchemaRegistryClient({"url": registry.url})
    frames = []
    for schema, record in SAMPLES:
        text = schema_text(schema)
        for form, conf in {"prefix": {}, "header": {"schema.id.serializer": header_schema_id_serializer}}.items():
            headers = []
            context = SerializationContext("frames", MessageField.VALUE, headers)
            # a subject per schema: the client caches ids by subject
            conf = {**conf, "subject.name.strategy": lambda _context, name, text=text: f"{name}-{hash(text)}"}
            value = AvroSerializer(client, text, conf=conf)(record, context)
            frames.append({
                "record": json.loads(text)["name"], "form": form,
                "headers": {name: content.hex() for name, content in headers},
                "value": value.hex(), "json": as_json({k: v for k, v in record.items() if k != "shard"}),
            })
    path.write_text(dumps({"made_by": versions(), "registry": registry.contents(), "frames": frames}))
    print(f"{len(frames)} frames")


def verify(path):
    golden = json.loads(path.read_text())
    registry = Registry()
    client = SchemaRegistryClient({"url": registry.url})
    for known in golden["registry"]:
        assert registry.register(json.dumps(known["schema"]))["id"] == known["id"]
    for frame in golden["frames"]:
        value = bytes.fromhex(frame["value"])
        # without a reader schema the client shows what the writer wrote
        context = SerializationContext("frames", MessageField.VALUE, [])
        read = as_json(AvroDeserializer(client)(value, context))
        if not same(read, frame["json"]):
            sys.exit(f"{frame['record']}: read\n{read}\nexpected\n{frame['json']}")
    golden["read_by"] = versions() + f": {len(golden['frames'])} frames, each as its json says"
    path.write_text(dumps(golden))
    print(golden["read_by"])


def dumps(golden):
    """One schema and one frame a line."""

    def lines(entries):
        return "[\n" + ",\n".join(json.dumps(entry, ensure_ascii=False) for entry in entries) + "\n]"

    parts = [f'"{key}": {lines(value) if isinstance(value, list) else json.dumps(value)}' for key, value in golden.items()]
    return "{" + ", ".join(parts) + "}\n"


if __name__ == "__main__":
    if len(sys.argv) != 3 or sys.argv[1] not in ("generate", "verify"):
        sys.exit(__doc__)
    {"generate": generate, "verify": verify}[sys.argv[1]](pathlib.Path(sys.argv[2]))
