import type { X509Certificate } from "node:crypto";
import { isIP, type Socket } from "node:net";
import { connect, type TLSSocket } from "node:tls";
import { present } from "../model/present.ts";
import type { Clock } from "../model/time.ts";
import type { TlsFacts } from "../model/xray.ts";
import { abortable } from "./abortable.ts";
import { alertOf } from "./alert.ts";
import {
  certificateFacts,
  chainFacts,
  type Judges,
  readBundle,
  sentChain,
  tlsNameOf,
} from "./certificate.ts";

/** How long a TLS handshake may take. */
const HANDSHAKE_TIMEOUT_MS = 5000;

/** PEM texts; the contents, not the paths. */
export interface TlsMaterial {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
}

export interface HandshakeOptions {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Protocols to offer, preferred first. */
  readonly alpn: readonly string[];
  /** Name that clients use; sent as server name (never an address, RFC 6066 section 3) and judged. */
  readonly authority?: string;
  /** Sent as server name where no authority is stated: the dialled host. Never judged. */
  readonly host?: string;
  readonly material: TlsMaterial;
  /** Default 5 s. */
  readonly timeoutMs?: number;
}

/** A handshake that ended, or what it showed until it did not. */
export type Handshake =
  | { readonly outcome: "secured"; readonly socket: TLSSocket; readonly facts: TlsFacts }
  | { readonly outcome: "failed"; readonly thrown: unknown; readonly facts: TlsFacts };

/**
 * A TLS handshake that accepts whatever the server shows, so that every fact is known; the judging is
 * done afterwards, fact by fact (`certificate.ts`). Rejects only when the signal is aborted.
 */
export async function shakeHands(wire: Socket, options: HandshakeOptions): Promise<Handshake> {
  const { clock, signal, alpn, material, timeoutMs = HANDSHAKE_TIMEOUT_MS } = options;
  const serverName = serverNameOf(options);
  const socket = connect({
    socket: wire,
    // We judge the chain ourselves; an empty list also spares us the system's roots, 2 MB of them.
    ca: [],
    rejectUnauthorized: false,
    ALPNProtocols: [...alpn],
    // What clients offer, whatever NODE_OPTIONS says of this process: a refusal is the server's then.
    minVersion: "TLSv1.2",
    maxVersion: "TLSv1.3",
    ...(serverName === undefined ? {} : { servername: serverName }),
    ...(material.cert === undefined ? {} : { cert: material.cert }),
    ...(material.key === undefined ? {} : { key: material.key }),
  });
  // An alert after the handshake ends TLS, but leaves an HTTP/2 session above it waiting for ever,
  // unless the connection below goes: then the session ends with that very error.
  socket.on("error", () => wire.destroy());
  const seen = watchHandshake(socket);
  const thrown = await finished(socket, clock.deadline(timeoutMs, signal));
  const facts = (): TlsFacts =>
    factsOf({ socket, seen, serverName, thrown: thrown?.thrown }, options);
  if (thrown === undefined) {
    seen.look();
    return { outcome: "secured", socket, facts: facts() };
  }
  socket.destroy();
  signal.throwIfAborted();
  return { outcome: "failed", thrown: thrown.thrown, facts: facts() };
}

function serverNameOf({ authority, host }: HandshakeOptions): string | undefined {
  const name = authority ?? host;
  const serverName = name === undefined ? "" : tlsNameOf(name);
  return serverName === "" || isIP(serverName) !== 0 ? undefined : serverName;
}

/** What is known before a failure destroys the socket's inner state. */
interface Seen {
  leaf: X509Certificate | undefined;
  version: string | undefined;
  cipher: string | undefined;
  /** The peer named signature algorithms to us, which only a CertificateRequest does. */
  isCertificateAsked: boolean;
  readonly look: () => void;
}

/**
 * Keys become known right after the flight that carries certificate and CertificateRequest: the one
 * moment at which these can be read even if the server then hangs up.
 */
function watchHandshake(socket: TLSSocket): Seen {
  const seen: Seen = {
    leaf: undefined,
    version: undefined,
    cipher: undefined,
    isCertificateAsked: false,
    look: () => {
      seen.leaf ??= socket.getPeerX509Certificate();
      seen.version = socket.getProtocol() ?? seen.version;
      seen.cipher = socket.getCipher()?.name ?? seen.cipher;
      seen.isCertificateAsked ||= (socket.getSharedSigalgs()?.length ?? 0) > 0;
    },
  };
  socket.on("keylog", seen.look);
  socket.once("secure", () => socket.off("keylog", seen.look));
  return seen;
}

async function finished(
  socket: TLSSocket,
  deadline: AbortSignal,
): Promise<undefined | { readonly thrown: unknown }> {
  try {
    await abortable<void>(deadline, (resolve, reject) => {
      socket.once("error", reject);
      socket.once("secureConnect", () => resolve());
    });
    return undefined;
  } catch (thrown) {
    return { thrown };
  }
}

interface Ended {
  readonly socket: TLSSocket;
  readonly seen: Seen;
  readonly serverName: string | undefined;
  readonly thrown: unknown;
}

function factsOf({ socket, seen, serverName, thrown }: Ended, options: HandshakeOptions): TlsFacts {
  const { material } = options;
  const hasCertificate = material.cert !== undefined;
  const [ours] = readBundle(material.cert ?? "");
  return {
    offeredAlpn: options.alpn,
    ...present({
      version: seen.version,
      cipher: seen.cipher,
      selectedAlpn: thrown === undefined ? selectedAlpn(socket) : undefined,
      alert: alertOf(codeOf(thrown)),
      serverName,
    }),
    ...chainFacts(sentChain(seen.leaf), judgesOf(options)),
    clientCertificateAsked: seen.isCertificateAsked,
    clientCertificateSent: seen.isCertificateAsked && hasCertificate,
    ...(ours === undefined ? {} : { clientCertificate: briefly(ours) }),
  };
}

function judgesOf({ clock, authority, material }: HandshakeOptions): Judges {
  const bundle = material.ca === undefined ? undefined : readBundle(material.ca);
  return { now: clock.shown(clock.now()), ...present({ authority, bundle }) };
}

function briefly(certificate: X509Certificate): NonNullable<TlsFacts["clientCertificate"]> {
  const { fingerprint, issuer, notAfter } = certificateFacts(certificate);
  return { fingerprint, issuer, notAfter };
}

/** Node says `false` for none. */
function selectedAlpn(socket: TLSSocket): string {
  return typeof socket.alpnProtocol === "string" ? socket.alpnProtocol : "";
}

function codeOf(thrown: unknown): string | undefined {
  const code = thrown instanceof Error && "code" in thrown ? thrown.code : undefined;
  return typeof code === "string" ? code : undefined;
}
