/** How crun tells, on the program's own stderr, that the kernel would not run the program. */
const told = /^\{"msg":"exec container process(?: \([^)]*\))? `(.*)`: ([^"]*)","level":"error"/;

/** The first output of a program; crun's words for a program that could not be run become those of runc. */
export function inPlainWords(output: Buffer): Buffer {
  if (output[0] !== 0x7b) return output;
  const [, program = '', reason = ''] = told.exec(output.toString()) ?? [];
  if (reason === '') return output;
  return Buffer.from(`exec ${program}: ${reason.charAt(0).toLowerCase()}${reason.slice(1)}\n`);
}
