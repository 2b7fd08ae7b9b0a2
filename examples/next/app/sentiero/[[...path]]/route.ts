import { sentiero } from "../../../lib/sentiero";

export { answer as GET, answer as HEAD, answer as POST, answer as PUT, answer as DELETE, answer as OPTIONS };

function answer(request: Request): Promise<Response> {
  // Next.js drops the `Content-Encoding` of an answer, and compresses by itself: what it gets has to be plain.
  request.headers.delete("accept-encoding");
  return sentiero.fetch(request);
}
