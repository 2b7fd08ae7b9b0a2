import { createStorage } from "unstorage";
import { describe, expect, test, vi } from "vitest";
import { createSentiero, SentieroError, type SentieroOptions } from "../../src/index.ts";
import { resolveOptions } from "../../src/options.ts";

const refuse = (options: unknown): SentieroError => {
  try {
    resolveOptions(options as SentieroOptions);
  } catch (error) {
    return error as SentieroError;
  }
  throw new Error(`${JSON.stringify(options)} was accepted`);
};

describe("options", () => {
  test("all have a default", () => {
    expect(resolveOptions()).toMatchObject({
      basePath: "/sentiero",
      auth: { kind: "closed" },
      corsOrigins: [],
      enforceOrigin: true,
      trustProxy: false,
      respectGpc: true,
      userOptOut: false,
      optOutCookieName: "sentiero_optout",
      sessionMaxAgeMs: 604_800_000,
      bindSessions: true,
      limits: {
        maxBodyBytes: 8 * 2 ** 20,
        maxInflatedBytes: 64 * 2 ** 20,
        maxEventsPerBatch: 100_000,
        maxMemoryBytes: 256 * 2 ** 20,
      },
    });
  });

  test("cannot be changed once resolved", () => {
    const given = { corsOrigins: ["https://shop.example"], limits: { maxBodyBytes: 5 } };
    const resolved = resolveOptions(given);
    expect(() => Object.assign(resolved, { basePath: "/other" })).toThrow(TypeError);
    expect(() => Object.assign(resolved.limits, { maxBodyBytes: 9 })).toThrow(TypeError);
    given.corsOrigins.push("https://evil.example");
    given.limits.maxBodyBytes = 7;
    expect(resolved.corsOrigins).toEqual(["https://shop.example"]);
    expect(resolved.limits.maxBodyBytes).toBe(5);
    expect(() => (resolved.corsOrigins as string[]).push("https://evil.example")).toThrow(TypeError);
  });

  test("keep an auth that is changed after it was given", () => {
    const basicAuth = { user: "ada", password: "secret" };
    const resolved = resolveOptions({ basicAuth });
    basicAuth.password = "";
    expect(resolved.auth).toEqual({ kind: "basic", user: "ada", password: "secret" });
  });

  test.each([
    [{ limits: { maxBodyBytes: "2mb" } }, 'options.limits.maxBodyBytes must be a positive integer, got "2mb"'],
    [{ limits: { maxBodyBytes: 0 } }, "options.limits.maxBodyBytes must be a positive integer, got 0"],
    [{ limits: { maxBodyBytes: 1.5 } }, "options.limits.maxBodyBytes must be a positive integer, got 1.5"],
    [{ limits: { maxBodyBytes: null } }, "options.limits.maxBodyBytes must be a positive integer, got null"],
    [{ flushIntervalMs: -1 }, "options.flushIntervalMs must be a positive integer, got -1"],
    [{ flushIntervalMs: Number.NaN }, "options.flushIntervalMs must be a positive integer"],
    [{ errorSampleRate: 1.5 }, "options.errorSampleRate must be a number from 0 to 1, got 1.5"],
    [{ privacy: "none" }, 'options.privacy must be "balanced" or "strict", got "none"'],
    [{ mergeWindowMs: 900 }, "options.mergeWindowMs must be at most 500, got 900"],
    [{ captureConsole: ["loud"] }, "options.captureConsole.0 must be a list of levels such as error and warn"],
    [{ captureRequests: { cookies: true } }, "options.captureRequests.cookies is not an option"],
    [{ captureCanvas: { fps: 5 } }, "options.captureCanvas"],
    [{ captureCanvas: "yes" }, "options.captureCanvas must be true, false, or an object"],
    [{ frameOrigins: ["https://pay.example/"] }, "options.frameOrigins.0 must be an origin"],
    [{ frameOrigins: ["*"] }, "options.frameOrigins.0 must be an origin"],
    [{ parentOrigin: "null" }, "options.parentOrigin must be an origin"],
    [{ includeUrls: [""] }, "options.includeUrls.0 must not be empty"],
    [{ basePath: "sentiero" }, "options.basePath must be a path"],
    [{ basePath: "/sentiero/" }, "options.basePath must be a path"],
    [{ basePath: "/a//b" }, "options.basePath must be a path"],
    [{ basePath: "/" }, "options.basePath must be a path"],
    [{ basePath: "/a?b" }, "options.basePath must be a path"],
    [{ basePath: "/a/../b" }, "options.basePath must be a path"],
    [{ basePath: "/." }, "options.basePath must be a path"],
    [{ corsOrigins: "https://a.example" }, "options.corsOrigins must be a list of origins"],
    [{ corsOrigins: ["*"] }, "options.corsOrigins.0 must be an origin"],
    [{ corsOrigins: ["null"] }, "options.corsOrigins.0 must be an origin"],
    [{ corsOrigins: ["https://a.example", "https://a.example/"] }, "options.corsOrigins.1 must be an origin"],
    [{ corsOrigins: ["https://*.example"] }, "options.corsOrigins.0 must be an origin"],
    [{ corsOrigins: ["a.example"] }, "options.corsOrigins.0 must be an origin"],
    [{ publicUrl: "app.example" }, "options.publicUrl must be a URL"],
    [{ publicUrl: "javascript:alert(1)" }, "options.publicUrl must be a URL"],
    [{ publicUrl: "mailto:ada@example.org" }, "options.publicUrl must be a URL"],
    [{ optOutCookieName: "a=b" }, "options.optOutCookieName must be a cookie name"],
    [{ userOptOut: "yes" }, "options.userOptOut must be true or false"],
    [{ authorize: true }, "options.authorize must be a function"],
    [{ storage: {} }, "options.storage must be a storage made by unstorage"],
    [{ storage: "sqlite:a.db" }, "options.storage must be a storage made by unstorage"],
    [{ redaction: { redactEvent: "x" } }, "options.redaction.redactEvent must be a function"],
    [{ limits: 5 }, "options.limits must be an object"],
    [{ recorderOptions: 5 }, "options.recorderOptions must be an object"],
    [{ basicAuth: { user: "", password: "x" } }, "options.basicAuth.user must not be blank"],
    [{ basicAuth: { user: "ada", password: "  " } }, "options.basicAuth.password must not be blank"],
    [{ basicAuth: { user: "ada" } }, "options.basicAuth.password"],
    [{ basicAuth: { user: "a:b", password: "x" } }, "options.basicAuth.user must not contain a colon"],
    [{ basicAuth: {} }, "options.basicAuth.user"],
  ])("%j is refused with the path and what was expected", (options, message) => {
    const error = refuse(options);
    expect(error).toBeInstanceOf(SentieroError);
    expect(error.code).toBe("INVALID_OPTIONS");
    expect(error.message).toContain(`[sentiero] ${message}`);
  });

  test.each([
    { basicAuth: "ada:hunter2" },
    { basicAuth: { user: "ada:hunter2", password: "x" } },
    { basicAuth: { user: "ada", password: ["hunter2"] } },
    { basicAuth: { user: "ada", password: { hunter2: 1 } } },
    { basicAuth: ["ada", "hunter2"] },
  ])("a password that was put in a wrong place is not printed: %j", (options) => {
    expect(refuse(options).message).not.toContain("hunter2");
  });

  test("a password given as a number is not printed", () => {
    expect(refuse({ basicAuth: { user: "ada", password: 31_337_042 } }).message).not.toContain("31337042");
  });

  test("an unknown name is an error, also within groups, whatever it is called", () => {
    expect(refuse({ corsOrigin: [] }).message).toContain("options.corsOrigin is not an option");
    expect(refuse({ limits: { maxBytes: 1 } }).message).toContain("options.limits.maxBytes is not an option");
    expect(refuse({ constructor: 1 }).message).toBe("[sentiero] options.constructor is not an option");
    expect(refuse({ toString: 1 }).message).toBe("[sentiero] options.toString is not an option");
    expect(refuse({ valueOf: 1 }).message).toBe("[sentiero] options.valueOf is not an option");
  });

  test.each([
    ["auth_callback", "authorize"],
    ["store", "storage"],
    ["cors_origins", "corsOrigins"],
    ["basic_auth", "basicAuth"],
    ["allow_insecure_dashboard", "allowInsecureDashboard"],
    ["flush_interval_ms", "flushIntervalMs"],
    ["flush_event_threshold", "flushEventThreshold"],
    ["max_events_per_request", "limits.maxEventsPerBatch"],
    ["cross_tab_sessions", "crossTabSessions"],
    ["session_idle_timeout", "sessionIdleTimeoutMs"],
    ["session_max_age", "sessionMaxAgeMs"],
    ["capture_metadata", "captureMetadata"],
    ["mask_all_inputs", "maskAllInputs"],
    ["recorder_options", "recorderOptions"],
    ["user_opt_out", "userOptOut"],
    ["opt_out_cookie_name", "optOutCookieName"],
    ["respect_gpc", "respectGpc"],
  ])("the original's name %s is answered with %s", (old, name) => {
    expect(refuse({ [old]: 1 }).message).toBe(`[sentiero] options.${old} is not an option: it is called ${name} here`);
  });

  test("the original's redaction.server_proc is answered with the new name", () => {
    expect(refuse({ redaction: { server_proc: () => {} } }).message).toContain(
      "it is called redaction.redactEvent here",
    );
  });

  test("only one way into the dashboard can be given", () => {
    const basicAuth = { user: "ada", password: "secret" };
    const authorize = (): boolean => true;
    for (const options of [
      { basicAuth, authorize },
      { basicAuth, allowInsecureDashboard: true },
      { authorize, allowInsecureDashboard: true },
    ]) {
      expect(refuse(options).message).toMatch(/exclude each other/);
    }
    expect(resolveOptions({ basicAuth, allowInsecureDashboard: false }).auth.kind).toBe("basic");
    expect(resolveOptions({ allowInsecureDashboard: true }).auth.kind).toBe("open");
  });

  test("an open dashboard is warned of, a closed one is not", () => {
    const warn = vi.spyOn(console, "warn").mockImplementation(() => {});
    createSentiero({ storage: createStorage() });
    expect(warn).not.toHaveBeenCalled();
    createSentiero({ storage: createStorage(), allowInsecureDashboard: true });
    expect(warn).toHaveBeenCalledExactlyOnceWith(expect.stringContaining("open to everyone"));
    warn.mockRestore();
  });
});
