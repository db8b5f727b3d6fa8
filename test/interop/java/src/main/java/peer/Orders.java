package peer;

import io.grpc.Context;
import io.grpc.Status;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import order.OrderOuterClass.AddOrderResponse;
import order.OrderOuterClass.CombinedShipment;
import order.OrderOuterClass.GetOrderRequest;
import order.OrderOuterClass.Order;
import order.OrderOuterClass.ProcessOrdersRequest;
import order.OrderOuterClass.SearchOrdersRequest;
import order.OrderOuterClass.UpdateOrdersResponse;
import order.OrderServiceGrpc;

/** The sample service. Its unary handlers hold their thread for the delay before they answer. */
final class Orders extends OrderServiceGrpc.OrderServiceImplBase {
  volatile Duration delay = Duration.ZERO;
  /** Deaf handlers do not look at their context: they answer late. */
  volatile boolean deaf;

  @Override
  public void getOrder(GetOrderRequest in, StreamObserver<Order> out) {
    if (!waited()) return;
    if (in.getId().equals("missing")) {
      out.onError(Status.NOT_FOUND.withDescription("no such order").asRuntimeException());
      return;
    }
    Order.Builder order = Order.newBuilder().setId(in.getId()).addItems("laptop").setPrice(100).setDestination("Oslo");
    answer(out, order.build());
  }

  @Override
  public void addOrder(Order in, StreamObserver<AddOrderResponse> out) {
    if (waited()) answer(out, AddOrderResponse.newBuilder().setId(in.getId()).build());
  }

  /** Answers once; a search for "everything" stays open until the caller ends it. */
  @Override
  public void searchOrders(SearchOrdersRequest in, StreamObserver<Order> out) {
    if (in.getItem().equals("everything")) {
      ((ServerCallStreamObserver<Order>) out).setOnCancelHandler(() -> {});
    }
    out.onNext(Order.newBuilder().setId("order-1").addItems(in.getItem()).build());
    if (!in.getItem().equals("everything")) out.onCompleted();
  }

  @Override
  public StreamObserver<Order> updateOrders(StreamObserver<UpdateOrdersResponse> out) {
    return new Incoming<>(out) {
      private int updated;

      @Override
      public void onNext(Order in) {
        updated++;
      }

      @Override
      public void onCompleted() {
        answer(out, UpdateOrdersResponse.newBuilder().setUpdated(updated).build());
      }
    };
  }

  @Override
  public StreamObserver<ProcessOrdersRequest> processOrders(StreamObserver<CombinedShipment> out) {
    return new Incoming<>(out) {
      @Override
      public void onNext(ProcessOrdersRequest in) {
        out.onNext(CombinedShipment.newBuilder().setId(in.getId()).setStatus("READY").build());
      }

      @Override
      public void onCompleted() {
        out.onCompleted();
      }
    };
  }

  /** A client's stream; one that breaks is broken off. */
  private abstract static class Incoming<T, R> implements StreamObserver<T> {
    final StreamObserver<R> out;

    Incoming(StreamObserver<R> out) {
      this.out = out;
      ((ServerCallStreamObserver<R>) out).setOnCancelHandler(() -> {});
    }

    @Override
    public void onError(Throwable thrown) {}
  }

  private static <T> void answer(StreamObserver<T> out, T message) {
    // Without this an answer to a caller that went away throws.
    if (((ServerCallStreamObserver<T>) out).isCancelled()) return;
    out.onNext(message);
    out.onCompleted();
  }

  /** False where the caller went away meanwhile: the handler then returns without an answer. */
  private boolean waited() {
    if (delay.isZero()) return true;
    CountDownLatch gone = new CountDownLatch(1);
    if (!deaf) Context.current().addListener(context -> gone.countDown(), Runnable::run);
    try {
      return !gone.await(delay.toNanos(), TimeUnit.NANOSECONDS);
    } catch (InterruptedException thrown) {
      return false;
    }
  }
}
