import * as v from "valibot";
import { HTTPError } from "../../errors.ts";
import { readBytes } from "../../http/body.ts";
import { json } from "../../http/responses.ts";
import type { Maintenance } from "../../maintenance/maintenance.ts";
import { isId } from "../../rrweb/batch.ts";
import type { DoctorAnswer, JobAnswer, MaintenanceAnswer, Notice, PreviewAnswer, Selection } from "../../types.ts";
import { API_VERSION } from "./version.ts";

/** What the routes need. */
export interface MaintenanceParts {
  readonly maintenance: Maintenance;
  readonly doctor: () => Promise<readonly Notice[]>;
  readonly exportPerson: (selection: Selection) => ReadableStream<Uint8Array>;
  /** Somebody waits for a job: the next piece of work begins now. */
  readonly wake: () => void;
  readonly clock: () => number;
}

/** A selection is at most some thousand ids. */
const MAX_BODY_BYTES = 256 * 1024;

/** `/maintenance` of the API. `path` begins behind `/api/maintenance`. */
export function createMaintenanceApi(
  parts: MaintenanceParts,
): (request: Request, path: string, query: URLSearchParams) => Promise<Response> {
  const { maintenance, doctor, exportPerson, wake, clock } = parts;

  async function overview(): Promise<Response> {
    const answer: MaintenanceAnswer = { apiVersion: API_VERSION, ...(await maintenance.overview()) };
    return json(answer);
  }

  async function preview(request: Request): Promise<Response> {
    const { selection } = parse(PreviewSchema, await readJson(request));
    const answer: PreviewAnswer = { apiVersion: API_VERSION, ...(await maintenance.preview(selection)) };
    return json(answer);
  }

  async function startJob(request: Request): Promise<Response> {
    const { kind, selection, confirm } = parse(JobSchema, await readJson(request));
    if (confirm !== kind) throw new HTTPError(400, `confirm must be "${kind}"`);
    return started(await maintenance.startJob(kind, selection));
  }

  async function run(request: Request): Promise<Response> {
    parse(RunSchema, await readJson(request));
    return started(await maintenance.startRetention());
  }

  function started(job: JobAnswer["job"]): Response {
    wake();
    const answer: JobAnswer = { apiVersion: API_VERSION, job };
    return json(answer, { status: 202 });
  }

  function shown(job: JobAnswer["job"] | null): Response {
    if (!job) throw new HTTPError(404, "job not found");
    const answer: JobAnswer = { apiVersion: API_VERSION, job };
    return json(answer);
  }

  async function check(): Promise<Response> {
    const answer: DoctorAnswer = { apiVersion: API_VERSION, checkedAt: clock(), notices: await doctor() };
    return json(answer);
  }

  /** One person's recordings as a file: `user=…`, any number of `id=…`, `meta.<key>=…`. */
  function download(query: URLSearchParams): Response {
    const ids = query.getAll("id");
    const metadata = Object.fromEntries(
      [...query].filter(([name]) => name.startsWith("meta.")).map(([name, value]) => [name.slice(5), value]),
    );
    const user = query.get("user");
    const selection = parse(SelectionSchema, {
      ...(user !== null && { user }),
      ...(ids.length > 0 && { ids }),
      ...(Object.keys(metadata).length > 0 && { metadata }),
    });
    if (Object.keys(selection).length === 0) throw new HTTPError(400, "give user, id or meta.<key>");
    return new Response(exportPerson(selection), {
      headers: {
        "content-type": "application/x-ndjson",
        "content-disposition": 'attachment; filename="recordings.ndjson"',
        "cache-control": "no-store",
        "x-content-type-options": "nosniff",
      },
    });
  }

  return async (request, path, query) => {
    const [route = "", id, action, ...rest] = path.slice(1).split("/");
    if (rest.length > 0) throw notFound();
    const isRead = request.method === "GET" || request.method === "HEAD";
    const only = (method: "GET" | "POST"): void => {
      if (method === "GET" ? isRead : request.method === "POST") return;
      const allow = method === "GET" ? "GET, HEAD" : "POST";
      throw new HTTPError(405, "method not allowed", { headers: { allow } });
    };
    if (route === "jobs" && id !== undefined) {
      if (!isId(id)) throw new HTTPError(400, "invalid job id");
      only(action === undefined ? "GET" : "POST");
      if (action === undefined) return shown(await maintenance.job(id));
      if (action === "cancel") return shown(await maintenance.cancelJob(id));
      throw notFound();
    }
    if (id !== undefined) throw notFound();
    switch (route) {
      case "":
        only("GET");
        return overview();
      case "doctor":
        only("GET");
        return check();
      case "export":
        only("GET");
        return download(query);
      case "preview":
        only("POST");
        return preview(request);
      case "jobs":
        only("POST");
        return startJob(request);
      case "run":
        only("POST");
        return run(request);
      default:
        throw notFound();
    }
  };
}

const time = v.pipe(v.number(), v.safeInteger());

const SelectionSchema = v.strictObject({
  ids: v.optional(v.pipe(v.array(v.custom<string>(isId)), v.minLength(1), v.maxLength(1_000))),
  from: v.optional(time),
  to: v.optional(time),
  user: v.optional(v.pipe(v.string(), v.minLength(1), v.maxLength(1_024))),
  metadata: v.optional(v.record(v.pipe(v.string(), v.maxLength(1_024)), v.pipe(v.string(), v.maxLength(1_024)))),
});

const PreviewSchema = v.strictObject({ selection: SelectionSchema });
const JobSchema = v.strictObject({
  kind: v.picklist(["purge", "erase", "reindex"]),
  selection: SelectionSchema,
  confirm: v.string(),
});
const RunSchema = v.strictObject({ task: v.literal("retention") });

async function readJson(request: Request): Promise<unknown> {
  const bytes = await readBytes(request, MAX_BODY_BYTES);
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (cause) {
    throw new HTTPError(400, "body is not valid JSON", { cause });
  }
}

function parse<T extends v.GenericSchema>(schema: T, value: unknown): v.InferOutput<T> {
  const result = v.safeParse(schema, value);
  if (result.success) return result.output;
  const path = v.getDotPath(result.issues[0]);
  throw new HTTPError(400, path ? `${path} is not valid` : "body must be a JSON object");
}

function notFound(): HTTPError {
  return new HTTPError(404, "route not found");
}
