import type { DoctorAnswer, Job, JobAnswer, MaintenanceAnswer, PreviewAnswer, Selection } from "../src/types.ts";
import { apiPath, fetchJson } from "./api.ts";

const path = `${apiPath}maintenance`;

/** How the store is doing: what it holds, its limits, its jobs. */
export function fetchMaintenance(signal: AbortSignal): Promise<MaintenanceAnswer> {
  return fetchJson<MaintenanceAnswer>(path, { signal });
}

/** What a selection holds. */
export function fetchPreview(selection: Selection, signal: AbortSignal): Promise<PreviewAnswer> {
  return fetchJson<PreviewAnswer>(`${path}/preview`, { signal }, { selection });
}

/** Begins a job; an `ApiError` of status 409 while another one runs. */
export async function startJob(kind: Job["kind"], selection: Selection): Promise<Job> {
  const answer = await fetchJson<JobAnswer>(`${path}/jobs`, {}, { kind, selection, confirm: kind });
  return answer.job;
}

/** Removes what is older than `retentionDays` now. */
export async function runRetention(): Promise<Job> {
  const answer = await fetchJson<JobAnswer>(`${path}/run`, {}, { task: "retention" });
  return answer.job;
}

/** How far a job is; an `ApiError` of status 404 when nobody knows of it any more. */
export async function fetchJob(id: string, signal: AbortSignal): Promise<Job> {
  const answer = await fetchJson<JobAnswer>(`${path}/jobs/${encodeURIComponent(id)}`, { signal });
  return answer.job;
}

/** Ends a job after the step it is at. */
export async function cancelJob(id: string): Promise<Job> {
  const answer = await fetchJson<JobAnswer>(`${path}/jobs/${encodeURIComponent(id)}/cancel`, {}, {});
  return answer.job;
}

/** What is wrong with the store, and what to do about it. */
export function fetchDoctor(signal: AbortSignal): Promise<DoctorAnswer> {
  return fetchJson<DoctorAnswer>(`${path}/doctor`, { signal });
}

/** Address of a file with everything that is kept of a person. */
export function exportPath({ ids = [], user, metadata = {} }: Selection): string {
  const params = new URLSearchParams();
  for (const id of ids) params.append("id", id);
  if (user !== undefined) params.set("user", user);
  for (const [key, value] of Object.entries(metadata)) params.set(`meta.${key}`, value);
  return `${path}/export?${params}`;
}
