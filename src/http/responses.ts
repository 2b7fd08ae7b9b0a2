/** A JSON answer that no cache keeps: what it holds may be a recording. */
export function json(value: unknown, init: { status?: number; headers?: Record<string, string> } = {}): Response {
  const bytes = new TextEncoder().encode(JSON.stringify(value));
  return new Response(bytes, {
    status: init.status ?? 200,
    headers: { ...JSON_HEADERS, "content-length": String(bytes.byteLength), ...init.headers },
  });
}

const JSON_HEADERS = {
  "content-type": "application/json",
  "cache-control": "no-store",
  "x-content-type-options": "nosniff",
};

/** For bodies that are packed already: Workers would pack them once more by their `Content-Encoding`. Others ignore it. */
export const AS_ENCODED: ResponseInit = { encodeBody: "manual" } as ResponseInit;

/** An empty answer. */
export function empty(status: number, headers: Record<string, string> = {}): Response {
  return new Response(null, { status, headers: { "x-content-type-options": "nosniff", ...headers } });
}

/** Escapes text for HTML content and for attributes in double quotes. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`);
}

/** JSON for a `<script type="application/json">`: nothing in it can end the element or start a comment. */
export function escapeJson(value: unknown): string {
  return JSON.stringify(value).replace(
    /[<>&\u2028\u2029]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
