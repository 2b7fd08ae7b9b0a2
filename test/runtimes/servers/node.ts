import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { toNodeHandler } from "../../../dist/adapters/node.js";
import { announce, createContractSentiero } from "./app.ts";

const handle = toNodeHandler(createContractSentiero());
const server = createServer((request, response) => handle(request, response, () => response.end("next")));
server.listen(0, "127.0.0.1", () => announce((server.address() as AddressInfo).port));
