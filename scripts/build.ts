// Builds dist/: the browser files with esbuild (content-hashed, gzipped once), then src, adapters and cli with tsc.
// `--clean` removes what earlier builds left behind; a package is made that way.
import { build, type BuildOptions, type Metafile } from "esbuild";
import { spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

const root = fileURLToPath(new URL("..", import.meta.url));
const dist = join(root, "dist");
// Swapped in when it is complete: a server that is running keeps finding its files meanwhile.
const assets = join(dist, "assets.next");
const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { version: string };

const shared: BuildOptions = {
  bundle: true,
  minify: true,
  sourcemap: false,
  target: ["es2022", "safari16"],
  outdir: assets,
  entryNames: "[name]-[hash]",
  chunkNames: "[name]-[hash]",
  assetNames: "[name]-[hash]",
  metafile: true,
  legalComments: "none",
  absWorkingDir: root,
  loader: { ".svg": "dataurl" },
  define: { __SENTIERO_VERSION__: JSON.stringify(version) },
};

const started = performance.now();
rmSync(process.argv.includes("--clean") ? dist : assets, { recursive: true, force: true });
mkdirSync(assets, { recursive: true });

/** Logical name → file name; what `manifest.json` says. */
const manifest: Record<string, string> = {};

// The loader names the recorder of its own build, so the recorder is built first.
const recorder = await bundle({ entryPoints: ["recorder/recorder.ts"], format: "esm", splitting: true });
manifest.recorder = entryFile(recorder, "recorder/recorder.ts");
const loader = await bundle({
  entryPoints: ["recorder/loader.ts"],
  format: "iife",
  define: { ...shared.define, __SENTIERO_RECORDER__: JSON.stringify(manifest.recorder) },
});
manifest.loader = entryFile(loader, "recorder/loader.ts");

const pages = await bundle({
  entryPoints: [
    "dashboard-ui/dashboard.ts",
    "dashboard-ui/dashboard.css",
    "dashboard-ui/replay-frame.ts",
    "dashboard-ui/replay-frame.css",
  ],
  format: "esm",
  splitting: true,
});
manifest["dashboard"] = entryFile(pages, "dashboard-ui/dashboard.ts");
manifest["dashboard.css"] = entryFile(pages, "dashboard-ui/dashboard.css");
manifest["replay-frame"] = entryFile(pages, "dashboard-ui/replay-frame.ts");
manifest["replay-frame.css"] = entryFile(pages, "dashboard-ui/replay-frame.css");

writeModules();
report();
rmSync(join(dist, "assets"), { recursive: true, force: true });
renameSync(assets, join(dist, "assets"));
tsc();
writeFileSync(join(dist, ".built"), "");
console.log(`Built in ${((performance.now() - started) / 1000).toFixed(1)} s.`);

async function bundle(options: BuildOptions): Promise<Metafile> {
  const result = await build({ ...shared, ...options });
  return result.metafile!;
}

function entryFile(metafile: Metafile, entry: string): string {
  for (const [file, output] of Object.entries(metafile.outputs)) {
    if (output.entryPoint === entry) return basename(file);
  }
  throw new Error(`no output for ${entry}`);
}

/**
 * The server reads the browser files from modules instead of a disk, because Workers have none. `manifest.js` is
 * small and imported at start; `files.js` (gzip, base64) is imported when the first file is asked for.
 */
function writeModules(): void {
  const files: Record<string, string> = {};
  for (const name of readdirSync(assets).sort()) {
    files[name] = gzipSync(readFileSync(join(assets, name)), { level: 9 }).toString("base64");
  }
  const json = JSON.stringify(manifest, null, 2);
  writeFileSync(join(assets, "manifest.json"), `${json}\n`);
  writeFileSync(
    join(assets, "manifest.js"),
    `export const version = ${JSON.stringify(version)};\nexport const manifest = ${json};\n`,
  );
  writeFileSync(
    join(assets, "manifest.d.ts"),
    "export declare const version: string;\nexport declare const manifest: Readonly<Record<string, string>>;\n",
  );
  writeFileSync(join(assets, "files.js"), `export const files = ${JSON.stringify(files, null, 1)};\n`);
  writeFileSync(join(assets, "files.d.ts"), "export declare const files: Readonly<Record<string, string>>;\n");
}

function tsc(): void {
  const compiler = join(root, "node_modules", "typescript", "bin", "tsc");
  const projects = ["src", "adapters", "src/cli", "recorder", "dashboard-ui"].map((folder) => join(root, folder));
  const result = spawnSync(process.execPath, [compiler, "-b", ...projects], { stdio: "inherit", cwd: root });
  if (result.status !== 0) process.exit(result.status ?? 1);
}

function report(): void {
  const sizes = Object.entries(manifest).map(([name, file]) => {
    const bytes = gzipSync(readFileSync(join(assets, file)), { level: 9 }).length;
    return `${name} ${(bytes / 1000).toFixed(1)} kB`;
  });
  console.log(`Browser files, gzip: ${sizes.join(", ")}`);
}
