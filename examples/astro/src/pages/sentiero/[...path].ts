import type { APIRoute } from "astro";
import { sentiero } from "../../lib/sentiero";

export const ALL: APIRoute = (context) =>
  sentiero.fetch(Object.assign(context.request, { ip: context.clientAddress, context }));
