import { describe, expect, test } from "vitest";
import { clientIp } from "../../src/http/connection.ts";

function ipOf(fields: { ip?: string; forwarded?: string }, trustProxy: boolean): string | null {
  const headers = new Headers(fields.forwarded === undefined ? {} : { "x-forwarded-for": fields.forwarded });
  const request = Object.assign(
    new Request("http://localhost/", { headers }),
    fields.ip !== undefined && { ip: fields.ip },
  );
  return clientIp(request, { trustProxy });
}

describe("the client's address", () => {
  test("is that of the connection, whatever the client says of itself", () => {
    expect(ipOf({ ip: "192.0.2.1", forwarded: "203.0.113.9" }, false)).toBe("192.0.2.1");
  });

  test("is behind a trusted proxy what the nearest one added, not what stood there before", () => {
    expect(ipOf({ ip: "10.0.0.1", forwarded: "192.0.2.66, 203.0.113.9" }, true)).toBe("203.0.113.9");
    expect(ipOf({ ip: "10.0.0.1" }, true)).toBe("10.0.0.1");
  });

  test.each([
    ["::ffff:192.0.2.1", "192.0.2.1"],
    ["192.0.2.1:5678", "192.0.2.1"],
    ["[2001:db8::1]:443", "2001:db8::1"],
    ["2001:db8::1", "2001:db8::1"],
    ["::1", "::1"],
  ])("is read from %s", (text, ip) => {
    expect(ipOf({ forwarded: text }, true)).toBe(ip);
  });

  test.each(["unknown", "_hidden", "<script>", "1".repeat(60), "192.0.2.1 OR 1=1", ""])("is not %o", (text) => {
    expect(ipOf({ forwarded: text }, true)).toBeNull();
  });

  test("is not known without an adapter", () => {
    expect(ipOf({}, false)).toBeNull();
  });
});
