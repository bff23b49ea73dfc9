/** The types of the API of Kubernetes as a linter: they refuse names that are unknown, and values of another kind. */
import ts from "typescript";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../../", import.meta.url));

/** In which module of `kubernetes-types` the kinds of a version of the API are. */
const modules: Readonly<Record<string, string>> = {
  "v1": "core/v1",
  "apps/v1": "apps/v1",
  "networking.k8s.io/v1": "networking/v1",
  "policy/v1": "policy/v1",
};

/** What the types find in manifests, each with the name of its file. */
export function findingsIn(
  manifests: readonly (readonly [name: string, manifest: unknown])[],
): readonly string[] {
  const lines = manifests.map(([, manifest]) => {
    const { apiVersion, kind } = manifest as { readonly apiVersion: string; readonly kind: string };
    const module = modules[apiVersion];
    if (module === undefined) throw new Error(`"${apiVersion}" is not among the modules`);
    return `(${JSON.stringify(manifest)}) satisfies import("kubernetes-types/${module}").${kind};`;
  });
  // A file that is on no disk, where modules are found.
  const path = `${root}manifests.ts`;
  const options: ts.CompilerOptions = {
    strict: true,
    noEmit: true,
    skipLibCheck: true,
    types: [],
    lib: ["lib.es5.d.ts"],
    target: ts.ScriptTarget.ES2023,
    module: ts.ModuleKind.ESNext,
    moduleResolution: ts.ModuleResolutionKind.Bundler,
  };
  const host = ts.createCompilerHost(options);
  const open = host.getSourceFile.bind(host);
  host.getSourceFile = (name, ...rest) =>
    name === path
      ? ts.createSourceFile(name, lines.join("\n"), ts.ScriptTarget.ES2023)
      : open(name, ...rest);
  return ts.getPreEmitDiagnostics(ts.createProgram([path], options, host))
    .map(({ file, start = 0, messageText }) => {
      const line = file?.getLineAndCharacterOfPosition(start).line ?? 0;
      return `${manifests[line]?.[0]}: ${ts.flattenDiagnosticMessageText(messageText, " ")}`;
    });
}
