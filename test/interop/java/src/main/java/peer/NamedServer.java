package peer;

import io.grpc.EquivalentAddressGroup;
import io.grpc.NameResolver;
import io.grpc.NameResolverProvider;
import io.grpc.NameResolverRegistry;
import io.grpc.Status;
import io.grpc.StatusOr;
import io.grpc.SynchronizationContext;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.util.ArrayList;
import java.util.Hashtable;
import java.util.List;
import java.util.concurrent.Executor;
import javax.naming.Context;
import javax.naming.NamingEnumeration;
import javax.naming.directory.InitialDirContext;

/**
 * Asks the name server that a target names, {@code dns://127.0.0.1:5353/orders.test:50051}: grpc-java's own resolver
 * takes the name from such a target, and asks the system. As that one, it asks at the start and when the channel wants
 * it to: a connection was lost.
 */
final class NamedServer extends NameResolver {
  private final URI target;
  private final Executor executor;
  private final SynchronizationContext turns;
  private Listener2 listener;

  private NamedServer(URI target, Args args) {
    this.target = target;
    this.executor = args.getOffloadExecutor() == null ? Runnable::run : args.getOffloadExecutor();
    this.turns = args.getSynchronizationContext();
  }

  static void register() {
    NameResolverRegistry.getDefaultRegistry().register(new Provider());
  }

  @Override
  public String getServiceAuthority() {
    return target.getPath().substring(1);
  }

  @Override
  public void start(Listener2 listener) {
    this.listener = listener;
    refresh();
  }

  @Override
  public void refresh() {
    executor.execute(
        () -> {
          ResolutionResult result = ResolutionResult.newBuilder().setAddressesOrError(ask()).build();
          turns.execute(() -> listener.onResult2(result));
        });
  }

  @Override
  public void shutdown() {}

  private StatusOr<List<EquivalentAddressGroup>> ask() {
    try {
      String[] name = getServiceAuthority().split(":");
      Hashtable<String, String> settings = new Hashtable<>();
      settings.put(Context.INITIAL_CONTEXT_FACTORY, "com.sun.jndi.dns.DnsContextFactory");
      settings.put(Context.PROVIDER_URL, "dns://" + target.getAuthority());
      NamingEnumeration<?> answers =
          new InitialDirContext(settings).getAttributes(name[0], new String[] {"A"}).get("A").getAll();
      List<EquivalentAddressGroup> addresses = new ArrayList<>();
      while (answers.hasMore()) {
        InetAddress address = InetAddress.getByName((String) answers.next());
        addresses.add(new EquivalentAddressGroup(new InetSocketAddress(address, Integer.parseInt(name[1]))));
      }
      return StatusOr.fromValue(addresses);
    } catch (Exception thrown) {
      return StatusOr.fromStatus(Status.UNAVAILABLE.withDescription("Unable to resolve host").withCause(thrown));
    }
  }

  /** Before grpc-java's own, whose priority is 5. */
  private static final class Provider extends NameResolverProvider {
    private static final int PRIORITY = 6;

    @Override
    public NameResolver newNameResolver(URI target, NameResolver.Args args) {
      boolean isOurs = target.getScheme().equals("dns") && target.getAuthority() != null;
      return isOurs ? new NamedServer(target, args) : null;
    }

    @Override
    public String getDefaultScheme() {
      return "dns";
    }

    @Override
    protected boolean isAvailable() {
      return true;
    }

    @Override
    protected int priority() {
      return PRIORITY;
    }
  }
}
