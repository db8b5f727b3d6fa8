import { createHash, timingSafeEqual } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { isIP } from "node:net";
import type { ListenAddress } from "../model/settings.ts";
import { type Reply, textReply } from "./reply.ts";

/** Who may use the admin listener. */
export interface Guard {
  readonly address: ListenAddress;
  /** The bearer token, read anew for each request; `undefined` = none is configured. */
  readonly token: () => Promise<string | undefined>;
}

const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|::1)$/;

function isOnLoopback({ host }: ListenAddress): boolean {
  return host !== undefined && LOOPBACK.test(host);
}

/**
 * The refusal of a request, or `undefined` for one that may pass.
 *
 * A page of the web can make a browser on this machine ask us, and can point a name of its own at
 * 127.0.0.1: so a Host that is a name must be ours, and a browser's Origin must be this very server.
 * An address in Host cannot be rebound. Off loopback a bearer token is needed besides.
 */
export async function refusal(
  { address, token }: Guard,
  { headers }: IncomingMessage,
): Promise<Reply | undefined> {
  const host = headers.host ?? "";
  if (!isOurHost(host, address)) return textReply(403, "this Host is not ours");
  const { origin } = headers;
  if (origin !== undefined && origin !== `http://${host}`) {
    return textReply(403, "requests of other origins are refused");
  }
  const site = headers["sec-fetch-site"] ?? "none";
  if (site !== "none" && site !== "same-origin") {
    return textReply(403, "requests of other sites are refused");
  }
  if (isOnLoopback(address)) return undefined;
  const isKnown = matches(headers.authorization, await token());
  return isKnown ? undefined : unauthorized();
}

function unauthorized(): Reply {
  const reply = textReply(401, "a bearer token is needed on this address");
  return { ...reply, headers: { "www-authenticate": "Bearer" } };
}

function isOurHost(host: string, address: ListenAddress): boolean {
  const name = host.toLowerCase().replace(/:\d{1,5}$/, "");
  const bare = name.replace(/^\[(.*)\]$/, "$1");
  return name === "localhost" || isIP(bare) !== 0 || bare === address.host?.toLowerCase();
}

/** Compares hashes, in constant time and whatever the lengths; no token configured matches nothing. */
function matches(authorization: string | undefined, token: string | undefined): boolean {
  const given = /^Bearer +(\S+)$/i.exec(authorization ?? "")?.[1];
  if (given === undefined || token === undefined || token === "") return false;
  return timingSafeEqual(digest(given), digest(token));
}

function digest(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
