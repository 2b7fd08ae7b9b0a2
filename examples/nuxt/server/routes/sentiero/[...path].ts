export default defineEventHandler((event) =>
  sentiero.fetch(Object.assign(toWebRequest(event), { ip: getRequestIP(event), context: event })),
);
