import type { IncomingMessage } from "node:http";
import { type Reply, textReply } from "./reply.ts";

/** A request as a route sees it. */
export interface Asked {
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage["headers"];
}

export interface Route {
  readonly method: "GET" | "POST";
  readonly path: string;
  answer(asked: Asked): Reply | Promise<Reply>;
}

/** A path that is longer is none of ours. */
const LONGEST_URL = 2000;

/**
 * Finds the route and asks it: 404 for a path that no route has, 405 with `Allow` for a method that
 * the path has not. HEAD is answered by GET, without the body.
 */
export async function answer(routes: readonly Route[], request: IncomingMessage): Promise<Reply> {
  const { method = "GET", url = "/", headers } = request;
  const [path = "/", search = ""] = url.split("?", 2);
  if (url.length > LONGEST_URL) return textReply(414, "the request's target is too long");

  const ofPath = routes.filter((route) => route.path === path);
  if (ofPath.length === 0) return textReply(404, "no such page");
  const wanted = method === "HEAD" ? "GET" : method;
  const route = ofPath.find((candidate) => candidate.method === wanted);
  if (route === undefined) return notAllowed(ofPath);
  return route.answer({ query: new URLSearchParams(search), headers });
}

function notAllowed(ofPath: readonly Route[]): Reply {
  const methods = ofPath.flatMap((route) => (route.method === "GET" ? ["GET", "HEAD"] : ["POST"]));
  return {
    ...textReply(405, "this method is not allowed here"),
    headers: { allow: methods.join(", ") },
  };
}
