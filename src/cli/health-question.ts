import { existsSync } from "node:fs";
import { parseAddress } from "../config/address.ts";
import { parseDuration } from "../config/units.ts";
import type { Endpoint, Target, TlsExpectation } from "../model/target.ts";
import { UsageError } from "./exit.ts";
import type { Arguments } from "./flag.ts";
import type { Program } from "./program.ts";
import { headerEntry } from "./target-from-flags.ts";

/** What a `health` command line asks. */
export interface HealthQuestion {
  readonly target: Target;
  readonly service: string;
  readonly connectMs: number;
  readonly rpcMs: number;
  readonly isVerified: boolean;
  readonly isVerbose: boolean;
}

/** Reads the flags with grpc_health_probe's strictness: a contradiction is a wrong call. */
export function healthQuestion(
  given: Arguments,
  environment: Program["environment"],
): HealthQuestion {
  const { address, endpoint } = addressOf(given);
  refuseContradictions(given);
  const { texts, switches } = given;
  const isVerified = switches.has("tls") && !switches.has("tls-no-verify");
  const service = texts["service"] ?? "";
  const target: Target = {
    name: "health",
    role: "app",
    address,
    endpoint,
    ...(switches.has("tls") ? { authority: texts["tls-server-name"] ?? hostOf(endpoint) } : {}),
    tls: switches.has("tls") ? tlsOf(given, isVerified, environment) : { mode: "plaintext" },
    metadata: headersOf(given),
    health: { services: [service], expect: "SERVING" },
    startupMs: 0,
  };
  return {
    target,
    service,
    connectMs: timeout(given, "connect-timeout"),
    rpcMs: timeout(given, "rpc-timeout"),
    isVerified,
    isVerbose: switches.has("v"),
  };
}

function addressOf({ texts, positionals }: Arguments): { address: string; endpoint: Endpoint } {
  const [argument] = positionals;
  const address = texts["addr"] ?? argument;
  if (address === undefined) throw new UsageError("-addr not specified");
  if (texts["addr"] !== undefined && argument !== undefined) {
    throw new UsageError("either -addr or ADDR, not both");
  }
  const parsed = parseAddress(address);
  if ("allowed" in parsed) throw new UsageError(`-addr takes ${parsed.allowed}, not ${address}`);
  return { address, endpoint: parsed.value };
}

function headersOf({ texts, lists }: Arguments): Target["metadata"] {
  const agent = texts["user-agent"];
  const userAgent = agent === undefined ? [] : [`user-agent: ${agent}`];
  return [...userAgent, ...(lists["rpc-header"] ?? [])].map(headerEntry);
}

function refuseContradictions({ texts, switches }: Arguments): void {
  const needTls = ["tls-ca-cert", "tls-client-cert", "tls-client-key", "tls-server-name"];
  const [alone] = switches.has("tls") ? [] : needTls.filter((name) => texts[name] !== undefined);
  if (alone !== undefined) throw new UsageError(`specified -${alone} without specifying -tls`);
  const isUnverified = switches.has("tls-no-verify");
  if (isUnverified && !switches.has("tls"))
    throw new UsageError("specified -tls-no-verify without specifying -tls");
  const [verifies] = isUnverified
    ? ["tls-ca-cert", "tls-server-name"].filter((name) => texts[name] !== undefined)
    : [];
  if (verifies !== undefined)
    throw new UsageError(`cannot specify -${verifies} with -tls-no-verify (it would not be used)`);
  if ((texts["tls-client-cert"] === undefined) !== (texts["tls-client-key"] === undefined)) {
    throw new UsageError("specify both -tls-client-cert and -tls-client-key");
  }
}

function tlsOf(
  given: Arguments,
  isVerified: boolean,
  environment: Program["environment"],
): TlsExpectation {
  const { "tls-client-cert": cert, "tls-client-key": key } = given.texts;
  const ca = given.texts["tls-ca-cert"] ?? (isVerified ? systemRoots(environment) : undefined);
  return {
    mode: "tls",
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined || key === undefined ? {} : { cert, key }),
  };
}

/** Where Go looks for the system's bundle (crypto/x509/root_linux.go), SSL_CERT_FILE first. */
function systemRoots(environment: Program["environment"]): string {
  const places = [
    environment["SSL_CERT_FILE"] ?? "",
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
  ];
  const found = places.find((place) => place !== "" && existsSync(place));
  if (found === undefined)
    throw new UsageError("no system bundle is here; give -tls-ca-cert or -tls-no-verify");
  return found;
}

function hostOf(endpoint: Endpoint): string {
  return endpoint.kind === "unix" ? "localhost" : endpoint.host;
}

function timeout({ texts }: Arguments, flag: string): number {
  const text = texts[flag] ?? "1s";
  const ms = parseDuration(text);
  if (ms === undefined || ms <= 0 || ms > 3_600_000)
    throw new UsageError(`-${flag} must be greater than zero, as 500ms or 2s`);
  return ms;
}
