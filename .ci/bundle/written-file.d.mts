import type { DescFile } from "@bufbuild/protobuf";

export interface WrittenFile {
  readonly types: readonly { readonly name: string }[];
  readonly file: unknown;
}

export function writtenFile(file: DescFile): WrittenFile;
