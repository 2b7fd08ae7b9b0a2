import { Worker } from "node:worker_threads";

const SCRIPT = `
  const { workerData } = require("node:worker_threads");
  const { DatabaseSync } = require("node:sqlite");
  const database = new DatabaseSync(workerData.file);
  database.exec("PRAGMA busy_timeout = 5000");
  database.exec(workerData.sql);
  database.close();
`;

/**
 * Runs SQL on a SQLite file in a thread of its own, by node:sqlite, so that the event loop goes on. Another copy of the
 * library must not have the file open in this process. Rejects with what SQLite says, or with why the thread ended early.
 */
export function runSqlite(file: string, sql: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(SCRIPT, { eval: true, workerData: { file, sql }, execArgv: ["--no-warnings"] });
    worker.on("error", reject);
    worker.on("exit", (code) => {
      if (code === 0) resolve();
      else reject(new Error(`the thread for SQLite ended with ${code}`));
    });
  });
}
