// The grpc-js side of the interop suite: the same program as ../go, with the same commands.
//
// A server with switches for what a server really does wrong, and a client that storms it. Both read
// commands from standard input, one a line, and answer each with one line of JSON on standard output;
// the first line says where they listen. They end with their standard input.
import { call } from "./call.mjs";
import { fail } from "./lines.mjs";
import { serve } from "./serve.mjs";

const [role, ...words] = process.argv.slice(2);
const run = { serve, call }[role];
if (run === undefined) fail("usage: main.mjs serve|call [flags]");
await run(words);
