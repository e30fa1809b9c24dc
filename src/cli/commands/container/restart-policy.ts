import type { RestartPolicy } from '#api/types';

/** Reads `on-failure:3`. Throws Docker's texts; unknown names are for the engine to refuse. */
export function parseRestart(text: string): RestartPolicy {
  if (text === '') return { Name: 'no', MaximumRetryCount: 0 };
  const [name = '', ...rest] = text.split(':');
  const count = rest.join(':');
  if (name === '') throw new Error('invalid restart policy format: no policy provided before colon');
  if (text.includes(':') && !/^[+-]?\d+$/.test(count)) {
    throw new Error('invalid restart policy format: maximum retry count must be an integer');
  }
  return { Name: name as NonNullable<RestartPolicy['Name']>, MaximumRetryCount: Number(count) };
}
