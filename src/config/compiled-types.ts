/**
 * What is allowed in place of a `.proto` file, with the commands that make it: we do not compile its
 * text; the two tools that do are one command away.
 */
export function compiledTypes(file: string): string {
  const folder = file.includes("/") ? file.slice(0, file.lastIndexOf("/")) : ".";
  const output = file.replace(/\.proto$/, ".binpb");
  return (
    `a compiled FileDescriptorSet, made by: buf build ${folder} --path ${file} -o ${output}` +
    ` or: protoc -I ${folder} --include_imports --descriptor_set_out=${output} ${file}`
  );
}
