import { SERVE_CHANNELZ } from "../../grpc/channelz.ts";
import { readChannelzTree } from "../../grpc/channelz-tree.ts";
import type { Call } from "../command.ts";
import { EXIT } from "../exit.ts";
import { parseOutput } from "../fail-on.ts";
import { channelzText } from "../report/channelz-text.ts";
import { paintFor } from "../report/paint.ts";
import { withConnection } from "../with-connection.ts";

const CHANNELZ = { service: "channelz", fix: SERVE_CHANNELZ };

/** Prints the live tree of channelz: servers and their sockets, channels down to their connections. */
export function run(call: Call): Promise<number> {
  const { program, given } = call;
  const output = parseOutput(given.texts["output"]);
  return withConnection(call, CHANNELZ, async (connection, { signal }) => {
    const tree = await readChannelzTree(connection, { clock: program.clock, signal });
    const paint = paintFor(program, "stdout");
    program.stdout.write(
      output === "json" ? `${JSON.stringify(tree, null, 2)}\n` : channelzText(tree, paint),
    );
    return EXIT.fine;
  });
}
