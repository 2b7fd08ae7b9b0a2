// Builds dist/: the browser files with esbuild (content-hashed, gzipped once), then src, adapters and cli with tsc.
// `--clean` removes what earlier builds left behind; a package is made that way.
import { build, type BuildOptions, type Metafile } from "esbuild";
import { spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import { minifySync } from "rolldown/utils";
import { minify } from "terser";
import { MANGLED_NAMES } from "./mangled-names.ts";
import { recordPatch } from "./record-patch.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const dist = join(root, "dist");
// Swapped in when it is complete: a server that is running keeps finding its files meanwhile, and two builds at once do no
// harm to each other.
const assets = join(dist, `assets.${process.pid}`);
const { version, devDependencies } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
  readonly version: string;
  readonly devDependencies: Readonly<Record<string, string>>;
};

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

/**
 * What pages of other people load is minified three times: Terser's and Oxc's ways after esbuild's save another fourteenth.
 * The comment makes the names, which esbuild gives before that, different where others of them minify; they drop it.
 */
const recorded: BuildOptions = {
  footer: { js: `/* terser ${devDependencies.terser}, oxc of rolldown ${devDependencies.rolldown} */` },
};

const started = performance.now();
rmSync(process.argv.includes("--clean") ? dist : assets, { recursive: true, force: true });
mkdirSync(assets, { recursive: true });

/** Logical name → file name; what `manifest.json` says. */
const manifest: Record<string, string> = {};

// Each names what it loads of its own build: the loader the recorder, the recorder its worker.
const worker = await bundle({ entryPoints: ["recorder/compress-worker.ts"], format: "iife", ...recorded });
manifest["compress-worker"] = entryFile(worker, "recorder/compress-worker.ts");
const recorder = await bundle({
  entryPoints: ["recorder/recorder.ts"],
  format: "esm",
  splitting: true,
  ...recorded,
  // Some 0.8 kB. Not for `sentiero/recorder`: who bundles that mangles by their own rules.
  mangleProps: new RegExp(`^(?:${MANGLED_NAMES.join("|")})$`),
  plugins: [recordPatch],
  define: { ...shared.define, __SENTIERO_COMPRESS_WORKER__: JSON.stringify(manifest["compress-worker"]) },
});
manifest.recorder = entryFile(recorder, "recorder/recorder.ts");
// `sentiero/recorder`, for pages that are bundled; its worker lies beside it.
const library = join(dist, "recorder");
mkdirSync(library, { recursive: true });
for (const name of readdirSync(library)) if (name.endsWith(".js")) rmSync(join(library, name));
await bundle({
  entryPoints: ["recorder/index.ts"],
  outdir: library,
  entryNames: "[name]",
  format: "esm",
  splitting: true,
  plugins: [recordPatch],
  // Vite would write so small a file into the code, as an address that no worker starts from; others pass over the query.
  define: { ...shared.define, __SENTIERO_COMPRESS_WORKER__: JSON.stringify("./compress-worker.js?no-inline") },
});
await bundle({ entryPoints: ["recorder/compress-worker.ts"], outdir: library, entryNames: "[name]", format: "iife" });
const loader = await bundle({
  entryPoints: ["recorder/loader.ts"],
  format: "iife",
  ...recorded,
  define: { ...shared.define, __SENTIERO_RECORDER__: JSON.stringify(manifest.recorder) },
});
manifest.loader = entryFile(loader, "recorder/loader.ts");
await minifyAgain(recorder, true);
for (const script of [worker, loader]) await minifyAgain(script, false);
/** Files that pages of other people load. */
const recorderFiles = [worker, recorder, loader].flatMap(({ outputs }) =>
  Object.keys(outputs).map((file) => basename(file)),
);

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

async function minifyAgain({ outputs }: Metafile, isModule: boolean): Promise<void> {
  for (const output of Object.keys(outputs)) {
    const file = join(root, output);
    // Nothing of what Terser calls unsafe. A third pass finds nothing.
    const terse = await minify(readFileSync(file, "utf8"), { module: isModule, ecma: 2020, compress: { passes: 2 } });
    const { code, errors } = minifySync(basename(file), terse.code!, {
      module: isModule,
      compress: { target: "es2022" },
      mangle: { toplevel: isModule },
      codegen: { removeWhitespace: true, legalComments: "none" },
    });
    if (errors.length > 0) throw new Error(`${basename(file)} can't be minified: ${errors[0]!.message}`);
    writeFileSync(file, code);
  }
}

/**
 * The server reads the browser files from modules instead of a disk, because Workers have none. `manifest.js` is
 * small and imported at start; `files.js` (gzip, base64) is imported when the first file is asked for. Those of the recorder
 * are there as brotli too: a tenth less for every visitor of a page, where the dashboard has few.
 */
function writeModules(): void {
  const files: Record<string, string> = {};
  const brotliFiles: Record<string, string> = {};
  for (const name of readdirSync(assets).sort()) {
    const bytes = readFileSync(join(assets, name));
    files[name] = gzipSync(bytes, { level: 9 }).toString("base64");
    if (recorderFiles.includes(name)) brotliFiles[name] = brotli(bytes).toString("base64");
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
  const [gzips, brotlis] = [files, brotliFiles].map((table) => JSON.stringify(table, null, 1));
  writeFileSync(join(assets, "files.js"), `export const files = ${gzips};\nexport const brotliFiles = ${brotlis};\n`);
  // What bundles for Workers get in its place: their files are static assets.
  writeFileSync(join(assets, "no-files.js"), "export const files = {};\nexport const brotliFiles = {};\n");
  writeFileSync(
    join(assets, "files.d.ts"),
    ["files", "brotliFiles"]
      .map((name) => `export declare const ${name}: Readonly<Record<string, string>>;\n`)
      .join(""),
  );
}

function brotli(bytes: Uint8Array): Buffer {
  const { BROTLI_PARAM_MODE, BROTLI_MODE_TEXT, BROTLI_PARAM_SIZE_HINT } = constants;
  // Quality 11 and a window that holds every file are the defaults.
  return brotliCompressSync(bytes, {
    params: { [BROTLI_PARAM_MODE]: BROTLI_MODE_TEXT, [BROTLI_PARAM_SIZE_HINT]: bytes.length },
  });
}

function tsc(): void {
  const compiler = join(root, "node_modules", "typescript", "bin", "tsc");
  const projects = ["src", "adapters", "src/cli", "recorder", "dashboard-ui"].map((folder) => join(root, folder));
  const result = spawnSync(process.execPath, [compiler, "-b", ...projects], { stdio: "inherit", cwd: root });
  if (result.status !== 0) process.exit(result.status ?? 1);
}

function report(): void {
  const size = (file: string): string => {
    const bytes = readFileSync(join(assets, file));
    const gzip = `${(gzipSync(bytes, { level: 9 }).length / 1000).toFixed(1)} kB`;
    return recorderFiles.includes(file) ? `${gzip} (brotli ${(brotli(bytes).length / 1000).toFixed(1)})` : gzip;
  };
  const named = Object.entries(manifest);
  const entries = new Set(Object.values(manifest));
  const chunks = readdirSync(assets).filter((file) => /-[A-Z0-9]{8}\.(?:js|css)$/.test(file) && !entries.has(file));
  console.log(`Browser files, gzip: ${named.map(([name, file]) => `${name} ${size(file)}`).join(", ")}`);
  console.log(`Loaded on demand: ${chunks.map((file) => `${file} ${size(file)}`).join(", ") || "nothing"}`);
}
