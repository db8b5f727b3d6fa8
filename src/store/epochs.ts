import type { ServerTotals } from "../model/channelz.ts";
import type { KernelObservation } from "../model/observation.ts";
import { own } from "../model/own.ts";
import type { TargetState } from "../model/snapshot.ts";
import type { Role, Target } from "../model/target.ts";
import type { Instant } from "../model/time.ts";
import { provenProtocol, type XrayReport } from "../model/xray.ts";
import { type Input, type InputOf, keyOf } from "./fold.ts";

/** No finding opens for so long after the last sign of a drain. */
const GRACE_MS = 60_000;
/** What listens on for so long after a GOAWAY may be a proxy that was reloaded: a server closes its port first. */
const LISTENS_ON_MS = 5_000;
/** A drain ends after this, whatever shows of it; one that was told lasts as long. */
const LONGEST_DRAIN_MS = 600_000;
const MOST_SERVICES = 20;
/** A connection that a GOAWAY ends sooner was hardly used. */
const YOUNG_MS = 60_000;
/** So many of those in a row, without any other sign, are no stops: nobody deploys three times in three minutes. */
const MOST_STOPS = 2;
/** After so long without a GOAWAY the row is broken. */
const ROW_MS = 300_000;

/**
 * One life of the watched process, as far as it can be seen from outside: which epoch it is, whether it
 * was ever up, and whether it is going down on purpose. Plain JSON; `live` makes the next of it.
 */
export interface Life {
  /** Counts the lives that we saw; begins at 1. */
  readonly epoch: number;
  /** When this life showed itself first: listened, or answered a connect. */
  readonly epochSince: Instant;
  readonly everListened: boolean;
  /** False from a refusal (or the agent's start) until the port listens or a connect works. */
  readonly isUp: boolean;
  /** Of the LISTEN rows seen last; empty = none seen in this life. */
  readonly inodes: readonly number[];
  readonly hasRows: boolean;
  readonly server?: ServerTotals;
  /** The kept connection ended then, and none was opened since. */
  readonly lostAt?: Instant;
  /** Since when the kept connection that was opened last has been there. */
  readonly openedAt?: Instant;
  /** GOAWAYs in a row, up to now, that ended a young connection as a stop does. */
  readonly stops?: { readonly count: number; readonly lastAt: Instant };
  /** Whether each service declares itself fit. */
  readonly serving: Readonly<Record<string, boolean>>;
  readonly drain?: Draining;
}

interface Draining {
  readonly since: Instant;
  readonly isTold: boolean;
  /** Seen under way last: it listens no more, and clients are still connected. */
  readonly busyAt?: Instant;
}

/** The life of a target that was just registered: the agent's own start is an epoch too. */
export function firstLife(now: Instant): Life {
  return {
    epoch: 1,
    epochSince: now,
    everListened: false,
    isUp: false,
    inodes: [],
    hasRows: false,
    serving: {},
  };
}

/** What each kind of input says of life and death. */
const SIGNS: { readonly [K in Sign]: (life: Life, input: InputOf<K>, role: Role) => Life } = {
  "kernel/read": (life, input, role) =>
    role === "app" && input.sharesNetwork ? withRows(life, input) : life,
  "preflight/xray": (life, { at, report }) => answered(dialled(life, at, report), report),
  "connection/opened": (life, { at }) => ({ ...risen(found(life), at), openedAt: at }),
  "connection/closed": closed,
  "connection/goaway": toldToGo,
  "health/status": (life, input) => ({ ...life, serving: servingAfter(life, input) }),
  "channelz/cycle": (life, { at, server }) => counted(life, at, server),
  "drain/signal": (life, { at }) => draining(life, at, true),
};

type Sign =
  | "kernel/read"
  | "preflight/xray"
  | "connection/opened"
  | "connection/closed"
  | "connection/goaway"
  | "health/status"
  | "channelz/cycle"
  | "drain/signal";

/** The life after an input; the same object if it says nothing of life and death. */
export function live(life: Life, input: Input, role: Role): Life {
  const signs: Readonly<Record<string, (life: Life, input: never, role: Role) => Life>> = SIGNS;
  return signs[keyOf(input)]?.(life, input as never, role) ?? life;
}

type Expected = Pick<Target, "role" | "startupMs">;

/** What the target's state is at this instant. Where no time to start is granted, nothing is waited for. */
export function stateOf(life: Life, { role, startupMs }: Expected, now: Instant): TargetState {
  if (role === "upstream") return "watched";
  if (!life.everListened && startupMs > 0) return "waiting";
  return drainUntil(life) > now ? "draining" : "watched";
}

/** Until when no finding may open; absent when that is over. */
export function quietUntil({ drain }: Life, now: Instant): Instant | undefined {
  const until = drain === undefined ? now : graceUntil(drain);
  // Further ahead than any grace: the clock was set back meanwhile.
  return until > now && until <= now + GRACE_MS ? until : undefined;
}

/** Whether it only ended a connection, a fresh one tells: no graceful stop keeps its port open. */
export function mayServe(life: Life, now: Instant): boolean {
  const { drain, hasRows } = life;
  if (!hasRows || drain === undefined || !isGuess(drain, life)) return false;
  return now >= drain.since + LISTENS_ON_MS && now < graceUntil(drain);
}

/** A GOAWAY alone speaks of it: nobody told it to stop, and it has not declared itself unfit. */
function isGuess({ isTold }: Draining, life: Life): boolean {
  return !isTold && !isLeaving(life);
}

function drainUntil({ drain }: Life): Instant {
  if (drain === undefined) return Number.NEGATIVE_INFINITY;
  return drain.isTold ? drain.since + LONGEST_DRAIN_MS : graceUntil(drain);
}

function graceUntil({ since, busyAt = since }: Draining): Instant {
  return Math.min(busyAt + GRACE_MS, since + LONGEST_DRAIN_MS);
}

/** A new process has taken over: what was counted of the old one is over. */
function reborn(life: Life, at: Instant): Life {
  const { epoch, everListened } = life;
  return { ...firstLife(at), epoch: epoch + 1, everListened, isUp: true };
}

/** The old process is gone. Its drain goes on: a refusal is how a drain ends. */
function died(life: Life, at: Instant): Life {
  const next = { ...reborn(life, at), isUp: false };
  return life.drain === undefined ? next : { ...next, drain: life.drain };
}

/** The port listens, or a connect worked: if that is news, the life of the process begins here. */
function risen(life: Life, at: Instant): Life {
  if (life.isUp) return life;
  const { drain: _over, ...rest } = life;
  return { ...rest, isUp: true, everListened: true, epochSince: at };
}

function withRows(life: Life, read: KernelObservation): Life {
  const { at, listeners } = read;
  const inodes = listeners.flatMap((row) => row.inode ?? []);
  if (listeners.length === 0) return withoutRows(life, read);
  const isOther =
    inodes.length > 0 &&
    life.inodes.length > 0 &&
    !inodes.some((inode) => life.inodes.includes(inode));
  const now = isOther ? reborn(life, at) : stillServing(risen(life, at), at);
  if (now === life && sameNumbers(inodes, life.inodes) && life.hasRows) return life;
  return { ...now, inodes, hasRows: true };
}

/** Nothing listens. What was draining still is, while it keeps the connections of its clients. */
function withoutRows(life: Life, { at, inbound }: KernelObservation): Life {
  const { drain } = life;
  const isBusy = inbound.established > 0 && drain !== undefined && graceUntil(drain) > at;
  if (isBusy) return { ...life, hasRows: false, drain: { ...drain, busyAt: at } };
  if (!life.hasRows) return life;
  const gone = { ...life, hasRows: false };
  return isLeaving(life) ? draining(gone, at, false) : gone;
}

/** It was told to drain, and after the grace it listens on: it was not meant for good. */
function stillServing(life: Life, at: Instant): Life {
  if (life.drain?.isTold !== true || at < life.drain.since + GRACE_MS) return life;
  const { drain: _over, ...rest } = life;
  return rest;
}

function dialled(life: Life, at: Instant, { dials, silence }: XrayReport): Life {
  const isConnected = dials.some((dial) => dial.outcome === "connected");
  // A reset that is noticed at the connect already is of a port that took it.
  if (isConnected || silence === "closed") return risen(life, at);
  const isRefused = dials.some((dial) => dial.outcome === "refused");
  return isRefused ? refused(life, at) : life;
}

/**
 * A fresh connection was answered after the GOAWAY, which ended a connection, then, and not the server:
 * one that stops takes no other, or says GOAWAY on it too. What the answer says is for the judges.
 */
function answered(life: Life, report: XrayReport): Life {
  const { drain, ...rest } = life;
  if (drain === undefined || report.at <= drain.since || report.goaway !== undefined) return life;
  return provenProtocol(report) !== undefined && isGuess(drain, life) ? rest : life;
}

/** A connection that never opened, because it was refused, is a refusal like any other. */
function closed(life: Life, { at, reason }: InputOf<"connection/closed">): Life {
  if (reason === "refused") return refused(life, at);
  return { ...life, lostAt: at };
}

function refused(life: Life, at: Instant): Life {
  return life.lostAt !== undefined && life.isUp ? died(life, at) : life;
}

function found(life: Life): Life {
  if (life.lostAt === undefined) return life;
  const { lostAt: _over, ...rest } = life;
  return rest;
}

/** Counters of one process never fall, and its server is created once. */
function counted(life: Life, at: Instant, server: ServerTotals | undefined): Life {
  if (server === undefined) return life;
  const last = life.server;
  const isOther = last !== undefined && isAnotherServer(last, server);
  return { ...(isOther ? reborn(life, at) : life), server };
}

function isAnotherServer(last: ServerTotals, server: ServerTotals): boolean {
  return (
    server.id !== last.id ||
    server.createdAt !== last.createdAt ||
    server.callsStarted < last.callsStarted ||
    server.callsSucceeded < last.callsSucceeded ||
    server.callsFailed < last.callsFailed
  );
}

/**
 * One who stops says so once. A server that ends one young connection after the other and still takes the
 * next is none that stops: it would be excused for ever. `graceful_stop` is grpc-go's word for a stop alone.
 */
function toldToGo(life: Life, input: InputOf<"connection/goaway">): Life {
  const { at } = input;
  if (isLeaving(life)) return draining(life, at, false);
  if (!isDrain(input)) return life;
  if (input.goaway.debugText === "graceful_stop") return draining(life, at, false);
  const { openedAt = Number.NEGATIVE_INFINITY } = life;
  const count = at - openedAt < YOUNG_MS ? stopsBefore(life, at) + 1 : 0;
  const next = { ...life, stops: { count, lastAt: at } };
  return count > MOST_STOPS ? next : draining(next, at, false);
}

function stopsBefore({ stops }: Life, at: Instant): number {
  return stops === undefined || at - stops.lastAt > ROW_MS ? 0 : stops.count;
}

function draining(life: Life, at: Instant, isTold: boolean): Life {
  const { drain } = life;
  const isRunning = drain !== undefined && at < drain.since + GRACE_MS;
  if (isRunning && (drain.isTold || !isTold)) return life;
  return { ...life, drain: { since: at, isTold } };
}

/**
 * GOAWAY without error: the server goes, unless it only ends a connection that is old or idle.
 *
 * Source: the debug data of grpc-go, grpc-java, C-core and grpc-js (gRFC A9).
 */
function isDrain({ goaway }: InputOf<"connection/goaway">): boolean {
  return goaway.code === 0 && !/max[_ ]?(?:connection[_ ]?)?(?:age|idle)/i.test(goaway.debugText);
}

/** It declares itself unfit: as a whole, or in every service that we watch. */
function isLeaving({ serving }: Life): boolean {
  const all = Object.values(serving);
  return serving[""] === false || (all.length > 0 && !all.includes(true));
}

function servingAfter(life: Life, status: InputOf<"health/status">): Life["serving"] {
  const { serving } = life;
  const isNamed = status.status === "SERVING" || status.status === "NOT_SERVING";
  const isFit = status.status === "SERVING";
  if (!isNamed || own(serving, status.service) === isFit) return serving;
  if (!Object.hasOwn(serving, status.service) && Object.keys(serving).length >= MOST_SERVICES)
    return serving;
  return { ...serving, [status.service]: isFit };
}

function sameNumbers(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((value, i) => value === b[i]);
}
