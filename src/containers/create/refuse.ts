import { invalidArgument } from '#kernel';

/** Throws invalidArgument with the message when the condition holds. */
export function refuse(condition: boolean, message: string): void {
  if (condition) throw invalidArgument(message);
}
