// The public names, all of them.

export { createSentiero } from "./sentiero.ts";
export type { Handler, Sentiero } from "./sentiero.ts";

// Options
export type { BasicAuth, DashboardAccess, ResolvedOptions, SentieroOptions } from "./options.ts";
export type { RecorderOptions } from "./recorder-options.ts";
export type { RedactEvent, RedactionOptions } from "./privacy/rules.ts";
export type { RedactionRules } from "./privacy/redaction.ts";
export type { CustomPattern, PatternName } from "./privacy/patterns.ts";
export type { UrlMode } from "./privacy/url.ts";
export type { ScriptAttributes, ScriptTagOptions } from "./script-tag.ts";
export type { Platform } from "./platform.ts";
export type { Authorize, Client } from "./http/auth.ts";
export type { Connection } from "./http/connection.ts";

// Errors
export { SentieroError } from "./errors.ts";
export type { SentieroErrorCode } from "./errors.ts";

// What is recorded, and what the API answers
export type {
  Batch,
  BatchList,
  BatchSummary,
  DayUsage,
  DoctorAnswer,
  Gap,
  Job,
  JobAnswer,
  MaintenanceAnswer,
  Notice,
  PreviewAnswer,
  RecordedEvent,
  SessionAnswer,
  Selection,
  SessionDetail,
  SessionList,
  SessionSummary,
  WindowSummary,
} from "./types.ts";
export type { Sessions, SessionsPage } from "./sessions/sessions.ts";
export type { Maintenance } from "./maintenance/maintenance.ts";
export type { Codec, CodecContext } from "./storage/codec.ts";
export type { Cursor } from "./storage/documents.ts";
