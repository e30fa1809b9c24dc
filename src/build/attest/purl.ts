import {
  familiarName,
  formatPlatform,
  normalizePlatform,
  parseReference,
  withDefaultTag,
  type Platform,
} from '#oci';

/** `pkg:docker/busybox@latest?platform=linux%2Famd64`: how a statement names an image. Throws invalidArgument. */
export function imagePurl(reference: string, platform: Platform): string {
  const parsed = withDefaultTag(parseReference(reference));
  const version = parsed.tag === undefined ? '' : `@${encodeURIComponent(parsed.tag)}`;
  const qualifiers = [
    ...(parsed.digest === undefined ? [] : [`digest=${parsed.digest}`]),
    `platform=${encodeURIComponent(formatPlatform(normalizePlatform(platform)))}`,
  ];
  return `pkg:docker/${familiarName(parsed)}${version}?${qualifiers.join('&')}`;
}
