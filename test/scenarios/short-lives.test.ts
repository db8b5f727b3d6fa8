import type { ServerHttp2Session } from "node:http2";
import { describe, expect, it } from "vitest";
import { anAgent, type Stage, silent, toldLoudly } from "../interop/scene.ts";
import {
  answers,
  type FaultyServer,
  type Handler,
  SERVING,
  startFaultyServer,
} from "../support/faulty-server.ts";

const HEALTH = "/grpc.health.v1.Health";
/** RFC 9113 section 7. */
const ENHANCE_YOUR_CALM = 11;
const ANY_STREAM = 2 ** 31 - 1;
const PATIENCE = { timeout: 550_000 };

/** How a server treats its connections, and how old each is then. */
interface Habit {
  readonly afterMs: number;
  readonly end: (session: ServerHttp2Session, server: FaultyServer) => void;
}

const goaway = (afterMs: number, code: number, text = ""): Habit => ({
  afterMs,
  end(session) {
    session.goaway(code, ANY_STREAM, Buffer.from(text));
    setTimeout(() => session.close(), 50);
  },
});

/** All of the moment, which is mostly the one that the agent keeps. */
const reset: Habit = { afterMs: 3_000, end: (_session, server) => server.reset() };

const idle: Habit = {
  afterMs: 0,
  end(session) {
    session.setTimeout(5_000, () => session.close());
  },
};

describe.concurrent("a server that ends one connection after the other", () => {
  it.for<[string, Habit, object]>([
    ["with GOAWAY NO_ERROR after two seconds", goaway(2_000, 0), { goawayCode: 0 }],
    [
      "with GOAWAY ENHANCE_YOUR_CALM at once",
      goaway(0, ENHANCE_YOUR_CALM, "too_many_pings"),
      { goawayCode: ENHANCE_YOUR_CALM, cause: "keepalive" },
    ],
    ["with RST after three seconds", reset, { endedBy: "rst", cause: "unknown" }],
  ])("%s is named, and heals", PATIENCE, async ([_how, habit, evidence], stage) => {
    const { agent, server } = await startScene(stage, habit);
    const { active } = await agent.active(["connection-churn"]);
    expect(active).toMatchObject([{ target: "app", subject: {}, evidence }]);
    server.isEnding = false;
    await agent.active([]);
  });
});

describe.concurrent("is silent about a server that ends connections", () => {
  it.for<[string, Habit]>([
    ["which are idle", idle],
    ["which are ten seconds old, as it was told", goaway(10_000, 0, "max_age")],
  ])("%s", PATIENCE, async ([_which, habit], stage) => {
    const { agent } = await startScene(stage, habit);
    await silent(agent, 200);
    expect(toldLoudly(agent)).toEqual([]);
  });
});

const handlers: Readonly<Record<string, Handler>> = {
  [`${HEALTH}/Check`]: answers.messages(SERVING),
  [`${HEALTH}/Watch`]: answers.stall(SERVING),
};

/** A minute stands for five, and three ends for as many: the limits are for the tests of the detector. */
async function startScene(stage: Stage, { afterMs, end }: Habit) {
  const state = { isEnding: true };
  const server = await startFaultyServer({
    handlers,
    onSession: (session) => {
      const due = () => state.isEnding && !session.destroyed && end(session, server);
      setTimeout(due, afterMs);
    },
  });
  stage.onTestFinished(() => server.crash());
  const agent = await anAgent(
    stage,
    `
targets:
  - { name: app, address: "${server.address}" }
findings:
  connection-churn: { ends: 3, life: 20s, lasting: 1m, clearAfter: 60s }
`,
  );
  return { agent, server: state };
}
