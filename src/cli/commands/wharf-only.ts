import { ResponseError } from '#client';

/** Does what only Wharf's engine can do. Throws an error that says so where another engine does not know the request. */
export async function wharfOnly<T>(what: string, task: () => Promise<T>): Promise<T> {
  try {
    return await task();
  } catch (error) {
    const isUnknown =
      error instanceof ResponseError &&
      [404, 405].includes(error.status) &&
      /^$|page not found|method not allowed/i.test(error.reason.trim());
    if (!isUnknown) throw error;
    throw new Error(`this engine cannot ${what}: that needs wharfd`, { cause: error });
  }
}
