/** The text as gzip, by the browser's own stream; null where there is none. */
export async function gzip(text: string): Promise<Uint8Array<ArrayBuffer> | null> {
  try {
    const stream = new Blob([text]).stream().pipeThrough(new CompressionStream("gzip"));
    return new Uint8Array(await new Response(stream).arrayBuffer());
  } catch {
    return null;
  }
}
