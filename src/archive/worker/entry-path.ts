import { invalidArgument } from '#kernel';

/**
 * The components of an entry's name, taken as a path from the root of what is unpacked. Throws invalidArgument
 * if the name climbs out; `entry` is the name that the message shows.
 */
export function componentsOf(name: string, entry = name): string[] {
  const components: string[] = [];
  for (const part of name.split('/')) {
    if (part === '' || part === '.') continue;
    if (part !== '..') {
      components.push(part);
      continue;
    }
    if (components.pop() === undefined) {
      throw invalidArgument(
        `invalid archive: ${JSON.stringify(entry)} is outside of the folder it is unpacked to`,
      );
    }
  }
  return components;
}

/** Like componentsOf(), for places on disk, where `..` of the root is the root. */
export function clampedComponents(path: string): string[] {
  const components: string[] = [];
  for (const part of path.split('/')) {
    if (part === '..') components.pop();
    else if (part !== '' && part !== '.') components.push(part);
  }
  return components;
}
