import type { Dialect } from "./dialect.ts";
import { unknown } from "./unknown.ts";

/**
 * tonic (Rust) has no channelz; only its SETTINGS tell it: hyper's window of 1 MiB beside a header list
 * of 16 KiB, where Java says 8. Its UNIMPLEMENTED has no text, as C++'s has none.
 *
 * Source: measured on tonic 0.14.9.
 */
export const tonic: Dialect = {
  ...unknown,
  implementation: "tonic",
  tells: {
    ...unknown.tells,
    settings: ({ initialWindowSize, maxHeaderListSize }) =>
      initialWindowSize === 1_048_576 && maxHeaderListSize === 16_384,
  },
};
