import type { ChannelzTree } from "../../grpc/channelz-tree.ts";
import type { ChannelFacts, SocketFacts, SubchannelFacts } from "../../model/channelz.ts";
import { counted } from "../../model/counted.ts";
import { indent } from "./lines.ts";
import type { Paint } from "./paint.ts";

/** The tree as indented lines; ids as channelz has them, so that grpcdebug finds the same. */
export function channelzText(tree: ChannelzTree, paint: Paint): string {
  const servers = tree.servers.flatMap((server) => serverLines(server, paint));
  const channels = tree.channels.flatMap((channel) => channelLines(channel, paint));
  const lines = [
    `implementation ${tree.implementation}`,
    ...(servers.length === 0 ? ["no servers"] : servers),
    ...(channels.length === 0 ? ["no channels"] : channels),
  ];
  return `${lines.join("\n")}\n`;
}

function serverLines(server: ChannelzTree["servers"][number], paint: Paint): readonly string[] {
  const { totals, sockets, socketCount, truncated } = server;
  const listens = totals.listens.length === 0 ? "" : ` on ${totals.listens.join(", ")}`;
  const more = socketCount > sockets.length || truncated ? `, ${sockets.length} of them read` : "";
  return [
    `${paint.bold(`server ${totals.id}`)}${listens}: ${callsText(totals)}, ${counted(socketCount, "socket")}${more}`,
    ...indent(sockets.map(socketLine), "  "),
  ];
}

function socketLine(socket: SocketFacts): string {
  const peer =
    socket.peerPort === undefined ? socket.peer : `${socket.peer} port ${socket.peerPort}`;
  const window = socket.canSendBytes === undefined ? "" : `, may send ${socket.canSendBytes} bytes`;
  const streams = `${socket.openStreams} open of ${socket.streamsStarted} streams, ${socket.streamsFailed} failed`;
  return `socket ${socket.id} ${peer}: ${streams}${window}`;
}

function channelLines(channel: ChannelFacts, paint: Paint): readonly string[] {
  const error = channel.lastError === undefined ? [] : [`  ${channel.lastError}`];
  return [
    `${paint.bold(`channel ${channel.id}`)} ${channel.target}: ${channel.state}, ${callsText(channel)}`,
    ...error,
    ...indent(channel.subchannels.flatMap(subchannelLines), "  "),
  ];
}

function subchannelLines(subchannel: SubchannelFacts): readonly string[] {
  const { id, target, state, remotes, openStreams, lastError } = subchannel;
  const to =
    remotes.length === 0 ? "no connection" : `to ${remotes.join(", ")}, ${openStreams} open`;
  const line = `subchannel ${id} ${target}: ${state}, ${callsText(subchannel)}, ${to}`;
  return lastError === undefined ? [line] : [line, `  ${lastError}`];
}

function callsText(calls: {
  readonly callsStarted: number;
  readonly callsSucceeded: number;
  readonly callsFailed: number;
}): string {
  const { callsStarted, callsSucceeded, callsFailed } = calls;
  return `${counted(callsStarted, "call")} (${callsSucceeded} succeeded, ${callsFailed} failed)`;
}
