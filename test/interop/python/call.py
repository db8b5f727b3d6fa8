import argparse
import collections
import threading
import time

import grpc
import order_pb2
import order_pb2_grpc

from lines import obey, say, seconds

IDLE_SECONDS = 0.05


def dial(target, options=()):
    """A channel with a connection of its own; plaintext, as the callers of the suite are."""
    return grpc.insecure_channel(target, options=[("grpc.use_local_subchannel_pool", 1), *options])


class Caller:
    """Sends unary calls at a rate, each with a deadline, and may hold streams open."""

    def __init__(self, flags):
        # A connection each; calls go over the first, streams are held on all.
        self.stubs = [
            order_pb2_grpc.OrderServiceStub(dial(flags.target)) for _ in range(flags.connections)
        ]
        self.rate = flags.rate
        self.deadline_seconds = flags.deadline
        # Cancels each call after this, though its deadline is later; 0 = never.
        self.patience_seconds = 0.0
        self.results = collections.Counter()
        self.held = []

    def run(self):
        while True:
            time.sleep(1 / self.rate if self.rate > 0 else IDLE_SECONDS)
            if self.rate > 0:
                self.once()

    def once(self):
        request = order_pb2.GetOrderRequest(id="order-1")
        sent = self.stubs[0].GetOrder.future(request, timeout=self.deadline_seconds)
        sent.add_done_callback(self.count)
        if self.patience_seconds > 0:
            threading.Timer(self.patience_seconds, sent.cancel).start()

    def count(self, sent):
        self.results[sent.code().name] += 1

    def hold(self, count):
        """Ends the streams that are held, and opens as many anew on each connection; 0 = none."""
        for stream in self.held:
            stream.cancel()
        everything = order_pb2.SearchOrdersRequest(item="everything")
        self.held = [stub.SearchOrders(everything) for stub in self.stubs for _ in range(count)]

    def command(self, verb, words):
        if verb == "rate":
            self.rate = float(words[0])
        elif verb == "deadline":
            self.deadline_seconds = seconds(words[0])
        elif verb == "patience":
            self.patience_seconds = seconds(words[0])
        elif verb == "hold":
            self.hold(int(words[0]))
        elif verb == "stats":
            return {"results": dict(self.results)}
        else:
            raise ValueError(f"unknown command {verb}")
        return {}


def call(words):
    parser = argparse.ArgumentParser()
    parser.add_argument("--target", required=True)
    parser.add_argument("--rate", type=float, default=20)
    parser.add_argument("--connections", type=int, default=1)
    parser.add_argument("--deadline", type=seconds, default=1)
    flags = parser.parse_args(words)
    caller = Caller(flags)
    threading.Thread(target=caller.run, daemon=True).start()
    say({"calling": flags.target})
    obey(caller.command)
