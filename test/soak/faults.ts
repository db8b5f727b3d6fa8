import { seconds } from "../interop/scene.ts";
import { MAX_STREAMS, type World } from "./world.ts";

/** One thing that goes wrong, or only looks so, and what must be said of it. */
export interface Fault {
  readonly name: string;
  /** `code@target` that must be told, and alone is; absent: nothing is wrong, and nothing is told. */
  readonly told?: string;
  /**
   * Told besides where the machine is starved: the agent does not trust its own timing then, and the
   * consequence waits a minute at most for a cause that cannot be judged.
   */
  readonly meanwhile?: string;
  /** Names of lines at warning or above that are no findings. */
  readonly lines?: readonly string[];
  /** From breaking to the end of what it left behind, at most, on a machine that is not busy. */
  readonly takesSeconds: number;
  begin(world: World): Promise<void>;
  end(world: World): Promise<void>;
}

const nothing = async () => undefined;

const ON_APP: readonly Fault[] = [
  {
    name: "killed, back after 15 s",
    told: "connection-refused@app",
    takesSeconds: 90,
    begin: ({ app }) => app.kill(),
    end: ({ app }) => app.start(),
  },
  {
    name: "restarted as a rollout does",
    takesSeconds: 30,
    async begin({ app }) {
      await Promise.race([app.command("graceful-stop"), seconds(5)]);
      await app.kill();
      await app.start();
    },
    end: nothing,
  },
  {
    name: "callers past their deadlines",
    told: "deadline-storm@app",
    meanwhile: "probe-failing@app",
    takesSeconds: 200,
    begin: async ({ app }) => void (await app.command("delay 3s")),
    end: async ({ app }) => void (await app.command("delay 0s")),
  },
  {
    name: "crashed, back at once",
    takesSeconds: 30,
    async begin({ app }) {
      await app.kill();
      await app.start();
    },
    end: nothing,
  },
  {
    name: "streams held to the limit",
    told: "stream-exhaustion@app",
    takesSeconds: 150,
    begin: async ({ caller }) => void (await caller.command(`hold ${MAX_STREAMS}`)),
    end: async ({ caller }) => void (await caller.command("hold 0")),
  },
  {
    name: "connections with a maximum age",
    takesSeconds: 70,
    async begin({ app }) {
      await app.kill();
      await app.start("--max-age=10s");
      await seconds(40);
    },
    async end({ app }) {
      await app.kill();
      await app.start();
    },
  },
  {
    name: "slow handlers",
    told: "probe-slow@app",
    takesSeconds: 110,
    begin: async ({ app }) => void (await app.command("delay 400ms")),
    end: async ({ app }) => void (await app.command("delay 0s")),
  },
  {
    name: "health NOT_SERVING",
    told: "health-not-serving@app",
    takesSeconds: 110,
    begin: async ({ app }) => void (await app.command("health NOT_SERVING")),
    end: async ({ app }) => void (await app.command("health SERVING")),
  },
  {
    name: "a pause of a second and a half",
    takesSeconds: 30,
    async begin({ app }) {
      app.signal("SIGSTOP");
      await seconds(1.5);
      app.signal("SIGCONT");
    },
    end: nothing,
  },
  {
    name: "stopped in the middle",
    told: "app-frozen@app",
    meanwhile: "probe-failing@app",
    takesSeconds: 110,
    begin: async ({ app }) => app.signal("SIGSTOP"),
    end: async ({ app }) => app.signal("SIGCONT"),
  },
  {
    name: "health that flips",
    told: "health-flapping@app",
    takesSeconds: 240,
    async begin({ app }) {
      for (const status of ["NOT_SERVING", "SERVING", "NOT_SERVING", "SERVING"]) {
        await app.command(`health ${status}`);
        await seconds(8);
      }
    },
    end: nothing,
  },
];

const ON_PAYMENTS: readonly Fault[] = [
  certificate("a certificate of others", "other", "tls-san-mismatch@payments"),
  certificate("a renewed certificate", "renewed"),
  certificate("an expired certificate", "expired", "tls-cert-expired@payments"),
];

const ON_ORDERS: readonly Fault[] = [
  {
    name: "the name server fails",
    told: "dns-failing@orders",
    takesSeconds: 120,
    begin: async ({ upstream }) => upstream.fail(),
    end: async ({ upstream }) => upstream.heal(),
  },
  {
    name: "the name moves, connections stay",
    told: "dns-stale@orders",
    takesSeconds: 280,
    begin: ({ upstream }) => upstream.move(),
    end: ({ upstream }) => upstream.killOld(),
  },
  {
    name: "the name moves, the old one ends",
    // Where its answers came while the app had not yet noticed that the old address refuses.
    meanwhile: "dns-stale@orders",
    takesSeconds: 60,
    async begin({ upstream }) {
      await upstream.move();
      await seconds(2);
      await upstream.killOld();
    },
    end: nothing,
  },
];

const ON_AGENT: readonly Fault[] = [
  {
    name: "a configuration with a fault",
    told: "config-rejected@grpc-doctor",
    lines: ["grpc_doctor.config.rejected", "grpc_doctor.config.fault"],
    takesSeconds: 80,
    begin: async ({ agent, configuration }) => agent.configure(configuration({ every: "soon" })),
    end: async ({ agent, configuration }) => agent.configure(configuration()),
  },
  {
    name: "the collector goes away",
    lines: ["grpc_doctor.spans.dropped", "grpc_doctor.sink.failed"],
    takesSeconds: 70,
    async begin({ collector }) {
      await collector.kill();
      await seconds(30);
    },
    async end({ collector }) {
      await collector.start();
      // What was sent into the void is given up, and told, after the exporter's own 10 s and its 5 s between batches.
      await seconds(25);
    },
  },
  {
    name: "a probe that comes and goes",
    takesSeconds: 60,
    async begin({ agent, configuration }) {
      agent.configure(
        configuration({
          more: "  - { name: passing, target: app, method: grpc.health.v1.Health/Check, every: 2s }",
        }),
      );
      await seconds(20);
    },
    end: async ({ agent, configuration }) => agent.configure(configuration()),
  },
];

function certificate(name: string, served: Parameters<World["serve"]>[0], told?: string): Fault {
  return {
    name,
    takesSeconds: told === undefined ? 60 : 140,
    ...(told === undefined ? {} : { told }),
    begin: (world) => world.serve(served),
    end: (world) => (told === undefined ? nothing() : world.serve("right")),
  };
}

/** Faults of one lane come one after the other; the lanes go on at the same time. */
export const LANES: Readonly<Record<string, readonly Fault[]>> = {
  app: ON_APP,
  payments: ON_PAYMENTS,
  orders: ON_ORDERS,
  "grpc-doctor": ON_AGENT,
};
