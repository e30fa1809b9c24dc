import { invalidArgument } from '#kernel';
import { formatPlatform, parsePlatform, type Platform } from '#oci';

export type AnnotationValues = Readonly<Record<string, string>>;

/** What a client wants written onto an image's documents, by document. */
export interface Annotations {
  readonly index: AnnotationValues;
  /** Of the descriptor that leads to the index, in an archive. */
  readonly indexDescriptor: AnnotationValues;
  /** Of the manifest of a platform; `platform` undefined for the only one. */
  manifest(platform: Platform): AnnotationValues;
  /** Of the entry of the index that leads to a platform's manifest. */
  manifestDescriptor(platform: Platform): AnnotationValues;
  /** Platforms that annotations were given for by name, as `linux/arm64`. */
  readonly platforms: readonly string[];
}

/** `annotation.KEY`, `annotation-index.KEY`, `annotation-manifest-descriptor[linux/arm64].KEY`. */
const annotationKey = /^annotation(?:-([a-z-]+))?(?:\[([A-Za-z0-9_/-]+)\])?\.(\S+)$/;

const levels = ['index', 'index-descriptor', 'manifest', 'manifest-descriptor'] as const;
type Level = (typeof levels)[number];

const isLevel = (text: string): text is Level => levels.some((level) => level === text);

export const isAnnotation = (name: string): boolean => annotationKey.test(name);

/** Reads the annotations among an exporter's attributes. Throws invalidArgument in BuildKit's words. */
export function parseAnnotations(attributes: Readonly<Record<string, string>>): Annotations {
  const given: { level: Level; platform: string; key: string; value: string }[] = [];
  for (const [name, value] of Object.entries(attributes)) {
    const match = annotationKey.exec(name);
    if (!match) continue;
    const [, level = 'manifest', platform, key = ''] = match;
    if (!isLevel(level)) throw invalidArgument(`unrecognized annotation type ${level}`);
    const place = platform === undefined ? '' : formatPlatform(parsePlatform(platform));
    given.push({ level, platform: place, key, value });
  }
  const of = (level: Level, isWanted: (platform: string) => boolean): AnnotationValues =>
    Object.fromEntries(
      given
        .filter((each) => each.level === level && isWanted(each.platform))
        // What is said of one platform goes before what is said of all.
        .sort((one, two) => one.platform.length - two.platform.length)
        .map(({ key, value }) => [key, value]),
    );
  const ofPlatform = (level: Level, platform: Platform): AnnotationValues => {
    const name = formatPlatform(platform);
    return of(level, (each) => each === '' || each === name);
  };
  return {
    index: of('index', () => true),
    indexDescriptor: of('index-descriptor', () => true),
    manifest: (platform) => ofPlatform('manifest', platform),
    manifestDescriptor: (platform) => ofPlatform('manifest-descriptor', platform),
    platforms: [...new Set(given.map(({ platform }) => platform).filter((name) => name !== ''))],
  };
}
