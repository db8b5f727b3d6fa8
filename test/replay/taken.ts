/** One snapshot of a real fault: how it was made, and all that is to be said of it. */
export interface Taken {
  readonly how: string;
  readonly active: readonly string[];
  readonly suspected?: readonly string[];
}

const each = (
  what: string,
  how: (language: string) => string,
  judged: Omit<Taken, "how">,
  languages: readonly string[] = ["go", "node", "java", "python"],
): Readonly<Record<string, Taken>> =>
  Object.fromEntries(
    languages.map((language) => [`${language}-${what}`, { how: how(language), ...judged }]),
  );

/**
 * The snapshots in `test/snapshots/`, each taken by `check --save` beside a real peer that was really
 * broken (`npm run snapshots` takes them again). What is active is written by hand.
 */
export const TAKEN: Readonly<Record<string, Taken>> = {
  ...each(
    "well",
    (language) => `a ${language} server and a ${language} client that calls it, and nothing wrong`,
    { active: [] },
  ),
  ...each(
    "other-name",
    (language) =>
      `a ${language} server whose certificate names payments.shop.svc, asked as orders.shop.svc`,
    { active: ["critical tls-san-mismatch app"] },
  ),
  ...each(
    "streams-held",
    (language) =>
      `a ${language} server of 10 streams a connection, and a ${language} client that holds 10`,
    { active: ["warning stream-exhaustion app"] },
  ),
  ...each(
    "slow-handlers",
    (language) =>
      `a ${language} server that takes 3 s for each call, and clients of 1.2 s patience`,
    { active: [], suspected: ["deadline-storm app"] },
    ["java", "python"],
  ),
  "go-stopped": {
    how: "a go server, stopped by SIGSTOP after 45 s",
    active: ["critical app-frozen app"],
  },
  "java-stopped": {
    how: "a java server, stopped by SIGSTOP after 45 s",
    active: ["critical app-frozen app"],
  },
  ...each("not-serving", (language) => `a ${language} server that says NOT_SERVING after 8 s`, {
    active: [],
    suspected: ["health-not-serving app"],
  }),
  ...each("killed", (language) => `a ${language} server, killed after 12 s`, {
    active: ["critical connection-refused app"],
  }),
  ...each(
    "client-refused",
    (language) =>
      `a ${language} server that is shown a client certificate of another authority, and says so`,
    { active: ["critical tls-client-cert-rejected app"] },
    ["go", "java"],
  ),
  ...each(
    "client-refused",
    (language) =>
      `a ${language} server that is shown a client certificate of another authority, and hangs up`,
    { active: ["critical tls-client-cert-rejected app ⊃ not-grpc"] },
    ["node", "python"],
  ),
  "go-expired": {
    how: "a go server whose certificate has been over for a day",
    active: ["critical tls-cert-expired app"],
  },
  "java-not-yet-valid": {
    how: "a java server whose certificate begins in two days",
    active: ["critical tls-cert-not-yet-valid app"],
  },
  "node-expiring": {
    how: "a node server whose certificate has one day left of ninety",
    active: ["critical tls-cert-expiring app"],
  },
  "python-untrusted": {
    how: "a python server whose certificate another authority has signed",
    active: ["critical tls-untrusted-issuer app"],
  },
  "java-encrypted": {
    how: "a java server that speaks TLS, configured as `tls: off`",
    active: ["critical tls-plaintext-mismatch app"],
  },
  "go-large-metadata": {
    how: "a go server that takes 4 KiB of metadata, and a probe with a token of almost as many",
    active: ["critical metadata-too-large app"],
  },
  "go-failing-calls": {
    how: "a go server whose handlers all end with INTERNAL, with its own metrics",
    active: [],
    suspected: ["error-burst app"],
  },
  "go-few-descriptors": {
    how: "a go server of 200 descriptors, of which its callers hold 178",
    active: ["warning fd-exhaustion app"],
  },
  "go-upstream-down": {
    how: "a go server that calls a java one twice a second, which is killed after 30 s",
    active: ["warning channel-stuck app"],
  },
  "nameless-upstream": {
    how: "an upstream whose name does not exist, asked of a real name server",
    active: ["critical dns-failing orders"],
  },
  "web-server": {
    how: "a server that answers the preface with HTTP/1.1 400",
    active: ["critical not-grpc app"],
  },
  "bad-gateway": {
    how: "an HTTP/2 server that answers each call with a page and 502",
    active: [],
    suspected: ["not-grpc app"],
  },
  "closed-at-once": {
    how: "a server that closes each connection as soon as it is made",
    active: ["critical not-grpc app"],
  },
  "no-alpn": {
    how: "a server that speaks HTTP/2 over TLS and does not negotiate it",
    active: ["critical tls-alpn-missing app"],
  },
  "web-alpn": {
    how: "a TLS server that only offers http/1.1",
    active: ["critical tls-alpn-missing app"],
  },
  "old-tls": {
    how: "a server that speaks TLS 1.1 and nothing newer",
    active: ["critical tls-version-mismatch app"],
  },
};
