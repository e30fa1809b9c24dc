/** Cases in which we do not answer as the reference does, each with its cause. */
export const differences: Readonly<Record<string, string>> = {
  'compose: nothing to build': 'a group without targets has an empty list, not null',
  'error: YAML': 'another YAML reader says what is wrong, and the file is named',
};
