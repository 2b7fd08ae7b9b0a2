import type { Sentiero } from "../sentiero.ts";
import { PROJECT } from "./project.ts";
import { CommandError } from "./usage-error.ts";

/**
 * Some stores take writes of one process only. A server that has one open holds the maintenance lease, at least for a
 * minute after it died.
 * @throws CommandError while another process has such a store open.
 */
export async function needOneWriter({ store }: Sentiero): Promise<void> {
  const { about, documents } = store.ports;
  if (about.writers !== "one process") return;
  const lease = await documents.get(`${PROJECT}/leases`, "maintenance");
  if (!lease || lease.score <= Date.now()) return;
  throw new CommandError(
    `${about.name} takes one writing process, and another one has it open: stop that one (it is waited for up to a ` +
      "minute after a crash), or use its Maintenance page",
  );
}
