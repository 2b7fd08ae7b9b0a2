import adapter from "@sveltejs/adapter-node";
import { sveltekit } from "@sveltejs/kit/vite";
import { defineConfig } from "vite";

export default defineConfig({
  plugins: [
    sveltekit({
      adapter: adapter(),
      // Where browsers reach the server: forms and the last upload of a page are refused from any other origin.
      paths: { origin: process.env.ORIGIN ?? "http://localhost:3000" },
    }),
  ],
});
