import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { expect, inject, it } from "vitest";
import { isLeftOut, toSlimDom } from "../../recorder/slim-dom.ts";

interface Recorded {
  readonly type: number;
  readonly tagName?: string;
  readonly attributes?: Record<string, string>;
}

/** rrweb's own, which the build leaves out. */
interface Original {
  slimDOMExcluded(node: Recorded, options: object): boolean;
  slimDOMDefaults(options: unknown): Record<string, boolean>;
}

const original = readOriginal();
const OPTIONS = Object.keys(original.slimDOMDefaults("all"));

const NAMES =
  "description keywords,keywords,og:title,twitter:card,pinterest,fb:app_id,robots,GoogleBot,bingbot,author,generator,framework," +
  "publisher,progid,article:author,product:price,google-site-verification,yandex-verification,csrf-token,p:domain_verify,verify-v1," +
  "verification,shopify-checkout-api-token,msapplication-TileColor,msapplication-tileimage,application-name,viewport,x-og:y,mydescription";
const RELS = "icon,apple-touch-icon,shortcut icon,Shortcut Icon,stylesheet,preload,modulepreload,prefetch,x";
const HREFS =
  "https://a.example/a.js,https://a.example/a.js?v=1,https://a.example/a.css#.js,https://a.example/?a.js,https://a.example/a.JSON";

const oneOf = (texts: string): fc.Arbitrary<string> => fc.constantFrom(...texts.split(","));
const aNode: fc.Arbitrary<Recorded> = fc.oneof(
  { weight: 1, arbitrary: fc.constantFrom({ type: 3 }, { type: 5 }, { type: 0 }) },
  {
    weight: 20,
    arbitrary: fc.record({
      type: fc.constant(2),
      tagName: oneOf("meta,meta,meta,link,link,script,p"),
      attributes: fc.record(
        {
          name: oneOf(NAMES),
          property: oneOf(NAMES),
          rel: oneOf(RELS),
          as: oneOf("script,style"),
          href: oneOf(HREFS),
          "http-equiv": oneOf("refresh"),
        },
        { requiredKeys: [] },
      ),
    }),
  },
);

it("leaves out of a head what rrweb does, whatever is asked for", () => {
  fc.assert(
    fc.property(aNode, fc.option(fc.subarray(OPTIONS)), (node, names) => {
      const given = names ? Object.fromEntries(names.map((name) => [name, true])) : "all";
      const options = original.slimDOMDefaults(given);
      expect(isLeftOut(node, toSlimDom(given))).toBe(original.slimDOMExcluded(node, options));
    }),
    { numRuns: 3_000, seed: inject("seed") },
  );
});

it("asks for all of it unless a configuration gives options", () => {
  expect(toSlimDom(undefined)).toEqual(original.slimDOMDefaults("all"));
  expect(toSlimDom("some")).toEqual(original.slimDOMDefaults("all"));
  expect(toSlimDom({ script: true })).toEqual({ script: true });
});

function readOriginal(): Original {
  const source = readFileSync(fileURLToPath(import.meta.resolve("@rrweb/record")), "utf8");
  const between = (from: string, to: string): string => source.slice(source.indexOf(from), source.indexOf(to));
  const parts = [
    between("function extractFileExtension(", "function extractOrigin("),
    between("function lowerIfExists(", "function serializeNodeWithId("),
  ];
  const code = `const NodeType = { Element: 2, Comment: 5 }; ${parts.join("")} return { slimDOMExcluded, slimDOMDefaults };`;
  return new Function("window", code)({ location: { href: "https://a.example/" } }) as Original;
}
