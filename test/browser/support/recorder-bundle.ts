import { build } from "esbuild";

/** `sentiero/recorder` as a page's own bundle has it, unminified; it packs without a worker. */
export async function bundleRecorder(): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: ["recorder/index.ts"],
    bundle: true,
    write: false,
    format: "esm",
    define: { __SENTIERO_VERSION__: '"test"', __SENTIERO_COMPRESS_WORKER__: '"none.js"' },
  });
  return outputFiles[0]!.text;
}
