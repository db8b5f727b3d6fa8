import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { builtFile } from "../interop/peer.ts";
import { type RunningProgram, startProgram } from "../support/process.ts";

const TYPES = "type.googleapis.com/envoy.extensions";
const HTTP = `${TYPES}.filters.network.http_connection_manager.v3.HttpConnectionManager`;
const ROUTER = `${TYPES}.filters.http.router.v3.Router`;
const PROTOCOL = `${TYPES}.upstreams.http.v3.HttpProtocolOptions`;

/** Where it listens, and where it passes that on: ports of all addresses to one `host:port` each. */
export type Ways = Readonly<Record<number, string>>;

/** A REAL Envoy that passes gRPC on, in plaintext, as a sidecar of a mesh does. */
export async function startEnvoy(
  folder: string,
  ways: Ways,
  prefix: readonly string[],
): Promise<RunningProgram> {
  const file = join(folder, "envoy.json");
  const all = Object.entries(ways);
  const static_resources = { listeners: all.map(listener), clusters: all.map(cluster) };
  writeFileSync(file, JSON.stringify({ static_resources }));
  const quietly = ["--concurrency", "1", "--disable-hot-restart", "--log-level", "info"];
  const line = [...prefix, builtFile("envoy/bin/envoy"), "-c", file, ...quietly];
  return startProgram(line, (output) => output.includes("starting workers"));
}

const socket = (address: string, port: number) => ({
  address: { socket_address: { address, port_value: port } },
});

function listener([port]: readonly [string, string]) {
  const route = { cluster: port, timeout: "0s" };
  const everything = { name: "all", domains: ["*"], routes: [{ match: { prefix: "/" }, route }] };
  const typed_config = {
    "@type": HTTP,
    codec_type: "HTTP2",
    stat_prefix: port,
    stream_idle_timeout: "0s",
    route_config: { virtual_hosts: [everything] },
    http_filters: [{ name: "router", typed_config: { "@type": ROUTER } }],
  };
  const filters = [{ name: "http", typed_config }];
  return { name: port, ...socket("0.0.0.0", Number(port)), filter_chains: [{ filters }] };
}

function cluster([port, way]: readonly [string, string]) {
  const [host = "", to] = way.split(":");
  const http2 = { "@type": PROTOCOL, explicit_http_config: { http2_protocol_options: {} } };
  const lb_endpoints = [{ endpoint: socket(host, Number(to)) }];
  return {
    name: port,
    type: "STATIC",
    typed_extension_protocol_options: {
      "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": http2,
    },
    load_assignment: { cluster_name: port, endpoints: [{ lb_endpoints }] },
  };
}
