import type { CallError } from "../../grpc/call-error.ts";
import type { Reason } from "../../model/reason.ts";

/** What a failed call means, in one line: the phase, the reason in words, what the server said. */
export function faultSentence({ fault }: CallError): string {
  const { phase, reason, status, statusText, errno } = fault;
  const said = [status, statusText].filter((part) => part !== undefined).join(": ");
  const detail = said === "" ? (errno ?? "") : said;
  return `${phase}: ${reasonText(reason)}${detail === "" ? "" : ` (${detail})`}`;
}

/** A reason in words. */
export function reasonText(reason: Reason): string {
  return REASON_WORDS[reason] ?? reason.replaceAll("_", " ");
}

/** The same for a text that may be a reason, and may say already what is meant. */
export function whyText(text: string): string {
  return Object.entries(REASON_WORDS).find(([reason]) => reason === text)?.[1] ?? text;
}

/** Reasons whose name alone would leave a person guessing. */
const REASON_WORDS: Partial<Readonly<Record<Reason, string>>> = {
  refused: "nothing listens there",
  nxdomain: "the name does not exist",
  no_data: "the name has no address",
  connect_timeout: "no answer to the connect in time",
  plaintext_expected: "the server speaks TLS, plaintext was expected",
  tls_expected: "the server speaks plaintext, TLS was expected",
  alpn_missing: "the server does not select h2 by ALPN",
  hostname_mismatch: "the certificate does not cover the name",
  untrusted_issuer: "the certificate's issuer is not trusted",
  certificate_expired: "the certificate has expired",
  client_certificate_required: "the server asks for a client certificate",
  not_http2: "the server does not speak HTTP/2",
  not_grpc: "the server speaks HTTP/2, and not gRPC",
  descriptor: "the types cannot be had",
  deadline: "no answer in time",
  status: "the server answered with an error",
};
