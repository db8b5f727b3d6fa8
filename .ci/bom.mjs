import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/**
 * Writes the bill of materials of a bundle (CycloneDX 1.5): every package of which a line is in it, with
 * version, licence and the hash that the lockfile holds. Made from what the bundler read and not from
 * what is installed, so that it names what runs. The same bundle gives the same file.
 */
export function writeBom({ inputs, root, version, file }) {
  const lock = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8"));
  const folders = Object.keys(inputs).flatMap(
    (input) => /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+/.exec(input) ?? [],
  );
  const components = [...new Set(folders)].sort().map((folder) => component(root, folder, lock));
  const bom = {
    bomFormat: "CycloneDX",
    specVersion: "1.5",
    version: 1,
    metadata: { component: { type: "application", name: "grpc-doctor", version } },
    components,
  };
  writeFileSync(file, `${JSON.stringify(bom, undefined, 2)}\n`);
}

function component(root, folder, lock) {
  const { name, version, license } = JSON.parse(
    readFileSync(join(root, folder, "package.json"), "utf8"),
  );
  const inLock = folder.slice(folder.indexOf("node_modules/"));
  const integrity = lock.packages[inLock]?.integrity;
  if (integrity === undefined || license === undefined) {
    throw new Error(`${folder}: no licence, or not in the lockfile`);
  }
  return {
    type: "library",
    name,
    version,
    purl: `pkg:npm/${name.replace("@", "%40")}@${version}`,
    licenses: [license.includes(" ") ? { expression: license } : { license: { id: license } }],
    hashes: [{ alg: "SHA-512", content: hex(integrity) }],
  };
}

function hex(integrity) {
  const [, digest] = /^sha512-(\S+)/.exec(integrity) ?? [];
  return Buffer.from(digest ?? "", "base64").toString("hex");
}
