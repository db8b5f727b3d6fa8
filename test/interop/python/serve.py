import argparse
import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import grpc
import order_pb2
import order_pb2_grpc
from grpc_channelz.v1 import channelz
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection
from prometheus_client import CollectorRegistry, start_http_server
from py_grpc_prometheus.prometheus_server_interceptor import PromServerInterceptor

from call import dial
from lines import obey, say, seconds

# A handler holds a thread, a stream as long as it is open; idle ones are not started.
MOST_THREADS = 1_000
CONNECTION_GRACE_MS = 5_000
LONGEST_STOP_SECONDS = 60
UPSTREAM_SECONDS = 0.5


class Orders(order_pb2_grpc.OrderServiceServicer):
    """The sample service. Its unary handlers hold their thread for the delay before they answer."""

    def __init__(self):
        self.delay_seconds = 0.0
        # Deaf handlers do not look at their context: they answer late.
        self.is_deaf = False

    def _wait(self, context):
        if self.is_deaf:
            time.sleep(self.delay_seconds)
        elif self.delay_seconds > 0:
            gone = threading.Event()
            context.add_callback(gone.set)
            gone.wait(self.delay_seconds)

    def GetOrder(self, request, context):
        self._wait(context)
        if request.id == "missing":
            context.abort(grpc.StatusCode.NOT_FOUND, "no such order")
        return order_pb2.Order(id=request.id, items=["laptop"], price=100, destination="Oslo")

    def AddOrder(self, request, context):
        self._wait(context)
        return order_pb2.AddOrderResponse(id=request.id)

    def SearchOrders(self, request, context):
        """Answers once; a search for "everything" stays open until the caller ends it."""
        yield order_pb2.Order(id="order-1", items=[request.item])
        if request.item == "everything":
            gone = threading.Event()
            if context.add_callback(gone.set):
                gone.wait()

    def UpdateOrders(self, request_iterator, context):
        return order_pb2.UpdateOrdersResponse(updated=sum(1 for _ in request_iterator))

    def ProcessOrders(self, request_iterator, context):
        for request in request_iterator:
            yield order_pb2.CombinedShipment(id=request.id, status="READY")


def serve(words):
    flags = parse(words)
    ready = {}
    interceptors = [measured(ready)] if flags.metrics == "true" else []
    server = grpc.server(
        ThreadPoolExecutor(MOST_THREADS), interceptors=interceptors, options=limits(flags)
    )
    orders = Orders()
    order_pb2_grpc.add_OrderServiceServicer_to_server(orders, server)
    checks = health.HealthServicer()
    checks.set("order.OrderService", health_pb2.HealthCheckResponse.SERVING)
    if flags.health == "true":
        health_pb2_grpc.add_HealthServicer_to_server(checks, server)
    if flags.channelz == "true":
        channelz.add_channelz_servicer(server)
    if flags.reflection == "true":
        names = ["order.OrderService", health.SERVICE_NAME, reflection.SERVICE_NAME]
        reflection.enable_server_reflection(names, server)
    if flags.calls:
        call_upstream(flags.calls, flags.policy)
    port = listen(server, flags)
    server.start()
    say({"address": f"{flags.listen.rsplit(':', 1)[0]}:{port}", "port": port, **ready})
    obey(lambda verb, rest: command(server, orders, checks, verb, rest))


def parse(words):
    parser = argparse.ArgumentParser()
    parser.add_argument("--listen", default="127.0.0.1:0")
    parser.add_argument("--max-streams", type=int, default=0)
    parser.add_argument("--max-age", type=seconds, default=0)
    parser.add_argument("--health", default="true")
    parser.add_argument("--channelz", default="true")
    parser.add_argument("--reflection", default="true")
    parser.add_argument("--metrics", default="false")
    parser.add_argument("--cert", default="")
    parser.add_argument("--key", default="")
    parser.add_argument("--client-ca", default="")
    parser.add_argument("--calls", default="")
    parser.add_argument("--policy", default="")
    return parser.parse_args(words)


def limits(flags):
    # A port that another holds is an error, as elsewhere.
    options = [("grpc.so_reuseport", 0)]
    if flags.max_streams > 0:
        options.append(("grpc.max_concurrent_streams", flags.max_streams))
    if flags.max_age > 0:
        options.append(("grpc.max_connection_age_ms", int(flags.max_age * 1_000)))
        options.append(("grpc.max_connection_age_grace_ms", CONNECTION_GRACE_MS))
    return options


def listen(server, flags):
    if not flags.cert:
        return server.add_insecure_port(flags.listen)
    pair = (contents(flags.key), contents(flags.cert))
    roots = contents(flags.client_ca) if flags.client_ca else None
    credentials = grpc.ssl_server_credentials([pair], roots, require_client_auth=roots is not None)
    return server.add_secure_port(flags.listen, credentials)


def contents(path):
    with open(path, "rb") as file:
        return file.read()


def measured(ready):
    """Serves the metrics of py-grpc-prometheus on a port of their own."""
    registry = CollectorRegistry()
    endpoint, _ = start_http_server(0, addr="127.0.0.1", registry=registry)
    ready["metrics"] = f"http://127.0.0.1:{endpoint.server_port}/metrics"
    return PromServerInterceptor(enable_handling_time_histogram=True, registry=registry)


def call_upstream(target, policy):
    """Makes the server a client too: two calls a second, results ignored. Empty: the default policy."""
    options = [("grpc.service_config", json.dumps({"loadBalancingConfig": [{policy: {}}]}))]
    stub = order_pb2_grpc.OrderServiceStub(dial(target, options if policy else []))

    def run():
        while True:
            time.sleep(UPSTREAM_SECONDS)
            stub.GetOrder.future(order_pb2.GetOrderRequest(id="order-1"), timeout=1)

    threading.Thread(target=run, daemon=True).start()


def command(server, orders, checks, verb, words):
    if verb == "delay":
        orders.delay_seconds = seconds(words[0])
    elif verb == "deaf":
        orders.is_deaf = words[0] == "true"
    elif verb == "health":
        status = health_pb2.HealthCheckResponse.ServingStatus.Value(words[0])
        checks.set(words[1] if len(words) > 1 else "", status)
    elif verb == "graceful-stop":
        return stop_gracefully(server, checks)
    elif verb == "stop":
        server.stop(None).wait()
    else:
        raise ValueError(f"unknown command {verb}")
    return {}


def stop_gracefully(server, checks):
    checks.enter_graceful_shutdown()
    begin = time.monotonic()
    server.stop(LONGEST_STOP_SECONDS).wait()
    return {"ms": round((time.monotonic() - begin) * 1_000)}
