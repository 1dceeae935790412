// What differs between two documents of the method policy, for those who say it in words.

/** What the phone shows beside the number, by the members of `featureSettings`. */
export const features = ["displayAppInformationRequiredState", "displayLocationInformationRequiredState"];

/** Stands for all people, and decides after every group wherever it is in the list. */
export const allUsers = { targetType: "group", id: "all_users" };

export const isSame = (one, other) => one.targetType === other.targetType && one.id === other.id;
export const isEqual = (one, other) => JSON.stringify(one) === JSON.stringify(other);

/** Whether a member that is on or off is another, the people and groups that came and went, those whose mode is another, and the rest. */
export function policyChanges(before, after) {
  const differs = (read) => !isEqual(read(before), read(after));
  const [old, fresh] = [before, after].map((document) => ({
    include: document?.includeTargets ?? [], exclude: document?.excludeTargets ?? [],
  }));
  const same = (targets, target) => targets.find((one) => isSame(one, target));
  const missing = (from, other) => from.filter((target) => !same(other, target));
  const isGroup = (target) => target.targetType === "group" && !isSame(target, allUsers);
  const keptGroups = (from, other) => from.filter((target) => isGroup(target) && same(other, target)).map(({ id }) => id);
  return {
    state: differs((document) => document?.state),
    codes: differs((document) => document?.isSoftwareOathEnabled),
    included: missing(fresh.include, old.include),
    notIncluded: missing(old.include, fresh.include),
    excluded: missing(fresh.exclude, old.exclude),
    notExcluded: missing(old.exclude, fresh.exclude),
    modes: fresh.include.filter((target) => {
      const mode = same(old.include, target)?.authenticationMode;
      return mode && mode !== target.authenticationMode;
    }),
    order: !isEqual(keptGroups(old.include, fresh.include), keptGroups(fresh.include, old.include)),
    features: features.filter((name) => differs((document) => document?.featureSettings?.[name])),
  };
}
