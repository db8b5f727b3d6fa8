package peer;

import com.google.common.util.concurrent.ListenableFuture;
import io.grpc.Context;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import io.grpc.stub.StreamObserver;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import order.OrderOuterClass.GetOrderRequest;
import order.OrderOuterClass.Order;
import order.OrderOuterClass.SearchOrdersRequest;
import order.OrderServiceGrpc;

/** Sends unary calls at a rate, each with a deadline, and may hold streams open. */
final class Call {
  private static final long IDLE_MS = 50;
  private static final long UPSTREAM_MS = 500;
  private static final GetOrderRequest REQUEST = GetOrderRequest.newBuilder().setId("order-1").build();

  private final ScheduledExecutorService timer = Executors.newScheduledThreadPool(1);
  private final Map<String, Integer> results = new ConcurrentHashMap<>();
  /** A connection each; calls go over the first, streams are held on all. */
  private final List<ManagedChannel> channels;
  private volatile double rate;
  private volatile Duration deadline;
  /** Cancels each call after this, though its deadline is later; 0 = never. */
  private volatile Duration patience = Duration.ZERO;
  private Context.CancellableContext held;

  private Call(Map<String, String> flags) {
    int connections = Integer.parseInt(flags.getOrDefault("connections", "1"));
    channels = Stream.generate(() -> dial(flags.get("target")).build()).limit(connections).toList();
    rate = Double.parseDouble(flags.getOrDefault("rate", "20"));
    deadline = Lines.duration(flags.getOrDefault("deadline", "1s"));
  }

  static void run(Map<String, String> flags) throws Exception {
    Call call = new Call(flags);
    call.next();
    Lines.say(Map.of("calling", flags.get("target")));
    Lines.obey(call::command);
  }

  private static NettyChannelBuilder dial(String target) {
    return NettyChannelBuilder.forTarget(target).usePlaintext();
  }

  /** Makes the server a client too: two calls a second, results ignored. */
  static void callUpstream(Map<String, String> flags) {
    NamedServer.register();
    NettyChannelBuilder builder = dial(flags.get("calls"));
    if (flags.containsKey("policy")) builder.defaultLoadBalancingPolicy(flags.get("policy"));
    OrderServiceGrpc.OrderServiceFutureStub client = OrderServiceGrpc.newFutureStub(builder.build());
    Runnable once = () -> client.withDeadlineAfter(Duration.ofSeconds(1)).getOrder(REQUEST);
    Executors.newScheduledThreadPool(1).scheduleAtFixedRate(once, UPSTREAM_MS, UPSTREAM_MS, TimeUnit.MILLISECONDS);
  }

  private void next() {
    long waitNanos = rate == 0 ? TimeUnit.MILLISECONDS.toNanos(IDLE_MS) : Math.round(1e9 / rate);
    timer.schedule(
        () -> {
          if (rate > 0) once();
          next();
        },
        waitNanos,
        TimeUnit.NANOSECONDS);
  }

  private void once() {
    ListenableFuture<Order> answer =
        OrderServiceGrpc.newFutureStub(channels.get(0)).withDeadlineAfter(deadline).getOrder(REQUEST);
    answer.addListener(() -> results.merge(codeOf(answer), 1, Integer::sum), Runnable::run);
    if (!patience.isZero()) {
      timer.schedule(() -> answer.cancel(true), patience.toNanos(), TimeUnit.NANOSECONDS);
    }
  }

  private static String codeOf(ListenableFuture<Order> answer) {
    try {
      answer.get();
      return "OK";
    } catch (CancellationException thrown) {
      return "CANCELLED";
    } catch (Exception thrown) {
      return Status.fromThrowable(thrown).getCode().name();
    }
  }

  private Map<String, ?> command(String verb, List<String> words) {
    switch (verb) {
      case "rate" -> rate = Double.parseDouble(words.get(0));
      case "deadline" -> deadline = Lines.duration(words.get(0));
      case "patience" -> patience = Lines.duration(words.get(0));
      case "hold" -> hold(Integer.parseInt(words.get(0)));
      case "stats" -> {
        return Map.of("results", results);
      }
      default -> throw new IllegalArgumentException("unknown command " + verb);
    }
    return Map.of();
  }

  /** Ends the streams that are held, and opens as many anew on each connection; 0 = none. */
  private void hold(int count) {
    if (held != null) held.cancel(null);
    held = Context.current().withCancellation();
    held.run(
        () -> {
          for (ManagedChannel channel : channels) {
            for (int i = 0; i < count; i++) watch(channel);
          }
        });
  }

  private static void watch(ManagedChannel channel) {
    SearchOrdersRequest everything = SearchOrdersRequest.newBuilder().setItem("everything").build();
    OrderServiceGrpc.newStub(channel)
        .searchOrders(
            everything,
            new StreamObserver<>() {
              @Override
              public void onNext(Order order) {}

              @Override
              public void onError(Throwable thrown) {}

              @Override
              public void onCompleted() {}
            });
  }
}
