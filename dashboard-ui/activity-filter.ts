import type { ActivityItem, ActivityKind } from "./activity-item.ts";

/** What the viewer may want to see alone. */
export interface ActivityGroup {
  readonly name: string;
  readonly kinds: readonly ActivityKind[];
}

/** In the order of the chips. What is in none of them is seen only where nothing is chosen. */
export const activityGroups: readonly ActivityGroup[] = [
  { name: "Clicks", kinds: ["click"] },
  { name: "Pages", kinds: ["page"] },
  { name: "Errors", kinds: ["error", "resource"] },
  { name: "Requests", kinds: ["request"] },
  { name: "Console", kinds: ["console"] },
  { name: "Events", kinds: ["custom", "form"] },
  { name: "Vitals", kinds: ["vital"] },
];

/** How many items each group has, by its name. */
export function countGroups(items: readonly ActivityItem[]): ReadonlyMap<string, number> {
  const nameOf = new Map(activityGroups.flatMap(({ name, kinds }) => kinds.map((kind) => [kind, name] as const)));
  const counts = new Map<string, number>();
  for (const { kind } of items) {
    const name = nameOf.get(kind);
    if (name) counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return counts;
}

/** The items of the chosen groups, or of all where none is, that hold the text, whatever its case. */
export function filterActivity(
  items: readonly ActivityItem[],
  chosen: ReadonlySet<string>,
  text: string,
): readonly ActivityItem[] {
  const wanted = text.trim().toLowerCase();
  if (chosen.size === 0 && wanted === "") return items;
  const kinds = new Set(activityGroups.filter(({ name }) => chosen.has(name)).flatMap((group) => group.kinds));
  return items.filter(
    (item) =>
      (chosen.size === 0 || kinds.has(item.kind)) &&
      (wanted === "" ||
        `${item.label} ${item.badge?.text ?? ""} ${item.detail} ${item.more}`.toLowerCase().includes(wanted)),
  );
}
