/**
 * Forbids `import("package")`: in a split bundle it yields only `default`. A heavy package is loaded
 * late as `import("./x.ts")` of a file of our own, which imports the package statically.
 */
const noPackageImport = {
  create: (context) => ({
    ImportExpression(node) {
      const source = node.source;
      if (source.type === "Literal" && String(source.value).startsWith(".")) return;
      context.report({
        node,
        message: 'Load a package late through a file of our own: import("./x.ts").',
      });
    },
  }),
};

export default { meta: { name: "house" }, rules: { "no-package-import": noPackageImport } };
