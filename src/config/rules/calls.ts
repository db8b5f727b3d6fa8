import { list, mapping, text } from "../raw.ts";
import type { Breach, Rule } from "./rule.ts";

/** Assertions are CEL; a mistake in one would fail every run in its place. */
export const assertions: Rule = (root, { celFault }) => {
  if (celFault === undefined) return [];
  return list(root["probes"]).flatMap((probe, index) =>
    list(mapping(mapping(probe)["expect"])["that"]).flatMap((expression, at): readonly Breach[] => {
      const fault = celFault(text(expression) ?? "true");
      const path = ["probes", index, "expect", "that", at];
      return fault === undefined
        ? []
        : [
            {
              path,
              found: `${JSON.stringify(expression)} (${fault})`,
              allowed: "a CEL expression that is true or false",
            },
          ];
    }),
  );
};

/** Where a descriptor set is given, the method must be in it; else that is seen at run time. */
export const methods: Rule = (root, { methodsOf, resolvePath, fileExists }) => {
  if (methodsOf === undefined) return [];
  const targets = list(root["targets"]).map(mapping);
  return list(root["probes"]).flatMap((entry, index): readonly Breach[] => {
    const probe = mapping(entry);
    const target = targets.find(({ name }) => name === probe["target"]);
    const owner = probe["protoset"] === undefined ? target : probe;
    const file = text(owner?.["protoset"]);
    const method = text(probe["method"]);
    if (file === undefined || method === undefined || !fileExists(resolvePath(file))) return [];
    const known = methodsOf(resolvePath(file));
    if ("fault" in known) {
      const path = owner === probe ? ["probes", index] : ["targets", targets.indexOf(owner ?? {})];
      return [
        {
          path: [...path, "protoset"],
          found: `${file} (${known.fault})`,
          allowed: "a FileDescriptorSet",
        },
      ];
    }
    const path = ["probes", index, "method"];
    const isKnown = known.methods.includes(method);
    return isKnown ? [] : [{ path, allowed: "a method of the protoset", among: known.methods }];
  });
};
