package peer;

import java.util.Arrays;
import java.util.List;

/**
 * The grpc-java side of the interop suite: the same program as ../go, with the same commands.
 *
 * <p>A server with switches for what a server really does wrong, and a client that storms it. Both read commands from
 * standard input, one a line, and answer each with one line of JSON on standard output; the first line says where they
 * listen. They end with their standard input.
 */
public final class Main {
  public static void main(String[] arguments) throws Exception {
    String role = arguments.length == 0 ? "" : arguments[0];
    List<String> flags = Arrays.asList(arguments).subList(Math.min(1, arguments.length), arguments.length);
    switch (role) {
      case "serve" -> Serve.run(Lines.flags(flags));
      case "call" -> Call.run(Lines.flags(flags));
      default -> Lines.fail("usage: peer serve|call [flags]");
    }
  }
}
