import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A volume of a ConfigMap or Secret, as the kubelet mounts it. */
export interface ConfigMap {
  path(name: string): string;
  /** Replaces all files at once: a folder for them, then `..data` is renamed onto the one of before. */
  swap(files: Readonly<Record<string, string>>): void;
  remove(): void;
}

/** Source: kubernetes pkg/volume/util/atomic_writer.go. */
export function mountConfigMap(files: Readonly<Record<string, string>>): ConfigMap {
  const volume = mkdtempSync(join(tmpdir(), "grpc-doctor-volume-"));
  let version = 0;
  const swap = (next: Readonly<Record<string, string>>) => {
    version += 1;
    const folder = `..${version}`;
    mkdirSync(join(volume, folder));
    for (const [name, text] of Object.entries(next))
      writeFileSync(join(volume, folder, name), text);
    symlinkSync(folder, join(volume, "..data_tmp"));
    renameSync(join(volume, "..data_tmp"), join(volume, "..data"));
    if (version > 1) rmSync(join(volume, `..${version - 1}`), { recursive: true });
  };
  swap(files);
  for (const name of Object.keys(files)) symlinkSync(join("..data", name), join(volume, name));
  return {
    path: (name) => join(volume, name),
    swap,
    remove: () => rmSync(volume, { recursive: true, force: true }),
  };
}
