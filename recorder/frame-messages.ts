// What a page and its frames of other origins say to each other. Types only: both sides are loaded on demand.
// Either may be of another version of sentiero than the other.

/** What a frame posts to the page around it. */
export type FrameMessage =
  /** It could be recorded. */
  | { readonly sentiero: "hello" }
  /** An event of rrweb's, masked, as JSON. */
  | { readonly sentiero: "event"; readonly event: string }
  /** The person did something in it. */
  | { readonly sentiero: "activity" }
  /** Its page, which was asked under this number, is left; the next one speaks for itself, if it does. */
  | { readonly sentiero: "gone"; readonly page: number }
  | { readonly sentiero: "trigger"; readonly trigger: string };

/** What a page posts to a frame: record from now on, beginning with a full snapshot; or don't any more. */
export type PageMessage = { readonly sentiero: "record"; readonly page: number } | { readonly sentiero: "stop" };
