import { type ExecFileException, execFile } from "node:child_process";
import { generateKeyPairSync, randomBytes } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { stringify } from "yaml";
import { twoFreePorts } from "../support/ports.ts";
import { type RunningProgram, startProgram } from "../support/process.ts";

const cache = process.env["GRPC_DOCTOR_CACHE"] ?? join(homedir(), ".cache/grpc-doctor");
/** A file that `.ci/peers.sh kube` has made. */
export const part = (name: string): string => join(cache, "kube", name);
/** A program that it has built. */
export const program = (name: string): string => part(`bin/${name}`);

/** A real API of Kubernetes on loopback, made of etcd and kube-apiserver; no kubelet. */
export interface Cluster {
  /** For programs that find the API by themselves. */
  readonly kubeconfig: string;
  stop(): Promise<void>;
}

/** How a kubectl ended. */
export interface Said {
  readonly code: number;
  readonly stdout: string;
  /** Warnings of the API server too. */
  readonly stderr: string;
}

/**
 * Starts it, of this version or of an older one, which it then emulates. With `node`, controllers
 * make pods of workloads, and kwok runs them on a node of that name, as far as the API can tell.
 */
export async function startCluster(
  options: { readonly version?: string; readonly node?: string } = {},
): Promise<Cluster> {
  const folder = mkdtempSync(join(tmpdir(), "grpc-doctor-kube-"));
  const kubeconfig = join(folder, "kubeconfig");
  const [clients, peers] = await twoFreePorts();
  const [api, controllers] = await twoFreePorts();
  const programs: RunningProgram[] = [];
  const stop = async () => {
    for (const one of programs.toReversed()) await one.end("SIGTERM");
    rmSync(folder, { recursive: true, force: true });
  };
  const start = async (line: readonly string[], isReady: () => boolean | Promise<boolean>) =>
    void programs.push(await startProgram(line, isReady));
  try {
    await start(etcdLine(folder, clients, peers), isServing(`http://127.0.0.1:${clients}/health`));
    const token = writeSecrets(folder);
    await start(apiServerLine(folder, { api, etcd: clients, version: options.version }), () =>
      isApiReady({ folder, kubeconfig, token, api }),
    );
    if (options.node === undefined) await makeServiceAccount(kubeconfig);
    else {
      await start(controllersLine(folder, kubeconfig, controllers), () =>
        succeeds(kubeconfig, ["-n", "default", "get", "serviceaccount", "default"]),
      );
      await kubectl(kubeconfig, ["create", "-f", "-"], nodeManifest(options.node));
      await start(kwokLine(kubeconfig), () =>
        succeeds(kubeconfig, ["wait", "--for=condition=Ready", "--timeout=1s", "node", "--all"]),
      );
    }
  } catch (thrown) {
    await stop();
    throw thrown;
  }
  return { kubeconfig, stop };
}

/** Runs kubectl against the cluster; what it says and how it ends is the caller's to judge. */
export function kubectl(
  kubeconfig: string,
  words: readonly string[],
  input?: string,
): Promise<Said> {
  return new Promise((resolve) => {
    const options = {
      env: { ...process.env, KUBECONFIG: kubeconfig },
      maxBuffer: 64 * 1024 * 1024,
    };
    const child = execFile(
      program("kubectl"),
      [...words],
      options,
      (error: ExecFileException | null, stdout, stderr) =>
        resolve({ code: error === null ? 0 : Number(error.code ?? -1), stdout, stderr }),
    );
    child.stdin?.end(input ?? "");
  });
}

function etcdLine(folder: string, clients: number, peers: number): readonly string[] {
  const [client, peer] = [`http://127.0.0.1:${clients}`, `http://127.0.0.1:${peers}`];
  return [
    program("etcd"),
    `--data-dir=${join(folder, "etcd")}`,
    "--unsafe-no-fsync",
    "--log-level=error",
    `--listen-client-urls=${client}`,
    `--advertise-client-urls=${client}`,
    `--listen-peer-urls=${peer}`,
    `--initial-advertise-peer-urls=${peer}`,
    `--initial-cluster=default=${peer}`,
  ];
}

/** The key of service accounts, and a token for whoever may do everything. */
function writeSecrets(folder: string): string {
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const pem = privateKey.export({ type: "pkcs1", format: "pem" });
  writeFileSync(join(folder, "accounts.key"), pem);
  const token = randomBytes(16).toString("hex");
  writeFileSync(join(folder, "tokens.csv"), `${token},admin,admin,system:masters\n`);
  return token;
}

function apiServerLine(
  folder: string,
  given: {
    readonly api: number;
    readonly etcd: number;
    readonly version: string | undefined;
  },
): readonly string[] {
  const key = join(folder, "accounts.key");
  return [
    program("kube-apiserver"),
    `--etcd-servers=http://127.0.0.1:${given.etcd}`,
    "--bind-address=127.0.0.1",
    `--secure-port=${given.api}`,
    // It signs a certificate for itself and leaves it here.
    `--cert-dir=${folder}`,
    "--endpoint-reconciler-type=none",
    "--service-cluster-ip-range=10.0.0.0/24",
    "--authorization-mode=Node,RBAC",
    `--token-auth-file=${join(folder, "tokens.csv")}`,
    "--service-account-issuer=https://kubernetes.default.svc",
    `--service-account-key-file=${key}`,
    `--service-account-signing-key-file=${key}`,
    "--shutdown-delay-duration=0s",
    ...(given.version === undefined ? [] : [`--emulated-version=${given.version}`]),
  ];
}

async function isApiReady(given: {
  readonly folder: string;
  readonly kubeconfig: string;
  readonly token: string;
  readonly api: number;
}): Promise<boolean> {
  const { folder, kubeconfig, token, api } = given;
  const authority = readIfThere(join(folder, "apiserver.crt"));
  if (authority === "") return false;
  const cluster = {
    server: `https://127.0.0.1:${api}`,
    "certificate-authority-data": Buffer.from(authority).toString("base64"),
  };
  const config = {
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name: "local", cluster }],
    users: [{ name: "admin", user: { token } }],
    contexts: [{ name: "local", context: { cluster: "local", user: "admin" } }],
    "current-context": "local",
  };
  writeFileSync(kubeconfig, stringify(config), { mode: 0o600 });
  return succeeds(kubeconfig, ["get", "--raw", "/readyz"]);
}

function readIfThere(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}

/** Pods need their namespace's account, which a controller would make. */
async function makeServiceAccount(kubeconfig: string): Promise<void> {
  while (!(await succeeds(kubeconfig, ["-n", "default", "create", "serviceaccount", "default"]))) {
    await delay(200);
  }
}

function controllersLine(folder: string, kubeconfig: string, port: number): readonly string[] {
  return [
    program("kube-controller-manager"),
    `--kubeconfig=${kubeconfig}`,
    `--authentication-kubeconfig=${kubeconfig}`,
    `--authorization-kubeconfig=${kubeconfig}`,
    "--bind-address=127.0.0.1",
    `--secure-port=${port}`,
    `--cert-dir=${folder}`,
    "--leader-elect=false",
    "--use-service-account-credentials",
    `--service-account-private-key-file=${join(folder, "accounts.key")}`,
  ];
}

/** Pods get addresses of this machine's, so that what finds them can reach an agent there. */
function kwokLine(kubeconfig: string): readonly string[] {
  return [
    program("kwok"),
    `--kubeconfig=${kubeconfig}`,
    "--manage-all-nodes",
    `--config=${part("stages.yaml")}`,
    "--server-address=",
    "--cidr=127.9.0.1/16",
    "--node-ip=127.0.0.1",
  ];
}

function nodeManifest(name: string): string {
  const resources = { cpu: "16", memory: "64Gi", pods: "110" };
  return JSON.stringify({
    apiVersion: "v1",
    kind: "Node",
    metadata: { name },
    status: { allocatable: resources, capacity: resources },
  });
}

function isServing(url: string): () => Promise<boolean> {
  return () =>
    fetch(url).then(
      ({ ok }) => ok,
      () => false,
    );
}

async function succeeds(kubeconfig: string, words: readonly string[]): Promise<boolean> {
  const { code } = await kubectl(kubeconfig, words);
  return code === 0;
}
