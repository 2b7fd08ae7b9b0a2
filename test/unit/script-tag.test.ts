import { createElement } from "react";
import { renderToString } from "react-dom/server";
import { describe, expect, test } from "vitest";
import { manifest } from "#assets/manifest.js";
import { SentieroScript } from "../../adapters/react.ts";
import type { SentieroOptions } from "../../src/index.ts";
import { createTestSentiero } from "../support/sentiero.ts";

function render(
  options: Record<string, unknown> = {},
  tag?: Parameters<ReturnType<typeof createTestSentiero>["scriptTag"]>[0],
) {
  return createTestSentiero(options as SentieroOptions).scriptTag(tag);
}

/** What the page's parser and `JSON.parse` make of the first tag. */
function configOf(html: string): Record<string, unknown> {
  const start = html.indexOf(">") + 1;
  return JSON.parse(html.slice(start, html.toLowerCase().indexOf("</script", start))) as Record<string, unknown>;
}

describe("scriptTag", () => {
  test("gives the configuration and the script of this build", () => {
    const html = render();
    expect(html).toMatch(
      /^<script type="application\/json" id="sentiero-config">\{.*\}<\/script>\n<script async src="[^"]+"><\/script>$/,
    );
    expect(html).toContain(`src="/sentiero/assets/${manifest.loader}"`);
    expect(configOf(html)).toEqual({
      eventsUrl: "/sentiero/events",
      sessionMaxAgeMs: 604_800_000,
      respectGpc: true,
    });
  });

  test("hands to the recorder what the host has set, and nothing that is the server's", () => {
    const options = {
      privacy: "strict",
      errorSampleRate: 0.5,
      captureRequests: { urls: ["/api/*"] },
      retentionDays: 3,
    };
    expect(configOf(render(options as never))).toEqual({
      eventsUrl: "/sentiero/events",
      sessionMaxAgeMs: 604_800_000,
      respectGpc: true,
      privacy: "strict",
      errorSampleRate: 0.5,
      captureRequests: { urls: ["/api/*"] },
    });
  });

  test("hands over the rules of redaction where there are any, as JSON", () => {
    const redaction = { urlMode: "keepFiltered", customPatterns: [/ORD-\d+/i] };
    expect(configOf(render({ redaction } as never)).redaction).toMatchObject({
      urlMode: "keepFiltered",
      customPatterns: [{ source: "ORD-\\d+", flags: expect.stringMatching(/^[gi]{2}$/) }],
    });
  });

  test("names the opt-out cookie only where visitors may opt out", () => {
    expect(configOf(render())).not.toHaveProperty("optOutCookieName");
    expect(configOf(render({ userOptOut: true }))).toHaveProperty("optOutCookieName", "sentiero_optout");
  });

  test("nothing in the configuration can end the element or begin another", () => {
    const hostile = "</script><script>alert(1)</script><!--<script>]]>&\u2028\u2029";
    const html = render({ recorderOptions: { blockSelector: hostile } }, { eventsUrl: `/${hostile}/events` });
    expect(html.match(/<\/?script/gi)).toEqual(["<script", "</script", "<script", "</script"]);
    expect(html).not.toContain("<!--");
    expect(html.slice(0, html.indexOf("</script"))).not.toMatch(/[\u2028\u2029]/);
    expect(configOf(html)).toMatchObject({
      eventsUrl: `/${hostile}/events`,
      recorderOptions: { blockSelector: hostile },
    });
  });

  test("attributes are escaped", () => {
    const html = render({}, { nonce: `a"b'c<d>&`, recorderUrl: `/x" onerror="alert(1)` });
    expect(html).not.toContain('" onerror=');
    expect(html.match(/ nonce="a&#34;b&#39;c&#60;d&#62;&#38;"/g)).toHaveLength(2);
  });

  test("a nonce stands on both tags, without one there is none", () => {
    expect(render({}, { nonce: "abc123" }).match(/ nonce="abc123"/g)).toHaveLength(2);
    expect(render()).not.toContain("nonce");
  });

  test.each([
    [undefined, "/sentiero/assets"],
    [{ eventsUrl: "/a/b/events" }, "/a/b/assets"],
    [{ eventsUrl: "/events" }, "/assets"],
    [{ eventsUrl: "https://rec.example/s/events" }, "https://rec.example/s/assets"],
    [{ eventsUrl: "/collect", recorderUrl: "/sentiero/assets" }, "/sentiero/assets"],
    [{ recorderUrl: "https://cdn.example/assets/" }, "https://cdn.example/assets"],
    [{ recorderUrl: "https://cdn.example/assets//" }, "https://cdn.example/assets"],
  ])("with %j the recorder comes from %s", (tag, base) => {
    expect(render({}, tag)).toContain(`src="${base}/${manifest.loader}"`);
  });

  test("takes another base path", () => {
    const html = render({ basePath: "/deep/er" });
    expect(configOf(html).eventsUrl).toBe("/deep/er/events");
    expect(html).toContain(`src="/deep/er/assets/${manifest.loader}"`);
  });

  test.each(["/collect", "/events/", "/events?x=1", ""])(
    "eventsUrl %j alone is an error that says what to pass",
    (eventsUrl) => {
      expect(() => render({}, { eventsUrl })).toThrow(
        expect.objectContaining({ code: "RECORDER_URL_MISSING", message: expect.stringContaining("pass recorderUrl") }),
      );
    },
  );
});

describe("scriptAttributes", () => {
  test("are the script of this build with its configuration on it, as plain data", () => {
    const sentiero = createTestSentiero({ privacy: "strict" });
    const attributes = sentiero.scriptAttributes({ nonce: "n" });
    expect(JSON.parse(JSON.stringify(attributes))).toEqual(attributes);
    expect(attributes).toMatchObject({ async: true, src: `/sentiero/assets/${manifest.loader}`, nonce: "n" });
    expect(JSON.parse(attributes["data-sentiero-config"])).toEqual(configOf(sentiero.scriptTag()));
  });

  test("make one element in React, with its configuration escaped", () => {
    const sentiero = createTestSentiero({ redaction: { customPatterns: [/"<\/script>/] } });
    const html = renderToString(createElement(SentieroScript, sentiero.scriptAttributes({ nonce: "n" })));
    expect(html).toMatch(
      /^<script async="" src="\/sentiero\/assets\/loader-\w+\.js" data-sentiero-config="[^"<>]*" nonce="n"><\/script>$/,
    );
    expect(html).toContain("customPatterns");
  });
});
