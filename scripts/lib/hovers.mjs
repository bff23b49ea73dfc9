import { pathToFileURL } from "node:url";
import { join } from "node:path";
import { root } from "./runtimes.mjs";

/** What an expectation is about: the caret, in a line below, and what is shown there. */
const EXPECTED = /^\/\/ *\^ (.*)$/;

/**
 * Compares what the language service of a compiler shows with what a page says that it shows.
 *
 * @param {string} place Where the compiler is installed.
 * @param {string} file Name of the page, as if it were a source of the checkout.
 * @param {string} text Sources, with what is expected below their lines.
 * @returns {Promise<{ expected: number, findings: string[] }>}
 */
export async function compareHovers(place, file, text) {
  const main = pathToFileURL(join(place, "lib", "typescript.js")).href;
  const { default: ts } = await import(main);
  const path = join(root, file);
  const service = serviceOf(ts, path, text);
  const lines = text.split("\n");
  const starts = lines.map((_, i) => lines.slice(0, i).join("\n").length + (i === 0 ? 0 : 1));
  const findings = [];
  let [expected, source] = [0, 0];
  for (const [i, line] of lines.entries()) {
    const wanted = EXPECTED.exec(line)?.[1];
    if (wanted === undefined) {
      source = i;
      continue;
    }
    expected++;
    const at = starts[source] + line.indexOf("^");
    const info = service.getQuickInfoAtPosition(path, at);
    const shown = ts.displayPartsToString(info?.displayParts ?? []).replace(/\s+/g, " ");
    if (shown !== wanted) findings.push(`${file}:${i + 1}: shown is: ${shown}`);
  }
  for (const { messageText, start } of service.getSemanticDiagnostics(path)) {
    const line = text.slice(0, start).split("\n").length;
    findings.push(`${file}:${line}: ${ts.flattenDiagnosticMessageText(messageText, "\n")}`);
  }
  return { expected, findings };
}

function serviceOf(ts, path, text) {
  const { config } = ts.readConfigFile(join(root, "tsconfig.json"), ts.sys.readFile);
  const { options } = ts.parseJsonConfigFileContent(
    { ...config, include: [], files: [path] },
    ts.sys,
    root,
  );
  const read = (name) => name === path ? text : ts.sys.readFile(name);
  return ts.createLanguageService({
    readDirectory: ts.sys.readDirectory,
    directoryExists: ts.sys.directoryExists,
    getDirectories: ts.sys.getDirectories,
    realpath: ts.sys.realpath,
    getScriptFileNames: () => [path],
    getScriptVersion: () => "1",
    getScriptSnapshot: (name) => {
      const found = read(name);
      return found === undefined ? undefined : ts.ScriptSnapshot.fromString(found);
    },
    getCurrentDirectory: () => root,
    getCompilationSettings: () => ({ ...options, isolatedDeclarations: false, declaration: false }),
    getDefaultLibFileName: (given) => ts.getDefaultLibFilePath(given),
    fileExists: (name) => name === path || ts.sys.fileExists(name),
    readFile: read,
  });
}
