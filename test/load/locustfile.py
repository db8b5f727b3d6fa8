"""
Load on the sample order service, each customer twenty calls a second:

    pip install locust grpcio grpcio-tools
    PYTHONPATH=src/proto locust -f test/load/locustfile.py --headless --users 50 --spawn-rate 10 --run-time 60s --host localhost:50051

The last line is what it came to, as JSON: latencies in ms, errors as a share.
"""

import json
import time

import grpc
import grpc.experimental.gevent
from locust import User, constant_throughput, events, task

grpc.experimental.gevent.init_gevent()
messages, services = grpc.protos_and_services("order/order.proto")


class Customer(User):
    wait_time = constant_throughput(20)

    def on_start(self):
        self.orders = services.OrderServiceStub(grpc.insecure_channel(self.host))

    @task
    def get_order(self):
        begin = time.perf_counter()
        failure = None
        try:
            self.orders.GetOrder(messages.GetOrderRequest(id="order-1"), timeout=1)
        except grpc.RpcError as error:
            failure = error
        events.request.fire(
            request_type="grpc",
            name="order.OrderService/GetOrder",
            response_time=(time.perf_counter() - begin) * 1000,
            response_length=0,
            exception=failure,
            context={},
        )


@events.quitting.add_listener
def tell(environment, **_):
    total = environment.stats.total
    latency = {f"p{share}": total.get_response_time_percentile(share / 100) for share in (50, 95, 99)}
    print(json.dumps({**latency, "errors": total.fail_ratio, "calls": total.num_requests}))
