/** Makes the script of the page: what it imports, in one file. Yours may come from Vite or any other. */
import { fileURLToPath } from "node:url";
import { rolldown } from "rolldown";

/** Bundles `page.ts`. */
export async function bundlePage(): Promise<string> {
  const bundle = await rolldown({
    input: fileURLToPath(new URL("page.ts", import.meta.url)),
    platform: "browser",
    tsconfig: true,
  });
  try {
    const { output: [script] } = await bundle.generate({ format: "esm", minify: true });
    return script.code;
  } finally {
    await bundle.close();
  }
}
