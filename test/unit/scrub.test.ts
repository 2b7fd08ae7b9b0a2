import { expect, test } from "vitest";
import { createScrub } from "../../src/sessions/scrub.ts";
import { createUpdater } from "../../src/storage/update.ts";
import { openMemoryStore } from "../support/stores.ts";

/** Two processes over a store whose scrub fails when it is told to. */
function open() {
  const file = { isBusy: false, scrubs: 0, during: () => Promise.resolve() };
  const store = {
    ...openMemoryStore().store,
    async scrub() {
      file.scrubs++;
      await file.during();
      if (file.isBusy) throw new Error("the file is busy");
    },
  };
  const errors: unknown[] = [];
  const create = () => {
    const { update } = createUpdater(store.documents);
    return createScrub(store, { project: "main", clock: () => 1, update, onError: (error) => void errors.push(error) });
  };
  return { file, errors, one: create(), other: create() };
}

test("what could not be overwritten stays due until it is, in whichever process", async () => {
  const { file, errors, one, other } = open();
  file.isBusy = true;
  await one.now();
  await other.whatIsDue();
  expect([file.scrubs, errors.length]).toEqual([2, 2]);
  file.isBusy = false;
  await other.whatIsDue();
  await one.whatIsDue();
  expect([file.scrubs, errors.length]).toEqual([3, 2]);
});

test("what is erased while a scrub is under way is due after it", async () => {
  const { file, one, other } = open();
  file.during = async () => {
    file.during = () => Promise.resolve();
    file.isBusy = true;
    await other.now();
    file.isBusy = false;
  };
  await one.now();
  expect(file.scrubs).toBe(2);
  await one.whatIsDue();
  await one.whatIsDue();
  expect(file.scrubs).toBe(3);
});
