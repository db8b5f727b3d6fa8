package peer;

import io.grpc.InsecureServerCredentials;
import io.grpc.Server;
import io.grpc.ServerCredentials;
import io.grpc.TlsServerCredentials;
import io.grpc.TlsServerCredentials.ClientAuth;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import io.grpc.netty.shaded.io.grpc.netty.NettyServerBuilder;
import io.grpc.opentelemetry.GrpcOpenTelemetry;
import io.grpc.protobuf.services.ChannelzService;
import io.grpc.protobuf.services.HealthStatusManager;
import io.grpc.protobuf.services.ProtoReflectionServiceV1;
import io.opentelemetry.exporter.prometheus.PrometheusHttpServer;
import io.opentelemetry.sdk.OpenTelemetrySdk;
import io.opentelemetry.sdk.metrics.SdkMeterProvider;
import java.io.File;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** The server: the sample service, and the services that an agent asks. */
final class Serve {
  private static final long CONNECTION_GRACE_SECONDS = 5;
  private static final int CHANNELZ_PAGE = 100;

  private final Orders orders = new Orders();
  private final HealthStatusManager health = new HealthStatusManager();
  private final Map<String, Object> ready = new HashMap<>();
  private Server server;

  static void run(Map<String, String> flags) throws Exception {
    new Serve().serve(flags);
  }

  private void serve(Map<String, String> flags) throws Exception {
    String[] listen = flags.getOrDefault("listen", "127.0.0.1:0").split(":");
    InetSocketAddress address = new InetSocketAddress(listen[0], Integer.parseInt(listen[1]));
    NettyServerBuilder builder = NettyServerBuilder.forAddress(address, credentials(flags));
    builder.addService(orders);
    limit(builder, flags);
    health.setStatus("order.OrderService", ServingStatus.SERVING);
    if (isOn(flags, "health", "true")) builder.addService(health.getHealthService());
    if (isOn(flags, "channelz", "true")) builder.addService(ChannelzService.newInstance(CHANNELZ_PAGE));
    if (isOn(flags, "reflection", "true")) builder.addService(ProtoReflectionServiceV1.newInstance());
    if (isOn(flags, "metrics", "false")) measure(builder);
    if (flags.containsKey("calls")) Call.callUpstream(flags);
    server = builder.build().start();
    ready.put("port", server.getPort());
    ready.put("address", listen[0] + ":" + server.getPort());
    Lines.say(ready);
    Lines.obey(this::command);
  }

  private static boolean isOn(Map<String, String> flags, String name, String otherwise) {
    return flags.getOrDefault(name, otherwise).equals("true");
  }

  private static ServerCredentials credentials(Map<String, String> flags) throws Exception {
    if (!flags.containsKey("cert")) return InsecureServerCredentials.create();
    TlsServerCredentials.Builder builder = TlsServerCredentials.newBuilder();
    builder.keyManager(new File(flags.get("cert")), new File(flags.get("key")));
    if (flags.containsKey("client-ca")) {
      builder.trustManager(new File(flags.get("client-ca"))).clientAuth(ClientAuth.REQUIRE);
    }
    return builder.build();
  }

  private static void limit(NettyServerBuilder builder, Map<String, String> flags) {
    int streams = Integer.parseInt(flags.getOrDefault("max-streams", "0"));
    if (streams > 0) builder.maxConcurrentCallsPerConnection(streams);
    long ageMs = Lines.duration(flags.getOrDefault("max-age", "0")).toMillis();
    if (ageMs > 0) {
      builder.maxConnectionAge(ageMs, TimeUnit.MILLISECONDS);
      builder.maxConnectionAgeGrace(CONNECTION_GRACE_SECONDS, TimeUnit.SECONDS);
    }
  }

  /** gRPC's own metrics, by OpenTelemetry's exporter, on a port of their own. */
  private void measure(NettyServerBuilder builder) throws Exception {
    int port = freePort(); // The exporter does not tell which one it took.
    PrometheusHttpServer exporter = PrometheusHttpServer.builder().setHost("127.0.0.1").setPort(port).build();
    SdkMeterProvider meters = SdkMeterProvider.builder().registerMetricReader(exporter).build();
    OpenTelemetrySdk sdk = OpenTelemetrySdk.builder().setMeterProvider(meters).build();
    GrpcOpenTelemetry.newBuilder().sdk(sdk).build().configureServerBuilder(builder);
    ready.put("metrics", "http://127.0.0.1:" + port + "/metrics");
  }

  private static int freePort() throws Exception {
    try (ServerSocket socket = new ServerSocket(0)) {
      return socket.getLocalPort();
    }
  }

  private Map<String, ?> command(String verb, List<String> words) throws Exception {
    switch (verb) {
      case "delay" -> orders.delay = Lines.duration(words.get(0));
      case "deaf" -> orders.deaf = Boolean.parseBoolean(words.get(0));
      case "health" -> health.setStatus(words.size() > 1 ? words.get(1) : "", ServingStatus.valueOf(words.get(0)));
      case "graceful-stop" -> {
        return stopGracefully();
      }
      case "stop" -> server.shutdownNow().awaitTermination();
      default -> throw new IllegalArgumentException("unknown command " + verb);
    }
    return Map.of();
  }

  private Map<String, ?> stopGracefully() throws Exception {
    health.enterTerminalState();
    long begin = System.nanoTime();
    server.shutdown().awaitTermination();
    return Map.of("ms", TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - begin));
  }
}
