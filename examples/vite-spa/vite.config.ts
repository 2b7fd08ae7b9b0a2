import { defineConfig } from "vite";

// Where `sentiero serve` listens. `vite preview` takes the same proxy.
const sentiero = process.env.SENTIERO_URL ?? "http://localhost:4747";

export default defineConfig({ server: { proxy: { "/sentiero": sentiero } } });
