import { isKind } from '#kernel';

/** What a part of a list is asked for; undefined when it was removed since the list was made. */
export async function unlessGone<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (isKind(error, 'notFound')) return undefined;
    throw error;
  }
}
