import { readFileSync, readdirSync } from "node:fs";
import { extname } from "node:path";
import { huts, type Hut } from "./huts.ts";
import { drawScene, type Light } from "./scenes.ts";

const folder = new URL("./site/", import.meta.url);

const types: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".svg": "image/svg+xml",
};

/** As strict as a careful site's policy would be, to show that the recorder works under one. */
const contentSecurityPolicy =
  "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

interface Asset {
  readonly body: string | Uint8Array<ArrayBuffer>;
  readonly type: string;
}

/**
 * The demo's web site: Valcorda, mountain huts in an invented valley. `scriptTag` is what `sentiero.scriptTag()` gave;
 * it is put into the head of every page. Only what is in memory after this call can be served, so no path leads out
 * of the site's folder. Unknown paths below `/planner` get the planner, whose script routes them; other unknown paths
 * get a 404 page.
 */
export function createSite(scriptTag: string): (request: Request) => Response {
  const pages = new Map<string, string>();
  const assets = new Map<string, Asset>();
  const source = (name: string): string => readFileSync(new URL(name, folder), "utf8");
  const layout = { header: source("parts/header.html"), footer: source("parts/footer.html"), scriptTag };

  for (const path of ["/", "/huts", "/planner", "/join", "/help", "/privacy", "/404"]) {
    pages.set(path, render(source(`${path === "/" ? "home" : path.slice(1)}.html`), path, layout));
  }
  const hutPage = source("hut.html");
  for (const hut of huts) {
    pages.set(`/huts/${hut.slug}`, render(describe(hutPage, hut), `/huts/${hut.slug}`, layout));
  }
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const type = types[extname(entry.name)];
    if (entry.isDirectory() || type === undefined || entry.name.endsWith(".html")) continue;
    assets.set(`/${entry.name}`, { body: new Uint8Array(readFileSync(new URL(entry.name, folder))), type });
  }

  return (request) => {
    if (request.method !== "GET" && request.method !== "HEAD") {
      return new Response("Method not allowed\n", { status: 405, headers: { allow: "GET, HEAD" } });
    }
    const path = new URL(request.url).pathname.replace(/(?<=.)\/+$/, "");
    const asset = assets.get(path);
    if (asset) return answer(request, 200, asset);
    const page = pages.get(path.startsWith("/planner/") ? "/planner" : path);
    const isFound = page !== undefined && path !== "/404";
    return answer(request, isFound ? 200 : 404, { body: page ?? pages.get("/404")!, type: types[".html"]! });
  };
}

function answer(request: Request, status: number, { body, type }: Asset): Response {
  return new Response(request.method === "HEAD" ? null : body, {
    status,
    headers: {
      "content-type": type,
      "cache-control": "no-cache",
      "content-security-policy": contentSecurityPolicy,
      "x-content-type-options": "nosniff",
      "referrer-policy": "same-origin",
    },
  });
}

/** Puts the shared parts, the drawings and the cards in the place of the page's comments. */
function render(html: string, path: string, layout: { header: string; footer: string; scriptTag: string }): string {
  const section = `/${path.split("/")[1] ?? ""}`;
  const parts: Record<string, (...words: string[]) => string> = {
    sentiero: () => layout.scriptTag,
    header: () => layout.header.replace(`<a href="${section}"`, `<a href="${section}" aria-current="page"`),
    footer: () => layout.footer,
    // A wide drawing of its own, without a hut: the signpost stands where one would be.
    hero: () =>
      drawScene({ seed: 305, ground: "meadow", trees: "fir", hut: "none" }, "dawn", "", { width: 1280, sky: 220 }),
    scene: (slug, light) => drawScene(huts.find((hut) => hut.slug === slug)!.landscape, light as Light),
    cards: (count = "99") => huts.slice(0, Number(count)).map(card).join("\n"),
    others: () =>
      huts
        .filter((hut) => path !== `/huts/${hut.slug}`)
        .slice(0, 3)
        .map(card)
        .join("\n"),
    options: () => huts.map((hut) => `<option value="${hut.slug}">${hut.name}</option>`).join(""),
    data: () => `<script type="application/json" id="huts">${JSON.stringify(huts).replaceAll("<", "\\u003c")}</script>`,
  };
  return html.replace(/<!-- ([a-z]+)((?: [a-z0-9-]+)*) -->/g, (comment, name: string, words: string) => {
    const part = parts[name];
    return part ? part(...words.split(" ").filter(Boolean)) : comment;
  });
}

function describe(html: string, hut: Hut): string {
  const values: Record<string, string> = {
    ...Object.fromEntries(Object.entries(hut).map(([key, value]) => [key, String(value)])),
    altitude: metres(hut.altitude),
    ascent: metres(hut.ascent),
    tags: tagList(hut),
    private: String(hut.price + 22),
    dormitory: String(hut.price),
    quad: String(hut.price + 9),
  };
  return html.replace(/\{\{(\w+)\}\}/g, (_, key: string) => values[key] ?? "");
}

function card(hut: Hut): string {
  return `<li class="card" data-tags="${hut.tags.join(" ")}" data-price="${hut.price}" data-altitude="${hut.altitude}">
  ${drawScene(hut.landscape, "noon")}
  <div class="card-text">
    <p class="altitude">${metres(hut.altitude)} m</p>
    <h3><a href="/huts/${hut.slug}">${hut.name}</a></h3>
    <p>${hut.line}</p>
    <p class="card-facts"><span>${hut.hours} on foot</span><span>${hut.beds} beds</span><strong>from €${hut.price}</strong></p>
  </div>
</li>`;
}

function tagList(hut: Hut): string {
  const names = { family: "Good with children", lake: "By the water", winter: "Open in winter", summit: "Summit base" };
  return hut.tags.map((tag) => `<li>${names[tag]}</li>`).join("");
}

function metres(value: number): string {
  return value.toLocaleString("en-GB");
}
