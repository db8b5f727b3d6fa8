import type { DescFile } from "@bufbuild/protobuf";
import type { WrittenFile } from "./written-file.mjs";

export function hydratedFile(written: WrittenFile, imports?: readonly DescFile[]): DescFile;
