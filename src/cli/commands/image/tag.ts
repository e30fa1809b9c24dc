import { messageOf } from '#kernel';
import { defineCommand, exactly } from '../../command.ts';
import { imagePath } from './path.ts';

export const command = defineCommand({
  synopsis: 'SOURCE_IMAGE[:TAG] TARGET_IMAGE[:TAG]',
  summary: 'Give an image another name',
  aliases: ['image tag', 'tag'],
  arguments: exactly(2),
  flags: {},
  async run(context, { args: [source = '', target = ''] }) {
    const { familiarName, parseReference, withDefaultTag } = await import('#oci');
    const read = (): ReturnType<typeof parseReference> => {
      try {
        return withDefaultTag(parseReference(target));
      } catch (error) {
        throw new Error(
          `Error parsing reference: ${JSON.stringify(target)} is not a valid repository/tag: ${messageOf(error)}`,
          { cause: error },
        );
      }
    };
    const reference = read();
    if (reference.digest !== undefined) throw new Error('refusing to create a tag with a digest reference');
    await context.engine.done({
      method: 'POST',
      path: `${imagePath(source)}/tag`,
      query: { repo: familiarName(reference), tag: reference.tag },
    });
  },
});
