import { kindOf, type ErrorKind } from '#kernel';

/** The one place where a kind of error becomes an HTTP status. */
const statusByKind: Readonly<Record<ErrorKind, number>> = {
  invalidArgument: 400,
  unauthenticated: 401,
  permissionDenied: 403,
  notFound: 404,
  conflict: 409,
  notModified: 304,
  unavailable: 503,
  unimplemented: 501,
  internal: 500,
};

/** The HTTP status for any thrown value. */
export const statusOf = (error: unknown): number => statusByKind[kindOf(error)];
