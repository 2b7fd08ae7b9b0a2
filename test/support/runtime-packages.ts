import { createRequire, registerHooks } from "node:module";
import { fileURLToPath } from "node:url";

/** What only tests need is installed apart, in `test/runtimes`, so that the demo does not load it. */
const RUNTIMES = new URL("../runtimes/package.json", import.meta.url);
const require = createRequire(RUNTIMES);
const packages = Object.keys((require("./package.json") as { dependencies: object }).dependencies);

// A connector of db0 imports its client from where db0 lies, which is not where the clients of the tests lie.
registerHooks({
  resolve(specifier, context, next) {
    const isOurs = packages.some((name) => specifier === name || specifier.startsWith(`${name}/`));
    return next(specifier, isOurs ? { ...context, parentURL: RUNTIMES.href } : context);
  },
});

/**
 * Imports a package of `test/runtimes`. Its types are not installed: describe what is used of it.
 *
 * ```ts
 * const { Miniflare } = await importRuntimePackage<{ Miniflare: new (options: object) => Worker }>("miniflare");
 * ```
 */
export async function importRuntimePackage<T>(name: string): Promise<T> {
  // Through a loader in that folder: vitest resolves a name from the file that imports it.
  const { load } = await import("../runtimes/load.ts");
  return (await load(name)) as T;
}

/** The path of a program that a package of `test/runtimes` brings, such as `bun` or `deno`. */
export function runtimeProgram(name: string): string {
  return fileURLToPath(new URL(`node_modules/.bin/${name}`, RUNTIMES));
}
