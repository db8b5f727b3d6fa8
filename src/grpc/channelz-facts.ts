import { createHash } from "node:crypto";
import type {
  ChannelFacts,
  ChannelState,
  ServerTotals,
  SocketFacts,
  SubchannelFacts,
} from "../model/channelz.ts";
import { maskText } from "../model/mask.ts";
import { hostPort } from "../model/target.ts";
import { instantOf, narrowed, type SocketEnd, socketEnd } from "./channelz-values.ts";
import type { Dialect } from "./dialects/dialect.ts";
import {
  type Channel,
  type ChannelData,
  ChannelTraceEvent_Severity as EventSeverity,
  type Server,
  type Socket,
  ChannelConnectivityState_State as State,
  type Subchannel,
} from "./gen/grpc/channelz/v1/channelz_pb.js";

/** Longer texts of a target are not a name. */
const TARGET_LENGTH = 253;

/** Normalises a server: where it listens is read from the names of its listen sockets. */
export function serverTotals(server: Server, dialect: Dialect): ServerTotals {
  const { data } = server;
  const createdAt = instantOf(data?.trace?.creationTimestamp);
  return {
    id: narrowed(server.ref?.serverId),
    callsStarted: narrowed(data?.callsStarted),
    callsSucceeded: narrowed(data?.callsSucceeded),
    callsFailed: narrowed(data?.callsFailed),
    listens: server.listenSocket.slice(0, 20).flatMap(({ name }) => {
      const address = dialect.listenAddress(name);
      return address === undefined ? [] : [hostPort(address.host, address.port)];
    }),
    ...(createdAt !== undefined && { createdAt }),
  };
}

/** Normalises one server connection; `undefined` where the object is empty. */
export function socketFacts(socket: Socket, dialect: Dialect): SocketFacts | undefined {
  const { data, ref } = socket;
  if (data === undefined) return undefined;
  const { host, port } = peerOf(socket, dialect);
  const started = narrowed(data.streamsStarted);
  const succeeded = narrowed(data.streamsSucceeded);
  const failed = narrowed(data.streamsFailed);
  const fingerprint = localFingerprint(socket);
  return {
    id: narrowed(ref?.socketId),
    peer: nameText(host),
    ...(port !== undefined && { peerPort: port }),
    streamsStarted: started,
    streamsSucceeded: succeeded,
    streamsFailed: failed,
    openStreams: Math.max(0, started - succeeded - failed),
    messagesSent: narrowed(data.messagesSent),
    messagesReceived: narrowed(data.messagesReceived),
    keepAlivesSent: narrowed(dialect.keepAlivesSent(data)),
    ...lastTimes(data),
    ...dialect.sendWindow(data),
    ...(fingerprint !== undefined && { localFingerprint: fingerprint }),
  };
}

function peerOf({ remote, ref }: Socket, dialect: Dialect): SocketEnd {
  return socketEnd(remote) ?? dialect.peerAddress(ref?.name ?? "") ?? { host: "" };
}

function lastTimes(data: NonNullable<Socket["data"]>) {
  const lastRemoteStreamAt = instantOf(data.lastRemoteStreamCreatedTimestamp);
  const lastMessageSentAt = instantOf(data.lastMessageSentTimestamp);
  const lastMessageReceivedAt = instantOf(data.lastMessageReceivedTimestamp);
  return {
    ...(lastRemoteStreamAt !== undefined && { lastRemoteStreamAt }),
    ...(lastMessageSentAt !== undefined && { lastMessageSentAt }),
    ...(lastMessageReceivedAt !== undefined && { lastMessageReceivedAt }),
  };
}

function localFingerprint({ security }: Socket): string | undefined {
  const der = security?.model.case === "tls" ? security.model.value.localCertificate : undefined;
  if (der === undefined || der.length === 0) return undefined;
  return createHash("sha256").update(der).digest("hex");
}

/** Normalises a channel of the app; its sub-channels come beside it. */
export function channelFacts(
  channel: Channel,
  dialect: Dialect,
  subchannels: readonly SubchannelFacts[],
): ChannelFacts {
  const { data } = channel;
  const lastError = newestError(data, dialect);
  return {
    id: narrowed(channel.ref?.channelId),
    ...callsAndState(data),
    target: nameText(data?.target ?? ""),
    subchannels,
    ...(lastError !== undefined && { lastError }),
  };
}

/** Normalises a sub-channel with those of its connections that were read. */
export function subchannelFacts(
  subchannel: Subchannel,
  dialect: Dialect,
  sockets: readonly Socket[],
): SubchannelFacts {
  const { data } = subchannel;
  const calls = callsAndState(data);
  const lastError = newestError(data, dialect);
  const read = sockets.flatMap((socket) => socketFacts(socket, dialect) ?? []);
  const bySockets = read.reduce((sum, { openStreams }) => sum + openStreams, 0);
  const byCalls = Math.max(0, calls.callsStarted - calls.callsSucceeded - calls.callsFailed);
  return {
    id: narrowed(subchannel.ref?.subchannelId),
    ...calls,
    target: nameText(dialect.subchannelTarget(data?.target ?? "")),
    remotes: read.flatMap(({ peer, peerPort }) =>
      peerPort === undefined ? [] : [hostPort(peer, peerPort)],
    ),
    openStreams: dialect.clientSocketsLeak || read.length === 0 ? byCalls : bySockets,
    ...(lastError !== undefined && { lastError }),
  };
}

/** A name of a place as it was told, without what steers a terminal, and without a user's password. */
function nameText(text: string): string {
  return text
    .slice(0, 2 * TARGET_LENGTH)
    .replaceAll(/\p{C}/gu, "")
    .replace(/(?<=:\/\/\/?)[^\s/]+@/, "<token>@")
    .slice(0, TARGET_LENGTH);
}

function callsAndState(data: ChannelData | undefined) {
  return {
    state: channelState(data),
    callsStarted: narrowed(data?.callsStarted),
    callsSucceeded: narrowed(data?.callsSucceeded),
    callsFailed: narrowed(data?.callsFailed),
  };
}

/** A number that the enumeration does not know says as much as UNKNOWN. */
export function channelState(data: ChannelData | undefined): ChannelState {
  const states: Partial<Record<State, ChannelState>> = {
    [State.IDLE]: "IDLE",
    [State.CONNECTING]: "CONNECTING",
    [State.READY]: "READY",
    [State.TRANSIENT_FAILURE]: "TRANSIENT_FAILURE",
    [State.SHUTDOWN]: "SHUTDOWN",
  };
  return states[data?.state?.state ?? State.UNKNOWN] ?? "UNKNOWN";
}

/**
 * The newest event that is an error: by what the dialect finds in its text, else by its severity, which
 * not every implementation sets.
 */
function newestError(data: ChannelData | undefined, dialect: Dialect): string | undefined {
  const newestFirst = (data?.trace?.events ?? []).toReversed();
  for (const { description, severity } of newestFirst) {
    const isError = severity >= EventSeverity.CT_WARNING;
    const text = dialect.errorInTrace(description) ?? (isError ? description : undefined);
    if (text !== undefined) return maskText(text);
  }
  return undefined;
}
