package peer;

import com.google.gson.Gson;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.time.Duration;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Flags in, a line of JSON for each line of commands out. */
final class Lines {
  /** Performs one command; the map is what there is to say beside that it took effect. */
  interface Command {
    Map<String, ?> perform(String verb, List<String> words) throws Exception;
  }

  /** Hands each line of standard input to the command, says what came of it, and ends with the last. */
  static void obey(Command command) throws Exception {
    BufferedReader lines = new BufferedReader(new InputStreamReader(System.in));
    for (String line = lines.readLine(); line != null; line = lines.readLine()) {
      List<String> words = Arrays.asList(line.trim().split("\\s+"));
      try {
        say(command.perform(words.get(0), words.subList(1, words.size())));
      } catch (Exception thrown) {
        say(Map.of("error", String.valueOf(thrown.getMessage())));
      }
    }
    System.exit(0);
  }

  static synchronized void say(Map<String, ?> answer) {
    System.out.println(new Gson().toJson(answer));
  }

  static void fail(String text) {
    System.err.println("peer: " + text);
    System.exit(1);
  }

  /** {@code --name value} and {@code --name=value}, by name. */
  static Map<String, String> flags(List<String> words) {
    Map<String, String> flags = new HashMap<>();
    for (int i = 0; i < words.size(); i++) {
      String[] parts = words.get(i).substring(2).split("=", 2);
      flags.put(parts[0], parts.length == 2 ? parts[1] : words.get(++i));
    }
    return flags;
  }

  /** A duration as Go writes it: {@code 250ms}, {@code 2s}, {@code 1m}. */
  static Duration duration(String text) {
    String number = text.replaceAll("[a-z]+$", "");
    double value = Double.parseDouble(number);
    double unitMs =
        switch (text.substring(number.length())) {
          case "", "ms" -> 1;
          case "s" -> 1_000;
          case "m" -> 60_000;
          default -> throw new IllegalArgumentException("no duration: " + text);
        };
    return Duration.ofNanos(Math.round(value * unitMs * 1e6));
  }
}
