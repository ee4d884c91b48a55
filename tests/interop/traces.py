"""Reads spans as a collector of OpenTelemetry does, by the published protocol's own messages.

    traces.py <BODIES

Each line of input is the body of one OTLP request in hexadecimal. Prints one JSON list with the spans of all of
them; each has the attributes of its resource beside its own, and its ids in hexadecimal.
"""

import json
import sys

from opentelemetry.proto.collector.trace.v1 import trace_service_pb2
from opentelemetry.proto.trace.v1 import trace_pb2


def attributes(pairs):
    return {pair.key: getattr(pair.value, pair.value.WhichOneof("value")) for pair in pairs}


def spans(body):
    request = trace_service_pb2.ExportTraceServiceRequest.FromString(body)
    for resource in request.resource_spans:
        for scope in resource.scope_spans:
            for span in scope.spans:
                yield {
                    "name": span.name,
                    "kind": trace_pb2.Span.SpanKind.Name(span.kind),
                    "trace": span.trace_id.hex(),
                    "span": span.span_id.hex(),
                    "parent": span.parent_span_id.hex(),
                    "state": span.trace_state,
                    "nanos": span.end_time_unix_nano - span.start_time_unix_nano,
                    "ended": span.end_time_unix_nano,
                    "failed": span.status.code == trace_pb2.Status.STATUS_CODE_ERROR,
                    "attributes": attributes(span.attributes),
                    "resource": attributes(resource.resource.attributes),
                    "scope": scope.scope.name,
                    "more": len(span.events) + len(span.links),
                }


def main():
    read = [spans(bytes.fromhex(line.strip())) for line in sys.stdin if line.strip()]
    print(json.dumps([span for body in read for span in body]))


main()
