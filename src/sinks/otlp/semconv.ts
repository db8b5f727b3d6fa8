/**
 * Every attribute name that our spans and their resource have.
 *
 * The RPC names are those of OpenTelemetry's stable conventions (1.45): `rpc.status_code` took the
 * place of `rpc.response.status_code` and `rpc.grpc.status_code`, and may move again; so they stand
 * here and nowhere else. What no convention names has our own prefix.
 *
 * Source: open-telemetry/semantic-conventions docs/rpc/rpc-spans.md, docs/rpc/grpc.md,
 * docs/non-normative/k8s-attributes.md.
 */
export const RPC_SYSTEM_NAME = "rpc.system.name";
export const RPC_METHOD = "rpc.method";
export const RPC_STATUS_CODE = "rpc.status_code";
export const SERVER_ADDRESS = "server.address";
export const SERVER_PORT = "server.port";
export const NETWORK_PEER_ADDRESS = "network.peer.address";
export const NETWORK_PEER_PORT = "network.peer.port";
export const ERROR_TYPE = "error.type";
/** Defined for HTTP; says that no user made this request. */
export const SYNTHETIC_TYPE = "user_agent.synthetic.type";

export const SERVICE_NAME = "service.name";
export const SERVICE_VERSION = "service.version";
export const SERVICE_NAMESPACE = "service.namespace";
export const SERVICE_INSTANCE_ID = "service.instance.id";
export const K8S_POD_NAME = "k8s.pod.name";
export const K8S_POD_UID = "k8s.pod.uid";
export const K8S_POD_IP = "k8s.pod.ip";
export const K8S_NAMESPACE_NAME = "k8s.namespace.name";
export const K8S_NODE_NAME = "k8s.node.name";

export const TARGET = "grpc_doctor.target.name";
export const PROBE_NAME = "grpc_doctor.probe.name";
export const PROBE_OUTCOME = "grpc_doctor.probe.outcome";
export const PROBE_PHASE = "grpc_doctor.probe.phase";
export const PROBE_CONNECTION = "grpc_doctor.probe.connection";
export const NOT_SERVING_LEAD = "grpc_doctor.drain.not_serving_lead";
/** The finding that the run showed. */
export const FINDING_CODE = "finding.code";
