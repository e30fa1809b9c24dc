/** Addresses go out to everybody who gets the image; what was given to get in does not. */
export function withoutCredentials(text: string): string {
  if (!/^[a-z]+:\/\/[^/]*@/i.test(text)) return text;
  const [scheme = '', rest = ''] = text.split('://', 2);
  const secret = /^[^/]*@/.exec(rest)?.[0] ?? '';
  return `${scheme}://xxxxx:xxxxx@${text.slice(scheme.length + 3 + secret.length)}`;
}
