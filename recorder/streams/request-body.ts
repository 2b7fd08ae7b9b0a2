const MAX_CHARS = 10_240;
const MAX_WAIT_MS = 1_000;

const TEXT =
  /^\s*(?:text\/(?!event-stream)|application\/(?:[\w.-]+\+)?(?:json|xml)|application\/(?:x-www-form-urlencoded|graphql|x-ndjson))/i;

/** Whether a content type is one of texts that come to an end. */
export function isTextType(contentType: string | null | undefined): boolean {
  return TEXT.test(contentType ?? "");
}

/** A text as far as it is kept; of what a page sends or gets otherwise, nothing: files and forms stay unread. */
export function textOfBody(body: unknown): string | undefined {
  if (typeof body === "string") return body.slice(0, MAX_CHARS);
  return body instanceof URLSearchParams ? body.toString().slice(0, MAX_CHARS) : undefined;
}

/**
 * The first 10 KB of a copy's body, or as much of it as comes within a second; then the copy is let go, so that the page's
 * own keeps flowing and nothing is hoarded. Never rejects.
 */
export async function readStart(stream: ReadableStream<Uint8Array>): Promise<string | undefined> {
  const reader = stream.getReader();
  const decoder = new TextDecoder();
  let text = "";
  const timer = setTimeout(() => void reader.cancel().catch(() => {}), MAX_WAIT_MS);
  try {
    while (text.length < MAX_CHARS) {
      const { done, value } = await reader.read();
      if (done) break;
      text += decoder.decode(value, { stream: true });
    }
  } catch {
    // Aborted by the page: what came before is kept.
  } finally {
    clearTimeout(timer);
    reader.cancel().catch(() => {});
  }
  return text.slice(0, MAX_CHARS) || undefined;
}
