/** Version of this build, put in by esbuild. */
declare const __SENTIERO_VERSION__: string;
/** File name of this build's recorder ("recorder-HASH.js"), put into the loader by esbuild. */
declare const __SENTIERO_RECORDER__: string;
/** File name of this build's worker that compresses uploads, put into the recorder by esbuild. */
declare const __SENTIERO_COMPRESS_WORKER__: string;
