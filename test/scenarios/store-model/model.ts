import { samples, type Tree } from './images.ts';

/** What must exist. Ids are those of images; names are as Docker lists them. */
export interface State {
  readonly images: ReadonlySet<string>;
  readonly names: ReadonlyMap<string, string>;
  /** What the registry's names lead to. */
  readonly registry: ReadonlyMap<string, string>;
}

export const emptyState: State = { images: new Set(), names: new Map(), registry: new Map() };

/** What every image that ever was must look like. */
export const trees = new Map<string, Tree>(samples.map(({ id, tree }) => [id, tree]));

/** What committed images were made from. */
export const parents = new Map<string, string>();

/** The image and all that it was made from, one from the other. */
export function lineOf(id: string): string[] {
  const line = [id];
  for (let up = parents.get(id); up !== undefined; up = parents.get(up)) line.push(up);
  return line;
}

/** Whether another image here was made from it. */
export const hasChild = ({ images }: State, id: string): boolean =>
  [...images].some((each) => parents.get(each) === id);

/** The state once a name leads to an image. */
export function named(state: State, name: string, id: string): State {
  return {
    ...state,
    images: new Set([...state.images, id]),
    names: new Map([...state.names, [name, id]]),
  };
}

/** The state once a name is taken away, and the image with its last name. */
export function unnamed(state: State, name: string): State {
  const id = state.names.get(name);
  const names = new Map([...state.names].filter(([each]) => each !== name));
  const isNamed = [...names.values()].includes(id ?? '');
  return { ...state, names, images: new Set([...state.images].filter((each) => each !== id || isNamed)) };
}

/** Images without a name. */
export const dangling = ({ images, names }: State): string[] => {
  const used = new Set(names.values());
  return [...images].filter((id) => !used.has(id));
};

export const without = (state: State, ids: readonly string[]): State => ({
  ...state,
  images: new Set([...state.images].filter((id) => !ids.includes(id))),
  names: new Map([...state.names].filter(([, id]) => !ids.includes(id))),
});

/** For comparing with what the engine lists. */
export function listing({ images, names }: State): Map<string, readonly string[]> {
  return new Map(
    [...images].map((id) => [
      id,
      [...names]
        .filter(([, each]) => each === id)
        .map(([name]) => name)
        .sort(),
    ]),
  );
}
