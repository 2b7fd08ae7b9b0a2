import { createServer } from "node:http";
import { toNodeHandler } from "sentiero/node";
import { renderPage } from "./page.ts";
import { sentiero } from "./sentiero.ts";

const handle = toNodeHandler(sentiero);
const port = Number(process.env.PORT ?? 3000);

createServer((request, response) =>
  handle(request, response, () => {
    response.setHeader("content-type", "text/html; charset=utf-8");
    response.end(renderPage(request.url ?? "/", sentiero.scriptTag()));
  }),
).listen(port, () => console.log(`http://localhost:${port}`));
